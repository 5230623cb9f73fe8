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
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy import Row, func, select, text, update

from studies.db.connection import Database
from studies.db.history import intermediate_values
from studies.db.models import StudyRow, TrialRow
from studies.samplers import PastTrial, frozen_trial, quiet
from studies.search_space import distributions
from studies.spec import StudySpec

FINAL_STATES = ("complete", "pruned", "failed", "cancelled")
_BATCH = 50


def mirror(db: Database, study_id: str, wait: bool = False) -> None:
    """Add to Optuna's study what it lacks; while another process does so, leave it to it, or wait."""
    while _pending(db, study_id):
        with _lock(db, wait) as locked:
            if not locked:
                return  # its holder looks again after it has let go of the lock
            row = _pending(db, study_id)  # once more: the study may have been deleted meanwhile
            if row is None:
                return
            with _optuna_storage(db) as storage:
                _add_missing(db, storage, row)


def unmirrored_studies(db: Database) -> list[str]:
    """Return the ids of the studies that have something to add."""
    with db.read() as connection:
        return list(connection.execute(select(StudyRow.id).where(_next_is_final())).scalars())


def forget(db: Database, optuna_name: str) -> None:
    """Delete the study from Optuna's tables."""
    with _lock(db, wait=True), _optuna_storage(db) as storage, suppress(KeyError):  # nothing of it was mirrored
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
    with quiet():
        try:
            study = optuna.load_study(study_name=study_name, storage=storage)
        except KeyError:
            study = optuna.create_study(study_name=study_name, storage=storage)
    if "id" not in study.user_attrs:
        for key, value in {**row.spec, "id": row.id}.items():
            study.set_user_attr(key, value)
    n_mirrored = len(study.get_trials(deepcopy=False))
    while batch := _final_prefix(db, row.id, n_mirrored):
        values = intermediate_values(db, row.id, spec, [trial.number for trial in batch])
        study.add_trials([_optuna_trial(trial, spec, values.get(trial.number, {})) for trial in batch])
        n_mirrored += len(batch)
        _set_mirrored(db, row.id, n_mirrored)
    _set_mirrored(db, row.id, n_mirrored)


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
def _optuna_storage(db: Database) -> Iterator[RDBStorage]:
    given = {"connect_args": db.connect_args}
    try:
        with db.errors():
            storage = RDBStorage(db.url, engine_kwargs=given, skip_compatibility_check=True, skip_table_creation=True)
        try:
            yield storage
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except StorageInternalError as error:
        raise db.failure(str(error.__cause__ or error)) from error


@contextmanager
def _lock(db: Database, wait: bool) -> Iterator[bool]:
    """Hold the one lock on writing to Optuna's tables; yields whether it was had. It dies with its holder."""
    if db.is_sqlite:
        with Path(f"{db.engine.url.database}.mirror-lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        return
    key = zlib.crc32(b"adam-studies mirror")
    with db.errors(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if wait:
            connection.execute(select(func.pg_advisory_lock(key)))
        locked = wait or connection.execute(select(func.pg_try_advisory_lock(key))).scalar_one()
        try:
            yield locked
        finally:
            if locked:
                connection.execute(text("select pg_advisory_unlock(:key)"), {"key": key})
