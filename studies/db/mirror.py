"""Optuna's tables: the same studies, for Optuna's own tools.

Trials are added in order of their numbers, each once all before it are final, in one call and with its final state.
So Optuna's numbers are ours, the number of trials there says what is missing, and adding is idempotent under a lock
that dies with its holder. No transaction of ours is open while Optuna is called: on SQLite the two would lock each
other out.
"""

import fcntl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import optuna
import psycopg
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy import Row, func, select, update
from sqlalchemy.pool import StaticPool

from studies.db.connection import Database
from studies.db.history import intermediate_values
from studies.db.models import StudyRow, TrialRow
from studies.samplers import PastTrial, frozen_trial, quiet
from studies.search_space import distributions
from studies.spec import StudySpec

FINAL_STATES = ("complete", "pruned", "failed", "cancelled")
MIRROR_LOCK = zlib.crc32(b"adam-studies mirror")  #: PostgreSQL's advisory lock on writing to Optuna's tables
_BATCH = 50


def mirror(db: Database, study_id: str, wait: bool = False) -> None:
    """Add to Optuna's study what it lacks; while another process does so, leave it to it, or wait."""
    while _pending(db, study_id):
        with _locked_storage(db, wait) as storage:
            if storage is None:
                return  # its holder looks again after it has let go of the lock
            row = _pending(db, study_id)  # once more: the study may have been deleted meanwhile
            if row is None:
                return
            _add_missing(db, storage, row)


def unmirrored_studies(db: Database) -> list[str]:
    """Return the ids of the studies that have something to add."""
    with db.read() as connection:
        return list(connection.execute(select(StudyRow.id).where(_next_is_final())).scalars())


def forget(db: Database, optuna_name: str) -> None:
    """Delete the study from Optuna's tables."""
    with _locked_storage(db, wait=True) as storage, suppress(KeyError):  # nothing of it was mirrored
        assert storage is not None, "it was waited for"
        storage.delete_study(storage.get_study_id_from_name(optuna_name))


def _next_is_final() -> Any:
    following = select(TrialRow.number).where(
        TrialRow.study_id == StudyRow.id, TrialRow.number == StudyRow.n_mirrored, TrialRow.state.in_(FINAL_STATES)
    )
    return following.exists()


def _pending(db: Database, study_id: str) -> Row[Any] | None:
    with db.read() as connection:
        return connection.execute(select(StudyRow.__table__).where(StudyRow.id == study_id, _next_is_final())).first()


def _add_missing(db: Database, storage: RDBStorage, row: Row[Any]) -> None:
    spec = StudySpec.stored(row.spec)
    study_name = f"{row.name}-{row.id}"
    is_new = False
    with quiet():
        try:
            study = optuna.load_study(study_name=study_name, storage=storage)
        except KeyError:
            study, is_new = optuna.create_study(study_name=study_name, storage=storage), True
    if "id" not in study.user_attrs:
        for key, value in {**row.spec, "id": row.id}.items():
            study.set_user_attr(key, value)
    n_mirrored = _count_mirrored(storage, study_name, 0 if is_new else row.n_mirrored)
    while batch := _final_prefix(db, row.id, n_mirrored):
        values = intermediate_values(db, row.id, spec, [trial.number for trial in batch])
        study.add_trials([_optuna_trial(trial, spec, values.get(trial.number, {})) for trial in batch])
        n_mirrored += len(batch)
        _set_mirrored(db, row.id, n_mirrored)
    _set_mirrored(db, row.id, n_mirrored)


def _count_mirrored(storage: RDBStorage, study_name: str, n_known: int) -> int:
    """Return how many trials Optuna has: at least those that we know of, and those of a holder that died since.

    To have Optuna count would read all of them, each time that some are added.
    """
    optuna_id = storage.get_study_id_from_name(study_name)
    with suppress(KeyError):
        while True:
            storage.get_trial_id_from_study_id_trial_number(optuna_id, n_known)
            n_known += 1
    return n_known


def _set_mirrored(db: Database, study_id: str, n_mirrored: int) -> None:
    with db.write() as connection:
        connection.execute(update(StudyRow).where(StudyRow.id == study_id).values(n_mirrored=n_mirrored))


def _final_prefix(db: Database, study_id: str, first: int) -> list[Row[Any]]:
    """Return the next trials, up to the first that is not final."""
    with db.read() as connection:
        rows = connection.execute(
            select(TrialRow.__table__)
            .where(TrialRow.study_id == study_id, TrialRow.number >= first, TrialRow.number < first + _BATCH)
            .order_by(TrialRow.number)
        ).all()
    unfinished = next((i for i, row in enumerate(rows) if row.state not in FINAL_STATES), len(rows))
    return list(rows[:unfinished])


def _optuna_trial(row: Row[Any], spec: StudySpec, intermediate: dict[int, float]) -> FrozenTrial:
    attrs = {
        "state": row.state,
        "diverged": row.diverged,
        "is_default": row.is_default,
        "objective_std": row.objective_std,
        "test_error": row.test_error,
        "error": row.error,
    }
    trial = frozen_trial(
        PastTrial(row.number, row.state, row.params, row.objective, {}),
        distributions(spec.search_space),
        user_attrs={key: value for key, value in attrs.items() if value is not None},
        intermediate_values=intermediate,
    )
    trial.datetime_start = row.started_at or row.finished_at
    trial.datetime_complete = row.finished_at
    return trial


@contextmanager
def _locked_storage(db: Database, wait: bool) -> Iterator[RDBStorage | None]:
    """Open Optuna's tables under the one lock on writing to them; None if another has it. It dies with its holder.

    On PostgreSQL Optuna writes through the very connection that holds the lock, and through no other: whoever loses
    the lock, because that connection is cut, cannot write any more.
    """
    if db.is_sqlite:
        with Path(f"{db.file}.mirror-lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                with _optuna_storage(db, connect_args=db.connect_args) as storage:
                    yield storage
        return
    with db.errors(), db.engine.connect() as connection:
        connection.detach()  # it is not for others afterwards: closing it lets go of the lock
        lock = func.pg_advisory_lock if wait else func.pg_try_advisory_lock
        locked = connection.execute(select(lock(MIRROR_LOCK))).scalar_one()
        connection.commit()
        if locked is False:
            yield None
            return
        given = [connection.connection.dbapi_connection]

        def give() -> object:
            if not given:
                raise psycopg.OperationalError("the connection that held the lock on Optuna's tables was lost")
            return given.pop()

        try:
            with _optuna_storage(db, poolclass=StaticPool, creator=give) as storage:
                yield storage
        finally:
            connection.invalidate()  # Optuna's engine has closed it


@contextmanager
def _optuna_storage(db: Database, **engine_kwargs: Any) -> Iterator[RDBStorage]:
    try:
        with db.errors():
            storage = RDBStorage(
                db.url, engine_kwargs=engine_kwargs, skip_compatibility_check=True, skip_table_creation=True
            )
        try:
            yield storage
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except StorageInternalError as error:
        raise db.failure(str(error.__cause__ or error)) from error
