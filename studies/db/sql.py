"""Queries that a user writes, run so that the database itself refuses to change anything."""

import math
import re
import sqlite3
import time
from contextlib import closing
from itertools import count
from urllib.parse import quote

import pandas as pd
import psycopg
from psycopg.types.numeric import FloatLoader

from studies.db.connection import BUSY_TIMEOUT_SECONDS, Database
from studies.errors import AdamStudiesError, InputError

TIME_LIMIT_SECONDS = 60.0

_SPACE_OR_COMMENT = re.compile(r"(?:[\s(]|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
_READING = ("select", "with", "values")
_ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
_STEPS_PER_LOOK = 10_000  #: instructions of SQLite's machine between two looks at the clock
_QUERY_AT_FAULT = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE)

_Result = tuple[list[str], list[tuple[object, ...]]]


def run_sql(database: Database, text: str, limit: int, time_limit_seconds: float = TIME_LIMIT_SECONDS) -> pd.DataFrame:
    """Return at most `limit` rows of one SELECT; `attrs["truncated"]` of the frame says whether there are more.

    Raises:
        InputError: the text is not one SELECT, the database refuses it, or it takes too long.
        ServiceError: the database cannot be used.
    """
    start = _SPACE_OR_COMMENT.match(text)
    word = re.compile(r"\w*").match(text, start.end() if start else 0)
    if word is None or word[0].lower() not in _READING or "\x00" in text:
        raise InputError(f"the query must be one SELECT, got {text[:60]!r}")
    query = _query_sqlite if database.is_sqlite else _query_postgresql
    names, rows = query(database, text, limit, time_limit_seconds)
    frame = pd.DataFrame.from_records(rows[:limit], columns=_unique(names))
    frame.attrs["truncated"] = len(rows) > limit
    return frame


def _unique(names: list[str]) -> list[str]:
    """Return the names of columns, those that came before with a number behind: a join has many twice."""
    seen: set[str] = set()
    for place, name in enumerate(names):
        candidates = (name if number == 1 else f"{name}_{number}" for number in count(1))
        names[place] = next(candidate for candidate in candidates if candidate not in seen)
        seen.add(names[place])
    return names


def _query_sqlite(database: Database, text: str, limit: int, seconds: float) -> _Result:
    deadline = time.monotonic() + seconds
    uri = f"file:{quote(str(database.engine.url.database))}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.set_authorizer(_authorize)
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_PER_LOOK)
            cursor = connection.execute(text)
            rows = cursor.fetchmany(limit + 1)
            return [column[0] for column in cursor.description], rows
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:  # a Warning: there are two statements
        raise _sqlite_error(database, error, seconds) from None


def _authorize(action: int, *_: object) -> int:
    """Refuse ATTACH and PRAGMA, the ways around a read-only connection."""
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _sqlite_error(database: Database, error: Exception, seconds: float) -> AdamStudiesError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_INTERRUPT:
        return _too_slow(seconds)
    if code == sqlite3.SQLITE_AUTH:
        return InputError("the query was refused: it may only read")
    return _refused(str(error)) if code in _QUERY_AT_FAULT else database.failure(str(error))


def _query_postgresql(database: Database, text: str, limit: int, seconds: float) -> _Result:
    with database.read() as connection:  # a transaction that is READ ONLY
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        cursor = driver.cursor()
        cursor.adapters.register_loader("numeric", FloatLoader)
        try:
            cursor.execute(f"SET LOCAL statement_timeout = {math.ceil(1000 * seconds)}".encode())
            cursor.execute("SET LOCAL TIME ZONE 'UTC'")
            # a text that is prepared must be one statement, and that of a cursor must be a SELECT
            cursor.execute(f"DECLARE answer NO SCROLL CURSOR FOR {text}".encode(), prepare=True)
            rows = cursor.execute(f"FETCH {limit + 1} FROM answer".encode()).fetchall()
        except psycopg.errors.QueryCanceled:
            raise _too_slow(seconds) from None
        except (psycopg.Error, ValueError) as error:
            reason = error.diag.message_primary if isinstance(error, psycopg.Error) else None
            failure = database.failure if driver.closed else _refused
            raise failure(reason or str(error)) from None
        return [column.name for column in cursor.description or ()], rows


def _too_slow(seconds: float) -> InputError:
    return InputError(f"the query was stopped: it may take at most {seconds:g} seconds")


def _refused(reason: str) -> InputError:
    return InputError(f"the query was refused: {' '.join(reason.split())}")
