"""Parameters without a column of their own, and truths, on every surface: the same on SQLite and PostgreSQL."""

import csv
import io
import json
from contextlib import closing
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from sqlalchemy import text, update

from studies.cli.main import main
from studies.client import Client
from studies.db import claims, leases, submissions, workers
from studies.db.engine import Database, open_database
from studies.db.mirror import mirror
from studies.db.models import StudyRow, TrialRow
from studies.db.queries import find_study, trials_frame
from studies.db.sql import run_sql
from studies.export import render
from studies.samplers import draw_adaptive, draw_settings
from studies.settings import Settings
from studies.spec import StudySpec, parse
from tests.factories import fill_study, insert_study, make_spec
from tests.studies.test_mirror import load

WORKER = workers.WorkerIdentity("w-1", "node-1", 1, "cpu", is_gpu=False, store="a")
RMSPROP: dict[str, Any] = {"optimizer": "rmsprop", "search_space": {"momentum": [0.0, 0.9], "weight_decay": 1e-4}}
ADAM: dict[str, Any] = {"search_space": {"bias_correction": [True, False], "beta1_decay": [1.0, 0.99999999]}}


def specs() -> list[StudySpec]:
    given = [(RMSPROP, "random"), (ADAM, "random"), (ADAM, "tpe")]
    return [make_spec(**keys, sampler=sampler, n_trials=6) for keys, sampler in given]


@pytest.mark.parametrize("spec", specs()[:2], ids=["rmsprop", "adam"])
def test_a_worker_gets_the_settings_that_were_drawn(database: Database, spec: StudySpec) -> None:
    held = claims.claim(database, submissions.insert_study(database, spec), WORKER, 100)
    assert held is not None
    assert [trial.setting for trial in held.trials] == draw_settings(spec)


def test_an_adaptive_samplers_settings_come_back(database: Database) -> None:
    spec = specs()[2]
    study_id = submissions.insert_study(database, spec)
    held = claims.claim(database, study_id, WORKER, 100)
    assert held is not None
    drawn = dict(zip([1, 2, 3], draw_adaptive(spec, [], [1, 2, 3]), strict=True))
    leases.set_settings(database, held, spec, drawn)
    leases.release(database, held)
    again = claims.claim(database, study_id, replace(WORKER, id="w-2"), 100)
    assert again is not None
    settings = {trial.number: trial.setting for trial in again.trials}
    assert {number: settings[number] for number in drawn} == {number: one.setting for number, one in drawn.items()}


def test_a_retried_trial_keeps_its_setting(database: Database) -> None:
    study_id = insert_study(database, specs()[0], states={2: "failed"})
    before = trials_frame(database, study_id).set_index("trial")
    submissions.retry_failed(database, [study_id])
    after = trials_frame(database, study_id).set_index("trial")
    assert after["other"][6] == before["other"][2] and after["alpha"][6] == before["alpha"][2]


def test_views_and_frames(database: Database) -> None:
    rmsprop, adam = (insert_study(database, spec) for spec in specs()[:2])
    others = trials_frame(database, rmsprop)["other"]
    settings = draw_settings(specs()[0])
    expected = [{name: setting[name] for name in ("rho", "momentum", "weight_decay")} for setting in settings]
    assert others.tolist() == expected
    frame = trials_frame(database, adam)
    drawn = draw_settings(specs()[1])
    assert frame["bias_correction"].tolist() == [setting["bias_correction"] for setting in drawn]
    assert frame["other"].tolist() == [{"beta1_decay": setting["beta1_decay"]} for setting in drawn]
    with database.read() as connection:
        count = f"SELECT count(*) FROM results WHERE study_id = '{adam}' AND bias_correction"
        assert connection.execute(text(count)).scalar() == sum(setting["bias_correction"] for setting in drawn)
    found = run_sql(database, f"SELECT other FROM results WHERE study_id = '{rmsprop}' ORDER BY trial", 10)["other"]
    assert [json.loads(one) if isinstance(one, str) else one for one in found] == expected


