"""Connections to the study database: transactions, the database's clock, and one clear line for every failure."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Double, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from studies.errors import InputError, ServiceError

BUSY_TIMEOUT_SECONDS = 30  #: how long SQLite waits for another process's write
CONNECT_TIMEOUT_SECONDS = 10  #: how long PostgreSQL may take to answer
#: How long PostgreSQL lets a client stand still within a transaction, and either side goes without a sign of the other:
#: a client that froze, or whose network went away without a word, would hold its locks for hours.
SILENCE_SECONDS = 30

_BEGIN = "adam_studies_begin"


class now(FunctionElement[float]):
    """The time on the database's clock, in seconds since 1970: an SQL expression."""

    name = "now"
    type = Double()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_on_sqlite(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_on_postgresql(*_: Any, **__: Any) -> str:
    # now() would be the start of the transaction: a claim that waited for a lock would think it still was then
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


@dataclass(frozen=True)
class Database:
    """The study database; may be shared by threads, not by forked processes."""

    url: str = field(repr=False)  #: SQLAlchemy URL, password included
    engine: Engine

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file, else it is a PostgreSQL server."""
        return self.engine.dialect.name == "sqlite"

    @property
    def connect_args(self) -> dict[str, Any]:
        """What any driver's connection to this database takes besides the URL."""
        if self.is_sqlite:
            return {"timeout": BUSY_TIMEOUT_SECONDS}
        return _postgresql_args(self.engine.url)

    @property
    def file(self) -> Path:
        """Where a SQLite database lies."""
        return Path(str(self.engine.url.database))

    @property
    def location(self) -> str:
        """What messages call it: the URL without the password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Return a connection in a transaction that sees the database as it is at its first query.

        Raises:
            ServiceError: the database cannot be used.
        """
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._transaction(**options) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Return a connection in a transaction that may write: committed at the end, undone by an exception.

        SQLite lets one such transaction run at a time; another waits, at most `BUSY_TIMEOUT_SECONDS`.

        Raises:
            ServiceError: the database cannot be used.
            sqlalchemy.exc.IntegrityError: a constraint refuses a row.
        """
        with self._transaction(**{_BEGIN: "BEGIN IMMEDIATE"}) as connection:
            yield connection

    @contextmanager
    def _transaction(self, **options: Any) -> Iterator[Connection]:
        with self.errors(), self.engine.connect() as connection:
            connection.execution_options(**options)
            with connection.begin():
                yield connection

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise the database's failures inside as ServiceError, one line without the password."""
        try:
            yield
        except IntegrityError:
            raise
        except (DBAPIError, PoolTimeoutError) as error:
            raise self.failure(str(error.orig if isinstance(error, DBAPIError) else error)) from error

    def failure(self, reason: str) -> ServiceError:
        """Return the error, one line, that says why the database cannot be used."""
        return ServiceError(f"cannot use the database {self.location}: {' '.join(reason.split())}")

    def close(self) -> None:
        """Close the connections that no one uses; the next transaction opens new ones."""
        self.engine.dispose()


def connect(url: str) -> Database:
    """Return the database at this URL, without connecting yet.

    Raises:
        InputError: the URL cannot be used.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose text would quote the password
        raise InputError(
            "ADAM_STUDIES_DATABASE_URL must look like sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME"
        ) from None
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database.startswith((":memory:", "file:")):
            raise InputError(f"ADAM_STUDIES_DATABASE_URL must name a file after sqlite:///, got {url!r}")
        parsed = parsed.set(database=str(Path(parsed.database).absolute()))
        engine = _sqlite_engine(parsed)
    else:
        engine = create_engine(parsed, pool_pre_ping=True, connect_args=_postgresql_args(parsed))
    return Database(parsed.render_as_string(hide_password=False), engine)


def _postgresql_args(url: URL) -> dict[str, Any]:
    """Return the parameters of a connection, those left out that the URL gives itself."""
    probes = {
        "keepalives_idle": SILENCE_SECONDS // 2,
        "keepalives_interval": SILENCE_SECONDS // 6,
        "keepalives_count": 3,
    }
    session = {
        "idle_in_transaction_session_timeout": 1000 * SILENCE_SECONDS,
        **{f"tcp_{name}": value for name, value in probes.items()},
    }
    given = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        **probes,
        "tcp_user_timeout": 1000 * SILENCE_SECONDS,
        "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
    }
    return {name: value for name, value in given.items() if name not in url.query}


def _sqlite_engine(url: URL) -> Engine:
    # isolation_level None: the driver's own transactions begin late and leave out SELECT and CREATE TABLE
    connect_args = {"timeout": BUSY_TIMEOUT_SECONDS, "isolation_level": None}
    engine = create_engine(url, connect_args=connect_args)

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _: object) -> None:
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            connection.close()  # the pool has not taken it yet
            raise

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

    return engine
