"""Insertion that leaves rows alone which are there already, on SQLite and PostgreSQL alike."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from studies.db.models import Base


def insert_missing(connection: Connection, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows whose keys are new; there is at least one row."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)
