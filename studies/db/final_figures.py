"""The figures of a trial that ends, made from its recorded curves."""

import math
from collections.abc import Collection, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, select

from studies.db.models import EpochRow, StudyRow
from studies.objective import objective, objective_column
from studies.spec import StudySpec

MEANS = ("train_loss", "validation_loss", "validation_error", "test_loss", "test_error")


def final_figures(connection: Connection, study_id: str, ended: Mapping[int, str]) -> dict[int, dict[str, Any]]:
    """Return, for each trial that ends, the values of its columns diverged, objective, epochs_done and so on.

    The objective is given to complete and pruned trials. Means are over the replicates at their last epoch, and NULL
    where a replicate diverged: the mean of the others would flatter the setting.
    """
    figures: dict[int, dict[str, Any]] = {number: {} for number in ended}
    if not ended:
        return figures
    given = connection.execute(select(StudyRow.spec).where(StudyRow.id == study_id)).scalar_one()
    spec = StudySpec.stored(given)
    for number, curves in _curves(connection, study_id, ended).items():
        figures[number] = _summary(curves)
        if ended[number] in ("complete", "pruned"):
            column = objective_column(spec.objective)
            values = [[getattr(row, column) for row in curve] for curve in curves]
            found = objective(spec.objective, values, spec.target, spec.epochs)
            figures[number] |= {"objective": found.mean, "objective_std": found.std}
    return figures


def _curves(connection: Connection, study_id: str, numbers: Collection[int]) -> dict[int, list[list[Row[Any]]]]:
    """Return the recorded epochs of each trial, a list for each replicate."""
    rows = connection.execute(
        select(EpochRow.__table__)
        .where(EpochRow.study_id == study_id, EpochRow.trial.in_(list(numbers)))
        .order_by(EpochRow.trial, EpochRow.replicate, EpochRow.epoch)
    ).all()
    curves: dict[int, list[list[Row[Any]]]] = {}
    for (trial, _), replicate in groupby(rows, key=lambda row: (row.trial, row.replicate)):
        curves.setdefault(trial, []).append(list(replicate))
    return curves


def _summary(curves: list[list[Row[Any]]]) -> dict[str, Any]:
    last = [curve[-1] for curve in curves]
    summary: dict[str, Any] = {
        "diverged": any(row.diverged for row in last),
        "epochs_done": max(row.epoch for row in last),
        "seconds": math.fsum(row.seconds for curve in curves for row in curve),
    }
    for column in MEANS:
        values = [getattr(row, column) for row in last]
        summary[column] = None if None in values else math.fsum(values) / len(values)
    return summary
