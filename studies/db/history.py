"""What samplers and pruners see of a study: its trials and their values at some epochs."""

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from studies.db.engine import Database
from studies.db.models import EpochRow, TrialRow
from studies.db.records import Claim
from studies.objective import cap_of, objective_column
from studies.samplers import PastTrial
from studies.spec import StudySpec

MAX_INTERMEDIATE = 30  #: values of a trial that Optuna is told


def past_trials(db: Database, study_id: str) -> list[PastTrial]:
    """Return all trials of the study in order of their numbers."""
    with db.read() as connection:
        rows = connection.execute(
            select(TrialRow.__table__).where(TrialRow.study_id == study_id).order_by(TrialRow.number)
        )
        return [PastTrial(row.number, row.state, row.params, row.objective, row.sampler_attrs or {}) for row in rows]


def diverged_replicates(db: Database, held: Claim) -> set[tuple[int, int]]:
    """Return (trial, replicate) of the array's lanes that are recorded as diverged."""
    numbers = [trial.number for trial in held.trials]
    rows = select(EpochRow.trial, EpochRow.replicate).where(
        EpochRow.study_id == held.study_id, EpochRow.trial.in_(numbers), EpochRow.diverged
    )
    with db.read() as connection:
        return {(row.trial, row.replicate) for row in connection.execute(rows)}


def report_epochs(epochs: int) -> list[int]:
    """Return the epochs, at most 30 and evenly spread, whose values Optuna is told and pruners look at."""
    step = math.ceil(epochs / MAX_INTERMEDIATE)
    return list(range(epochs, 0, -step))[::-1]


def intermediate_values(
    db: Database, study_id: str, spec: StudySpec, numbers: Sequence[int]
) -> dict[int, dict[int, float]]:
    """Return the mean over replicates of the objective's metric, capped, by trial and by `report_epochs`."""
    column = getattr(EpochRow, objective_column(spec.objective))
    epochs = report_epochs(spec.epochs)
    with db.read() as connection:
        rows = connection.execute(
            select(EpochRow.trial, EpochRow.replicate, EpochRow.epoch, column.label("value"))
            .where(EpochRow.study_id == study_id, EpochRow.trial.in_(numbers), EpochRow.epoch.in_([0, *epochs]))
            .order_by(EpochRow.trial, EpochRow.replicate, EpochRow.epoch)
        ).all()
    return _mean_capped(rows, epochs, spec.n_seeds)


def _mean_capped(rows: Sequence[Row[Any]], epochs: Sequence[int], n_seeds: int) -> dict[int, dict[int, float]]:
    """Return mean values by trial and epoch from rows (trial, replicate, epoch, value), those of epoch 0 included.

    A value counts at most 10 times the replicate's value at epoch 0, and so does a replicate from where it diverged
    on. Epochs that not all replicates have reached are left out.
    """
    by_replicate: dict[tuple[int, int], dict[int, float | None]] = {}
    for row in rows:
        by_replicate.setdefault((row.trial, row.replicate), {})[row.epoch] = row.value
    reached: dict[int, dict[int, list[float]]] = {}
    for (trial, _), values in by_replicate.items():
        first = values.get(0)
        cap = math.inf if first is None else cap_of(first)
        diverged = any(value is None for value in values.values())
        for epoch in epochs:
            value = values.get(epoch)
            if value is not None or diverged:
                capped = cap if value is None else min(value, cap)
                reached.setdefault(trial, {}).setdefault(epoch, []).append(capped)
    return {
        trial: {epoch: math.fsum(found) / n_seeds for epoch, found in means.items() if len(found) == n_seeds}
        for trial, means in reached.items()
    }
