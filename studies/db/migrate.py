"""The tables and views of the study database, brought to the newest revision by Alembic.

Optuna keeps its tables in the same database, under Alembic too: ours have a version table of their own.
"""

import fcntl
import logging
import sqlite3
from collections.abc import Iterator, MutableMapping
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from psycopg.errors import DependentObjectsStillExist
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from studies.db.connection import BUSY_TIMEOUT_SECONDS, Database, connect
from studies.errors import ServiceError
from studies.settings import Settings

logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every connection

VERSION_TABLE = "result_alembic_version"

_ADVISORY_LOCK = 0x6164616D  # "adam": one upgrade of a PostgreSQL database at a time


def upgrade(settings: Settings) -> str:
    """Create or upgrade the tables of the database, Optuna's included; return the revision that it then has.

    Raises:
        InputError: the URL cannot be used.
        ServiceError: the database cannot be reached or used, or is newer than this version.
    """
    database = connect(settings.database_url)
    try:
        bring_up_to_date(database)
    finally:
        database.close()
    return head_revision()


def bring_up_to_date(database: Database) -> None:
    """Create or upgrade the tables if they are not of the newest revision; processes may call it at once.

    Raises:
        ServiceError: the database cannot be reached or used, or is newer than this version.
    """
    if database.is_sqlite:
        _make_folder(database)
    if is_up_to_date(database):
        return
    with _one_at_a_time(database):
        if not is_up_to_date(database):
            # Optuna's first, so that our revision in the database means that they are there too
            _create_optuna_tables(database)
            _create_our_tables(database)


def is_up_to_date(database: Database) -> bool:
    """Return whether the tables are those that this version knows.

    Raises:
        ServiceError: the database cannot be reached or used, or is newer than this version.
    """
    current = current_revision(database)
    if current is not None and current not in _known_revisions():
        raise ServiceError(
            f"the database {database.location} is at revision {current}, which this version of adam-studies "
            f"(revision {head_revision()}) does not know: install a newer version"
        )
    return current == head_revision()


def current_revision(database: Database) -> str | None:
    """Return the revision of the tables in the database; None before they were created."""
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return context.get_current_revision()


@cache
def head_revision() -> str:
    """Return the newest revision that this version knows."""
    return _known_revisions()[0]


def is_ours(name: str | None, kind: str, parents: MutableMapping[Any, str | None]) -> bool:
    """Return whether Alembic should compare this object of the database: Optuna's tables are none of its business."""
    table = name if kind == "table" else parents.get("table_name")
    return table is None or (table.startswith("result_") and table != VERSION_TABLE)


@cache
def _known_revisions() -> tuple[str, ...]:
    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _make_folder(database: Database) -> None:
    folder = database.file.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServiceError(f"cannot create the folder {folder} of the database: {error.strerror}") from None


@contextmanager
def _one_at_a_time(database: Database) -> Iterator[None]:
    if not database.is_sqlite:
        with database.write() as connection:
            # the transaction that holds the lock stays idle for as long as others do the work
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            yield
        return
    path = database.file
    path = path.with_name(f"{path.name}.lock")
    try:
        lock = path.open("w")
    except OSError as error:
        raise ServiceError(f"cannot create {path} beside the database: {error.strerror}") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _use_write_ahead_log(database)
        yield


def _use_write_ahead_log(database: Database) -> None:
    """Let readers and the one writer of a SQLite file work at once; the file remembers it."""
    try:
        with closing(sqlite3.connect(database.file, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise database.failure(str(error)) from None


def _create_optuna_tables(database: Database) -> None:
    engine_kwargs = {"connect_args": {"timeout": BUSY_TIMEOUT_SECONDS}} if database.is_sqlite else {}
    with database.errors():
        try:
            storage = RDBStorage(database.url, engine_kwargs=engine_kwargs)
        except (RuntimeError, StorageInternalError) as error:
            raise database.failure(f"Optuna: {error}") from error
    storage.remove_session()
    storage.engine.dispose()


def _create_our_tables(database: Database) -> None:
    config = _config()
    with database.write() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except DBAPIError as error:
            if isinstance(error.orig, DependentObjectsStillExist):
                raise _in_the_way(database, error.orig) from error
            raise


def _in_the_way(database: Database, error: DependentObjectsStillExist) -> ServiceError:
    """Return the error that names what users built on a view of ours: PostgreSQL lets nobody make that view anew."""
    found = "; ".join((error.diag.message_detail or str(error)).splitlines())
    return ServiceError(
        f"cannot upgrade the database {database.location}, which is as it was: {found}. Keep the definitions "
        "(pg_get_viewdef), drop what depends on the views of adam-studies, upgrade, then create it again"
    )
