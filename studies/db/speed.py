"""How fast workers were: the time that a training run's epoch took, from the trials in the database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import Row, func, select

from studies.db.engine import Database
from studies.db.models import StudyRow, TrialRow
from studies.spec import StudySpec

#: Evaluation and recording take less than this times the training; an array that took longer was put down for a while.
_MOST_OVERHEAD = 4.0


@dataclass(frozen=True)
class Speed:
    """What was measured of a workload on one kind of device."""

    workload: str
    batch_size: int
    device: str
    epoch_seconds: float  #: of one worker for an epoch of one run, its evaluation included, in an array of many runs
    n_trials: int  #: that were measured


def measured_speeds(db: Database) -> tuple[Speed, ...]:
    """Return the median over trial arrays for each workload, batch size and device, of complete trials alone."""
    query = (
        select(
            StudyRow.id,
            TrialRow.device,
            func.min(TrialRow.started_at).label("started_at"),
            func.max(TrialRow.finished_at).label("finished_at"),
            func.sum(TrialRow.seconds).label("seconds"),
            func.sum(TrialRow.epochs_done).label("epochs"),
            func.count().label("n_trials"),
        )
        .join_from(TrialRow, StudyRow)
        .where(TrialRow.state == "complete", TrialRow.diverged.is_(False), TrialRow.epochs_done > 0)
        .group_by(StudyRow.id, TrialRow.device, TrialRow.array_id)
    )
    with db.read() as connection:
        arrays = connection.execute(query).all()
        given = select(StudyRow.id, StudyRow.spec).where(StudyRow.id.in_({array.id for array in arrays}))
        specs = {row.id: StudySpec.stored(row.spec) for row in connection.execute(given)}
    groups: dict[tuple[str, int, str], list[tuple[float, int]]] = {}
    for array in arrays:
        spec = specs[array.id]
        measured = (_seconds(array) / (array.epochs * spec.n_seeds), array.n_trials)
        groups.setdefault((spec.workload, spec.batch_size, array.device), []).append(measured)
    return tuple(
        Speed(*key, median(seconds for seconds, _ in measured), sum(n for _, n in measured))
        for key, measured in sorted(groups.items())
    )


def speeds_of(spec: StudySpec, speeds: Iterable[Speed]) -> tuple[Speed, ...]:
    """Return what was measured of a study like this one, device by device."""
    return tuple(one for one in speeds if (one.workload, one.batch_size) == (spec.workload, spec.batch_size))


def worker_seconds(specs: Sequence[StudySpec], speeds: Iterable[Speed]) -> dict[str, float]:
    """Return how long one worker of each kind of device would take for all of these studies.

    Devices on which not all of them were measured are left out.
    """
    known = tuple(speeds)
    found: dict[str, float] = {}
    measured = [(spec, {one.device: one.epoch_seconds for one in speeds_of(spec, known)}) for spec in specs]
    for device in dict.fromkeys(device for _, each in measured for device in each):
        if all(device in each for _, each in measured):
            work = (each[device] * spec.n_trials * spec.n_seeds * spec.epochs for spec, each in measured)
            found[device] = sum(work)
    return found


def _seconds(array: Row[*tuple[Any, ...]]) -> float:
    """Return how long an array held its worker; timestamps are whole seconds, so it is at least what was trained."""
    wall: float = (array.finished_at - array.started_at).total_seconds()
    return max(float(array.seconds), min(wall, _MOST_OVERHEAD * float(array.seconds)))
