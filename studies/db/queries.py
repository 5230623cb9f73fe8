"""What the study database knows: studies, suites and workers as frozen records, trials and curves as pandas frames."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Row, Select, TableClause, case, func, select

from studies.db.connection import Database, now
from studies.db.models import ArrayRow, StudyRow, SuiteRow, WorkerRow
from studies.db.records import StudyRecord, SuiteRecord, WorkerRecord
from studies.db.trial_states import unheld
from studies.db.views import CURVES, DIAGNOSTICS, RESULTS, TRAJECTORIES, frame
from studies.db.workers import LIVE_SECONDS
from studies.errors import NotFoundError


def find_study(database: Database, study_id: str) -> StudyRecord:
    """Return the study of this id.

    Raises:
        NotFoundError: no study has it.
    """
    with database.read() as connection:
        found = _studies(connection, _study_rows().where(StudyRow.id == study_id))
    if not found:
        raise NotFoundError(f"no study has the id {study_id!r}")
    return found[0]


def list_studies(database: Database) -> tuple[StudyRecord, ...]:
    """Return all studies, newest first."""
    with database.read() as connection:
        return _studies(connection, _study_rows())


def find_suite(database: Database, suite_id: str) -> SuiteRecord:
    """Return the suite of this id.

    Raises:
        NotFoundError: no suite has it.
    """
    with database.read() as connection:
        found = _suites(connection, [suite_id])
    if not found:
        raise NotFoundError(f"no suite has the id {suite_id!r}")
    return found[0]


def list_suites(database: Database) -> tuple[SuiteRecord, ...]:
    """Return all suites, newest first; the studies of each by name."""
    with database.read() as connection:
        return _suites(connection, None)


def list_workers(database: Database) -> tuple[WorkerRecord, ...]:
    """Return all workers that the database knows, the one heard of last first."""
    age = (now() - WorkerRow.heartbeat_at).label("age")
    query = select(WorkerRow.__table__, age).order_by(age, WorkerRow.id)
    with database.read() as connection:
        rows = connection.execute(query).all()
    return tuple(
        WorkerRecord(
            id=row.id,
            host=row.host,
            pid=row.pid,
            device=row.device,
            is_gpu=row.is_gpu,
            study_id=row.study_id,
            seconds_since_heartbeat=max(0.0, row.age),
            is_live=abs(row.age) < LIVE_SECONDS,
            started_at=_utc(row.started_at),
        )
        for row in rows
    )


def named_checkpoints(database: Database, store: str) -> frozenset[str]:
    """Return the checkpoints of a store that arrays would go on from."""
    named = select(ArrayRow.checkpoint).where(ArrayRow.store == store, ArrayRow.checkpoint.is_not(None))
    with database.read() as connection:
        return frozenset(filter(None, connection.execute(named).scalars()))


def trials_frame(database: Database, study_id: str | None = None) -> pd.DataFrame:
    """Return the view `results` of a study, or of all studies: a row per trial, replaced trials left out.

    Raises:
        NotFoundError: no study has this id.
    """
    query = select(RESULTS).order_by(RESULTS.c.study_id, RESULTS.c.trial)
    with database.read() as connection:
        if study_id is not None:
            _require_study(connection, study_id)
            query = query.where(RESULTS.c.study_id == study_id)
        return frame(connection, query)


def curves_frame(database: Database, study_id: str) -> pd.DataFrame:
    """Return the view `curves` of a study, labelled with its kind of data: a row per replicate and epoch.

    Raises:
        NotFoundError: no study has this id.
    """
    return _rows_of(database, CURVES, study_id)


def diagnostics_frame(database: Database, study_id: str) -> pd.DataFrame:
    """Return the view `diagnostics` of a study: a row per replicate and epoch, where the study asked for them.

    Raises:
        NotFoundError: no study has this id.
    """
    return _rows_of(database, DIAGNOSTICS, study_id)


def trajectories_frame(database: Database, study_id: str) -> pd.DataFrame:
    """Return the view `trajectories` of a study: a row per replicate and epoch, of workloads with few parameters.

    Raises:
        NotFoundError: no study has this id.
    """
    return _rows_of(database, TRAJECTORIES, study_id)


def _rows_of(database: Database, view: TableClause, study_id: str) -> pd.DataFrame:
    """Return the rows that a view has of a study, in the order of trials, replicates and epochs.

    A column `data` comes after the study's name: taken out of the database, synthetic figures must stay known as such.
    """
    query = select(view).where(view.c.study_id == study_id)
    with database.read() as connection:
        _require_study(connection, study_id)
        spec = connection.execute(select(StudyRow.spec).where(StudyRow.id == study_id)).scalar_one()
        found = frame(connection, query.order_by(view.c.trial, view.c.replicate, view.c.epoch))
    found.insert(2, "data", spec.get("data", "real"))
    return found


def _require_study(connection: Connection, study_id: str) -> None:
    if connection.scalar(select(StudyRow.id).where(StudyRow.id == study_id)) is None:
        raise NotFoundError(f"no study has the id {study_id!r}")


def _study_rows() -> Select[Any]:
    return (
        select(StudyRow.__table__, SuiteRow.name.label("suite"))
        .join_from(StudyRow, SuiteRow, isouter=True)
        .order_by(StudyRow.created_at.desc(), StudyRow.name, StudyRow.id)
    )


def _studies(connection: Connection, query: Select[Any]) -> tuple[StudyRecord, ...]:
    """Return the studies that the query selects, by four queries however many they are."""
    rows = connection.execute(query).all()
    ids = [row.id for row in rows]
    counted, best = _counted(connection, ids), _best(connection, ids)
    leased = set(
        connection.scalars(select(ArrayRow.study_id).where(ArrayRow.study_id.in_(ids), ~ArrayRow.finished, ~unheld()))
    )
    return tuple(_record(row, counted.get(row.id, ()), best.get(row.id), row.id in leased) for row in rows)


def _counted(connection: Connection, ids: Collection[str]) -> Mapping[str, Sequence[Row[Any]]]:
    query = select(
        RESULTS.c.study_id,
        RESULTS.c.state,
        func.count().label("n"),
        func.sum(case((RESULTS.c.diverged, 1), else_=0)).label("n_diverged"),
        func.sum(RESULTS.c.epochs_done).label("epochs_done"),
        func.max(RESULTS.c.finished_at).label("finished_at"),
    )
    found: dict[str, list[Row[Any]]] = {}
    grouped = query.where(RESULTS.c.study_id.in_(ids)).group_by(RESULTS.c.study_id, RESULTS.c.state)
    for row in connection.execute(grouped):
        found.setdefault(row.study_id, []).append(row)
    return found


def _best(connection: Connection, ids: Collection[str]) -> Mapping[str, Row[Any]]:
    """Return, of each study, the complete trial with the least objective; of equals the first."""
    complete = (RESULTS.c.state == "complete") & RESULTS.c.objective.is_not(None)
    rank = func.row_number().over(partition_by=RESULTS.c.study_id, order_by=(RESULTS.c.objective, RESULTS.c.trial))
    ranked = (
        select(RESULTS.c.study_id, RESULTS.c.trial, RESULTS.c.objective, rank.label("rank"))
        .where(RESULTS.c.study_id.in_(ids), complete)
        .subquery()
    )
    return {row.study_id: row for row in connection.execute(select(ranked).where(ranked.c.rank == 1))}


def _record(row: Row[Any], counted: Sequence[Row[Any]], best: Row[Any] | None, is_leased: bool) -> StudyRecord:
    counts = {group.state: int(group.n) for group in counted}
    state = _state(row.wish, counts, is_leased)
    ended = [group.finished_at for group in counted if group.finished_at is not None]
    is_over = not counts.get("waiting") and not counts.get("running")
    return StudyRecord(
        id=row.id,
        name=row.name,
        suite_id=row.suite_id,
        suite=row.suite,
        state=state,
        spec_json=row.spec,
        n_trials=row.n_trials,
        counts=counts,
        n_diverged=sum(int(group.n_diverged) for group in counted),
        epochs_done=sum(int(group.epochs_done) for group in counted),
        best_trial=None if best is None else best.trial,
        best_objective=None if best is None else best.objective,
        block_width=row.block_width,
        problem=None if is_over else row.problem,  # of a worker that came late, say
        notes=row.notes,
        created_at=_utc(row.created_at),
        finished_at=_utc(max(ended)) if ended and is_over else None,
    )


def _state(wish: str, counts: Mapping[str, int], is_leased: bool) -> str:
    """Return the state of a study: what its user wishes, and how far that is done.

    Args:
        wish: run, pause or cancel.
        counts: trials in each state, replaced ones left out.
        is_leased: whether a worker holds an array of it.
    """
    waiting, running = counts.get("waiting", 0), counts.get("running", 0)
    if wish == "cancel":
        return "cancelling" if running else "cancelled"
    if not waiting and not running:
        return "failed" if counts.get("failed") else "complete"
    if wish == "pause":
        return "pausing" if is_leased else "paused"
    return "running" if waiting < sum(counts.values()) else "waiting"


def _suites(connection: Connection, ids: Collection[str] | None) -> tuple[SuiteRecord, ...]:
    """Return the suites of these ids, or all."""
    suites = select(SuiteRow.__table__).order_by(SuiteRow.created_at.desc(), SuiteRow.name, SuiteRow.id)
    studies = _study_rows().where(StudyRow.suite_id.is_not(None))
    if ids is not None:
        suites, studies = suites.where(SuiteRow.id.in_(ids)), studies.where(StudyRow.suite_id.in_(ids))
    members: dict[str | None, list[StudyRecord]] = {}
    for record in sorted(_studies(connection, studies), key=lambda record: record.name):
        members.setdefault(record.suite_id, []).append(record)
    return tuple(
        SuiteRecord(id=row.id, name=row.name, created_at=_utc(row.created_at), studies=tuple(members.get(row.id, ())))
        for row in connection.execute(suites)
    )


def _utc(time: datetime) -> datetime:
    """Return the time with its zone; SQLite keeps UTC without saying so."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
