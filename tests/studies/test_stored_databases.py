"""Databases that past versions wrote: each is upgraded, keeps what it held, and works on."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import optuna
import pandas as pd
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pandas.testing import assert_frame_equal
from sqlalchemy import insert, make_url, text

from studies.db import claims, migrations
from studies.db.connection import Database, connect
from studies.db.engine import open_database
from studies.db.migrate import VERSION_TABLE, current_revision, head_revision, is_ours, upgrade
from studies.db.models import Base, TrajectoryRow
from studies.db.queries import curves_frame, find_study, list_studies, trajectories_frame, trials_frame
from studies.db.submissions import extend
from studies.db.workers import WorkerIdentity
from studies.errors import ServiceError
from studies.settings import Settings

FOLDER = Path(__file__).parent / "stored_databases"
REVISIONS = sorted(
    script.revision for script in ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions()
)[:-1]
WORKER = WorkerIdentity("w-new", "node-1", 1, "CPU", False, "node-1:/checkpoints")


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=REVISIONS)
def revision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stored(revision: str, kind: str, settings: Settings, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Return settings whose database is one that the version of this revision wrote."""
    script = (FOLDER / f"{revision}-{kind}.sql").read_text("utf-8")
    settings.home.mkdir()
    if kind == "sqlite":
        with closing(sqlite3.connect(settings.home / "studies.db")) as connection:
            connection.executescript(script)
        yield settings
        return
    url = request.getfixturevalue("postgres_url")
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        connection.execute(script.encode())
    yield replace(settings, database_url=url)


@pytest.fixture
def old(stored: Settings, revision: str) -> Iterator[Database]:
    """Return the stored database as it is."""
    database = connect(stored.database_url)
    assert current_revision(database) == revision != head_revision()
    yield database
    database.close()


def read(database: Database, view: str) -> pd.DataFrame:
    with database.read() as connection:
        rows = connection.execute(text(f"select * from {view} order by study_id, trial"))
        return pd.DataFrame(rows.all(), columns=list(rows.keys()))


def test_every_past_revision_is_stored() -> None:
    assert {path.name for path in FOLDER.glob("*.sql")} == {
        f"{revision}-{kind}.sql" for revision in REVISIONS for kind in ("sqlite", "postgresql")
    }


def test_an_upgrade_keeps_all_that_was_found(old: Database, stored: Settings) -> None:
    before = {view: read(old, view) for view in ("results", "curves")}
    assert upgrade(stored) == head_revision() == current_revision(old)
    for view, frame in before.items():
        assert_frame_equal(read(old, view)[list(frame.columns)], frame)
    trials = trials_frame(old)
    assert trials["state"].value_counts().to_dict() == {"complete": 4, "waiting": 2}
    assert (trials["data"] == "real").all() and trials["objective"].notna().sum() == 4
    assert len(before["curves"]) == 4 * 3
    with old.read() as connection:
        options = {"include_name": is_ours, "compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []


def test_an_upgraded_database_works_on(stored: Settings, old: Database) -> None:
    upgrade(stored)
    database = open_database(stored)
    names = {study.name: study.id for study in list_studies(database)}
    assert set(names) == {"adam's", "adamax", "waiting"}
    extend(database, [names["waiting"]], 2)
    held = claims.claim(database, names["waiting"], WORKER, lanes=100)
    assert held is not None and [trial.number for trial in held.trials] == [0, 1, 2, 3]
    position = {"study_id": names["adamax"], "trial": 1, "replicate": 0, "epoch": 1, "x": 0.25, "y": None}
    with database.write() as connection:
        connection.execute(insert(TrajectoryRow).values(**position))
    found = trajectories_frame(database, names["adamax"])
    assert found[["trial", "epoch", "x"]].to_numpy().tolist() == [[1, 1, 0.25]]
    assert len(curves_frame(database, names["adam's"])) == 2 * 3
    storage = optuna.storages.RDBStorage(database.url, skip_table_creation=True)
    mirrored = optuna.load_study(study_name=find_study(database, names["adam's"]).optuna_name, storage=storage)
    assert [trial.value for trial in mirrored.trials] == trials_frame(database, names["adam's"])["objective"].tolist()
    storage.engine.dispose()
    database.close()


def test_views_of_users_are_named_or_go_on(old: Database, stored: Settings, kind: str) -> None:
    with old.write() as connection:
        connection.execute(text("create view mine as select study_id, trial, objective from results"))
        connection.execute(text("create view mine_too as select * from mine"))
    if kind == "postgresql" and (refusal := _refusal(stored)):
        assert re.fullmatch(
            r"cannot upgrade the database \S+, which is as it was: view mine depends on view results; view mine_too "
            r"depends on view mine\. Keep the definitions .* create it again",
            refusal,
        )
        assert len(read(old, "results")) == len(read(old, "mine_too")) == 6
        with old.write() as connection:
            connection.execute(text("drop view mine_too, mine"))
    else:
        assert upgrade(stored) == head_revision()
        assert len(read(old, "mine_too")) == 6
    assert upgrade(stored) == head_revision()
    assert len(read(old, "results")) == 6


def _refusal(settings: Settings) -> str:
    try:
        upgrade(settings)
    except ServiceError as error:
        return str(error)
    return ""


def test_a_revision_of_the_future_is_refused(old: Database, stored: Settings) -> None:
    with old.write() as connection:
        connection.execute(text(f"update {VERSION_TABLE} set version_num = '9999'"))
    for refused in (open_database, upgrade):
        with pytest.raises(ServiceError, match=r"^the database .* is at revision 9999, which this version .* newer"):
            refused(stored)
