"""Which studies a worker could take something of: one look into an index for each, however many trials they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from studies.db.engine import Database
from studies.db.models import ArrayRow, StudyRow, TrialRow
from studies.db.trial_states import unheld


@dataclass(frozen=True)
class WaitingStudy:
    """A study that a worker could take something of, or end what its cancellation left."""

    id: str
    spec_json: dict[str, Any]
    n_trials: int
    block_width: int | None
    problem: str | None  #: why the last worker that looked could not train it
    is_cancelled: bool
    is_held: bool  #: whether a worker trains something of it
    has_begun: bool  #: whether a worker ever did

    @property
    def device(self) -> str:
        """The kind of worker that it wants."""
        device: str = self.spec_json["device"]
        return device

    @property
    def fortune(self) -> tuple[bool, bool]:
        """Sorts studies: first those that never had a worker, then those that have none now."""
        return (self.is_held, self.has_begun)


def studies_with_work(db: Database) -> Sequence[WaitingStudy]:
    """Return the studies that a worker could take something of, the longest waiting first."""
    return _found(db, _query().order_by(StudyRow.created_at, StudyRow.id))


def find_work(db: Database, study_id: str) -> WaitingStudy | None:
    """Return the study if a worker could take something of it."""
    return next(iter(_found(db, _query().where(StudyRow.id == study_id))), None)


def _query() -> Select[*tuple[Any, ...]]:
    # a semi-join (IN, EXISTS) would make PostgreSQL read all trials there are
    waiting = _has_any(select(TrialRow.number).where(TrialRow.study_id == StudyRow.id, TrialRow.state == "waiting"))
    arrays = select(ArrayRow.id).where(ArrayRow.study_id == StudyRow.id)
    abandoned = _has_any(arrays.where(~ArrayRow.finished, unheld()))
    held = _has_any(arrays.where(~ArrayRow.finished, ~unheld()))
    is_cancelled = StudyRow.wish == "cancel"
    columns = (StudyRow.id, StudyRow.spec, StudyRow.n_trials, StudyRow.block_width, StudyRow.problem)
    return select(*columns, is_cancelled, held, _has_any(arrays)).where(
        or_((StudyRow.wish == "run") & or_(waiting, abandoned), is_cancelled & abandoned)
    )


def _has_any(correlated: Select[int]) -> ColumnElement[bool]:
    return correlated.limit(1).correlate(StudyRow).scalar_subquery().is_not(None)


def _found(db: Database, query: Select[*tuple[Any, ...]]) -> Sequence[WaitingStudy]:
    with db.read() as connection:
        return [WaitingStudy(*row[:5], *map(bool, row[5:])) for row in connection.execute(query)]
