"""The migrated schema: as the models say, beside Optuna's, safe to make twice, refused when it is too new."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, inspect, text, update

from studies.db import migrations, submissions
from studies.db.connection import connect
from studies.db.engine import Database, open_database
from studies.db.migrate import VERSION_TABLE, current_revision, head_revision, is_ours, upgrade
from studies.db.models import Base, EpochRow, StudyRow, TrajectoryRow
from studies.db.queries import curves_frame, trajectories_frame, trials_frame
from studies.db.views import CURVES_COLUMNS, DIAGNOSTICS_COLUMNS, RESULTS_COLUMNS, TRAJECTORIES_COLUMNS
from studies.errors import ServiceError
from studies.settings import Settings
from tests.factories import insert_study, make_spec

# DESIGN: the two views of the public surface, with validation_error after validation_loss
RESULTS = """study_id, study, suite, workload, data, optimizer, trial, state, diverged, is_default, alpha, beta1,
    beta2, epsilon, bias_correction, other, objective_name, objective, objective_std, n_seeds, epochs_done, train_loss,
    validation_loss, validation_error, test_loss, test_error, seconds, device, started_at, finished_at, error"""
CURVES = """study_id, study, trial, replicate, epoch, steps, train_loss, validation_loss, validation_error, test_loss,
    test_error, seconds, diverged"""
DIAGNOSTICS = """study_id, study, trial, replicate, epoch, steps, max_step, signal_to_noise, epsilon_share, update_norm,
    weight_norm, gradient_norm"""
TRAJECTORIES = "study_id, study, trial, replicate, epoch, steps, x, y"


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Return settings whose database is empty, or does not exist yet."""
    if request.param == "sqlite":
        return settings
    return replace(settings, database_url=request.getfixturevalue("postgres_url"))


@pytest.fixture
def bare(bare_settings: Settings) -> Iterator[Database]:
    """Return the database of `bare_settings` as it is, not upgraded."""
    bare_settings.home.mkdir()
    database = connect(bare_settings.database_url)
    yield database
    database.close()


def test_the_models_and_the_migrated_schema_agree(database: Database) -> None:
    options = {"include_name": is_ours, "compare_type": True, "compare_server_default": True}
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_the_comparison_would_notice_a_difference(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("alter table result_workers add column colour text"))
        connection.execute(text("drop index ix_result_trials_state"))
    with database.read() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"include_name": is_ours}), Base.metadata)
    assert {difference[0] for difference in found} == {"remove_column", "add_index"}


def test_every_table_of_ours_is_in_the_models(database: Database) -> None:
    ours = {name for name in inspect(database.engine).get_table_names() if name.startswith("result_")}
    assert ours == {*Base.metadata.tables, VERSION_TABLE}


@pytest.mark.parametrize(
    ("view", "columns", "ours"),
    [
        ("results", RESULTS, RESULTS_COLUMNS),
        ("curves", CURVES, CURVES_COLUMNS),
        ("diagnostics", DIAGNOSTICS, DIAGNOSTICS_COLUMNS),
        ("trajectories", TRAJECTORIES, TRAJECTORIES_COLUMNS),
    ],
)
def test_the_views_have_the_published_columns(
    database: Database, view: str, columns: str, ours: tuple[str, ...]
) -> None:
    published = [name.strip() for name in columns.split(",")]
    with database.read() as connection:
        assert list(connection.execute(text(f"select * from {view}")).keys()) == published
    assert list(ours) == published


def test_an_upgrade_makes_optunas_tables_too(bare: Database, bare_settings: Settings) -> None:
    assert current_revision(bare) is None
    assert upgrade(bare_settings) == head_revision() == current_revision(bare)
    storage = optuna.storages.RDBStorage(bare.url, skip_table_creation=True)
    assert optuna.get_all_study_names(storage) == []
    storage.engine.dispose()


def test_a_second_upgrade_changes_nothing(database: Database, settings: Settings) -> None:
    study_id = insert_study(database)
    settings = replace(settings, database_url=database.url)
    assert upgrade(settings) == head_revision()
    open_database(settings).close()
    with database.read() as connection:
        assert connection.execute(text("select id from result_studies")).scalars().all() == [study_id]


def test_tables_that_optuna_made_before_stay(bare: Database, bare_settings: Settings) -> None:
    storage = optuna.storages.RDBStorage(bare.url)
    optuna.create_study(storage=storage, study_name="theirs")
    upgrade(bare_settings)
    assert optuna.get_all_study_names(storage) == ["theirs"]
    storage.engine.dispose()