def test_exports(database: Database) -> None:
    study_id = insert_study(database, specs()[1])
    frame = trials_frame(database, study_id)
    truths, others = frame["bias_correction"].tolist(), frame["other"].tolist()
    assert set(truths) == {True, False}
    rows = list(csv.DictReader(io.StringIO(render(trials_frame(database, study_id), "csv").decode())))
    assert [row["bias_correction"] for row in rows] == [str(value) for value in truths]
    assert [json.loads(row["other"]) for row in rows] == others
    objects = json.loads(render(trials_frame(database, study_id), "json"))
    assert [(row["bias_correction"], row["other"]) for row in objects] == list(zip(truths, others, strict=True))
    parquet = pd.read_parquet(io.BytesIO(render(trials_frame(database, study_id), "parquet")))
    assert parquet["bias_correction"].tolist() == truths
    assert [json.loads(other) for other in parquet["other"]] == others


def test_the_client_shows_whole_settings(sqlite_settings: Settings) -> None:
    client = Client(sqlite_settings)
    for spec in specs()[:2]:
        study_id = submissions.insert_study(client.database, spec)
        fill_study(client.database, study_id)
        best = client.study(study_id).best
        assert best is not None
        assert best.setting == draw_settings(spec)[best.trial]
        assert {name: type(value) for name, value in best.setting.items()} == {
            name: bool if name == "bias_correction" else float for name in spec.search_space
        }
    client.close()


def command(settings: Settings, *arguments: str) -> str:
    """Return what the command prints, where it ends well."""
    environ = {"ADAM_STUDIES_HOME": str(settings.home), "COLUMNS": "200"}
    result = CliRunner().invoke(main, list(arguments), env=environ)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_show_says_the_whole_rule(sqlite_settings: Settings) -> None:
    space = {"momentum": {"low": 0.5, "high": 0.9999}, "weight_decay": 1e-4}
    options = {"centered": True, "weight_decay_mode": "decoupled"}
    schedule = {"alpha": "step-decay", "factor": 0.5, "every": 3, "per": "epoch"}
    spec = make_spec(optimizer="rmsprop", search_space=space, options=options, schedule=schedule)
    with closing(open_database(sqlite_settings)) as database:
        study_id = insert_study(database, spec)
    lines = [" ".join(line.split()) for line in command(sqlite_settings, "show", study_id).splitlines()]
    rule = "optimizer rmsprop, epsilon_mode outside, centered, weight_decay_mode decoupled, α × 0.5 every 3 epochs"
    assert {rule, "momentum 0.5 to 0.9999 (log1m)", "weight_decay 0.0001"} <= set(lines)


def test_the_command_shows_truths_as_they_are_written(sqlite_settings: Settings) -> None:
    with closing(open_database(sqlite_settings)) as database:
        study_id = insert_study(database, specs()[1])
    lines = [" ".join(line.split()) for line in command(sqlite_settings, "show", study_id).splitlines()]
    assert "bias_correction true, false" in lines
    best = json.loads(command(sqlite_settings, "show", study_id, "--json"))["best"]["setting"]["bias_correction"]
    assert f"bias_correction {str(best).lower()}" in lines
    exported = json.loads(command(sqlite_settings, "export", study_id, "--format", "json"))
    assert {row["bias_correction"] for row in exported} == {True, False}


def test_optuna_sees_them_by_their_names(database: Database) -> None:
    for spec, names in zip(specs()[:2], (("one_minus_momentum", "one_minus_rho"), ("bias_correction",)), strict=True):
        study_id = insert_study(database, spec)
        mirror(database, study_id)
        trials = load(database, study_id)
        assert len(trials) == 6 and set(names) <= set(trials[0].params)
        assert "weight_decay" not in trials[0].params, "a constant"
        if "bias_correction" in names:
            assert [trial.params["bias_correction"] for trial in trials] == [
                setting["bias_correction"] for setting in draw_settings(spec)
            ]


def test_a_study_of_before_goes_on(database: Database) -> None:
    """Its stored spec lacks the keys that were added since."""
    study_id = insert_study(database, make_spec(n_trials=4), trials=2)
    spec = find_study(database, study_id).spec
    old = {key: value for key, value in spec.to_json().items() if key not in ("options", "diagnostics")}
    with database.write() as connection:
        connection.execute(update(StudyRow).values(spec={**old, "schedule": {"alpha": "inverse-sqrt", "per": "step"}}))
        connection.execute(update(TrialRow).values(bias_correction=None, other=None))
    assert find_study(database, study_id).spec == spec == parse(spec.to_json())
    held = claims.claim(database, study_id, WORKER, 100)
    assert held is not None and held.trials[0].setting == draw_settings(spec)[2]
    submissions.extend(database, [study_id], 2)
    assert find_study(database, study_id).n_trials == 6
    assert trials_frame(database, study_id)["bias_correction"].all()