def test_a_newer_database_is_refused(database: Database, settings: Settings) -> None:
    with database.write() as connection:
        connection.execute(text(f"update {VERSION_TABLE} set version_num = '9999'"))
    settings = replace(settings, database_url=database.url)
    for refused in (open_database, upgrade):
        with pytest.raises(
            ServiceError, match=r"is at revision 9999, which this version .* does not know: install a newer"
        ):
            refused(settings)


def test_a_failing_upgrade_leaves_no_table_of_ours(bare: Database, bare_settings: Settings) -> None:
    with bare.write() as connection:
        connection.execute(text("create table curves (x integer)"))  # in the way of the last statement
    with pytest.raises(ServiceError, match=r"cannot use the database .*curves.* already exists"):
        upgrade(bare_settings)
    assert [name for name in inspect(bare.engine).get_table_names() if name.startswith("result_")] == []
    with bare.write() as connection:
        connection.execute(text("drop table curves"))
    assert upgrade(bare_settings) == head_revision()


def test_a_process_killed_while_it_upgrades_is_made_good(settings: Settings, tmp_path: Path) -> None:
    code = "import sys; from studies.db.migrate import upgrade; from studies.settings import Settings;"
    code += "print('ready', flush=True); upgrade(Settings.from_environ())"
    for index, delay in enumerate((0.0, 0.05, 0.15)):
        home = tmp_path / str(index)
        environ = {**os.environ, "ADAM_STUDIES_HOME": str(home)}
        process = subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process, process.stdout:
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        database = open_database(Settings.from_environ({"ADAM_STUDIES_HOME": str(home)}))
        insert_study(database, trials=0)
        database.close()


def test_the_upgrade_says_nothing(
    bare_settings: Settings, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        upgrade(bare_settings)
    assert capfd.readouterr() == ("", "")
    assert caplog.messages == []


def test_values_of_the_spec_in_the_views_are_typed(database: Database) -> None:
    study_id = insert_study(database, trials=0)
    with database.read() as connection:
        row = connection.execute(
            text(
                "select workload, optimizer, objective_name, n_seeds, n_seeds + 1 as more, epochs_done from results"
                " where study_id = :id and bias_correction and trial = 0"
            ),
            {"id": study_id},
        ).one()
    assert tuple(row) == ("digits-logistic", "adam", "train_loss", 2, 3, 0)


def test_a_database_of_revision_0002_keeps_its_studies(bare: Database, bare_settings: Settings) -> None:
    """Their specs know no `data`, and so theirs are real."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with bare.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    assert current_revision(bare) == "0002"
    spec = make_spec(n_trials=2, search_space={"alpha": [0.1, 0.01]})
    study_id = submissions.insert_study(bare, spec)
    figures = {"steps": 12, "train_loss": 0.5, "seconds": 1.0, "diverged": False}
    with bare.write() as connection:
        old = {key: value for key, value in spec.to_json().items() if key != "data"}
        connection.execute(update(StudyRow).values(spec=old))
        connection.execute(insert(EpochRow).values(study_id=study_id, trial=1, replicate=0, epoch=1, **figures))
    assert upgrade(bare_settings) == head_revision() == "0004"
    trials, curves = trials_frame(bare, study_id), curves_frame(bare, study_id)
    assert (trials["data"] == "real").all() and (trials["optimizer"] == "adam").all()
    assert curves[["trial", "epoch", "train_loss"]].to_numpy().tolist() == [[1, 1, 0.5]]
    assert trajectories_frame(bare, study_id).empty
    position = {"study_id": study_id, "trial": 1, "replicate": 0, "epoch": 1, "x": 0.25, "y": None}
    with bare.write() as connection:
        connection.execute(insert(TrajectoryRow).values(**position))
    found = trajectories_frame(bare, study_id)
    assert found[["trial", "epoch", "steps", "x"]].to_numpy().tolist() == [[1, 1, 12, 0.25]]
    assert found["y"].isna().all()


def test_synthetic_data_are_told_in_the_results(database: Database) -> None:
    spec = make_spec(workload="mnist-logistic", data="synthetic", n_trials=2)
    study_id = submissions.insert_study(database, spec)
    assert (trials_frame(database, study_id)["data"] == "synthetic").all()
