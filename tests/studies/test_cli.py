"""The command: what each prints, to which stream, and its exit code."""

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from studies.cli.main import main
from studies.db import queries
from studies.db.engine import Database, open_database
from studies.optimizers import OPTIMIZERS
from studies.presets import PRESETS
from studies.settings import Settings
from studies.workloads import WORKLOADS
from tests.factories import insert_study, insert_suite, insert_worker, make_spec

Run = Callable[..., Result]


@pytest.fixture
def environ(settings: Settings, tmp_path: Path) -> dict[str, str | None]:
    given: dict[str, str | None] = {name: None for name in os.environ if name.startswith("ADAM_STUDIES_")}
    return {**given, "ADAM_STUDIES_HOME": str(settings.home), "COLUMNS": "100"}


@pytest.fixture
def run(environ: dict[str, str | None]) -> Run:
    """Run the command in a home of its own."""

    def invoke(*arguments: str, **more: str) -> Result:
        return CliRunner().invoke(main, list(arguments), env={**environ, **more})

    return invoke


@pytest.fixture
def db(sqlite_settings: Settings) -> Iterator[Database]:
    """The database that `run` uses, with a live worker."""
    database = open_database(sqlite_settings)
    insert_worker(database, "w-1")
    yield database
    database.close()


def ok(result: Result) -> str:
    assert (result.exit_code, result.stderr) == (0, ""), result.stderr
    return result.stdout


def parsed(result: Result) -> Any:
    return json.loads(ok(result))


def refused(result: Result, code: int = 2) -> str:
    """Return the one line of an error."""
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


# What can be asked for


def test_help_names_every_command(run: Run) -> None:
    shown = ok(run("--help"))
    for name in main.list_commands(click.Context(main)):
        assert f"  {name} " in shown
        if name != "worker":  # becomes the worker's process, whose help it is
            assert ok(run(name, "--help")).startswith(f"Usage: adam-studies {name}")
    assert "..." not in shown.split("Commands:")[1], "every short help fits"
    assert ok(run()) == shown and ok(run("-h")) == shown


def test_version(run: Run) -> None:
    assert ok(run("--version")).startswith("adam-studies, version ")


@pytest.mark.parametrize(
    ("command", "names"), [("workloads", WORKLOADS), ("presets", PRESETS), ("optimizers", OPTIMIZERS)]
)
def test_catalogues(run: Run, command: str, names: dict[str, object]) -> None:
    shown = ok(run(command))
    table = shown.split("\n\n")[0]
    assert [line.split()[0] for line in table.splitlines() if not line.startswith(" ")] == ["NAME", *names]
    assert [entry["name"] for entry in parsed(run(command, "--json"))] == list(names)


def test_data_status(run: Run, settings: Settings) -> None:
    shown = " ".join(ok(run("data", "status", COLUMNS="400")).split())
    assert "mnist missing - mnist-logistic, mnist-mlp, " in shown
    assert f"{settings.home}/data/mnist should hold the original train-images" in shown
    assert "`adam-studies data fetch mnist` gets it" in shown
    found = {dataset["name"]: dataset for dataset in parsed(run("data", "status", "--json"))}
    mnist, digits = found["mnist"], found["digits"]
    assert (mnist["state"], digits["state"], digits["folder"]) == ("missing", "built in", None)
    assert len(mnist["files"]) == 4 and mnist["folder"] == f"{settings.home}/data/mnist"


@pytest.mark.skipif("ADAM_STUDIES_DATA" not in os.environ, reason="the real MNIST lies nowhere")
def test_data_status_of_the_real_mnist(run: Run) -> None:
    found = parsed(run("data", "status", "--json", ADAM_STUDIES_DATA=os.environ["ADAM_STUDIES_DATA"]))
    assert next(dataset for dataset in found if dataset["name"] == "mnist")["state"] == "present"


# What there is


def test_list(run: Run, db: Database) -> None:
    assert ok(run("list")) == "no studies yet; `adam-studies submit quickstart` makes two\n"
    assert parsed(run("list", "--json")) == []
    study_id, suite_id = insert_study(db, make_spec(name="a [red]name[/red]")), insert_suite(db)
    shown = ok(run("list"))
    (line,) = (line for line in shown.splitlines() if line.startswith(study_id))
    assert "a [red]name[/red]" in line and "complete" in line and "8/8" in line
    assert shown.count(suite_id) == 2
    found = {study["id"]: study for study in parsed(run("list", "--json"))}
    record = queries.find_study(db, study_id)
    assert found[study_id]["best_objective"] == record.best_objective
    assert found[study_id]["counts"] == {"complete": 8} and found[study_id]["spec"] == record.spec.to_json()


def test_list_fits_a_narrow_terminal(run: Run, db: Database) -> None:
    insert_suite(db)
    for columns in (80, 120):
        shown = ok(run("list", COLUMNS=str(columns))).splitlines()
        assert max(len(line) for line in shown) <= columns
        assert ("WORKLOAD" in shown[0]) == (columns == 120)


def test_show_study(run: Run, db: Database) -> None:
    study_id = insert_study(db, make_spec(search_space={"beta1": [0.9, 0.99], "epsilon": 1e-8}), diverged=[3])
    shown = [" ".join(line.split()) for line in ok(run("show", study_id)).splitlines()]
    for line in (f"id {study_id}", "state complete", "trials 8: 8 complete; 1 diverged", "beta1 0.9, 0.99"):
        assert line in shown
    assert "alpha 1e-05 to 0.1 (log)" in shown and "epsilon 1e-08" in shown
    best = parsed(run("show", study_id, "--json"))["best"]
    record = queries.find_study(db, study_id)
    assert (best["trial"], best["objective"]["value"]) == (record.best_trial, record.best_objective)


def test_show_suite(run: Run, db: Database) -> None:
    suite_id = insert_suite(db)
    assert ok(run("show", suite_id)).startswith(f"adam-vs-adamax ({suite_id}), submitted 2")
    shown = parsed(run("show", suite_id, "--json"))
    assert shown["id"] == suite_id and [study["name"] for study in shown["studies"]] == ["adam", "adamax"]


def test_watch_ends_with_a_summary(run: Run, db: Database) -> None:
    study_id = insert_study(db, make_spec(n_trials=40), diverged=[3])
    result = run("watch", study_id, COLUMNS="80")
    assert result.exit_code == 0
    assert result.stderr.startswith("adam-on-digits: complete, 40 of 40 trials, best 0.")
    lines = result.stdout.splitlines()
    assert lines[1] == f"Adam on digits-logistic: adam-on-digits ({study_id})"
    labels = [line.split()[0] for line in lines[2:] if line.startswith("  ") and line[2] != " "]
    assert labels == ["trials", "best", "default", "importance", "look"]
    assert max(len(line) for line in lines) <= 80
    assert "40 of 40 complete, 1 of them diverged" in lines[2] and "(the paper's)" in result.stdout
    assert "rank " in result.stdout and "\x1b" not in result.output


@pytest.mark.parametrize(("workload", "counts"), [("digits-vae", False), ("digits-mlp", True)])
def test_errors_are_told_where_they_are_counted(run: Run, db: Database, workload: str, counts: bool) -> None:
    """Not of an autoencoder, whose columns are empty in SQL and in exports too."""
    study_id = insert_study(db, make_spec(workload=workload))
    assert ("test error" in run("watch", study_id).stdout) is counts
    assert "error" not in ok(run("show", study_id))
    assert ok(run("sql", "SELECT count(test_error) > 0 AS n FROM results", "--format", "csv")) == f"n\n{int(counts)}\n"
    frame = pd.read_csv(io.StringIO(ok(run("export", study_id, "--what", "curves"))))
    assert frame["test_error"].notna().all() == counts and frame["test_loss"].notna().all()


@pytest.mark.parametrize(("state", "more"), [("failed", "retry"), ("cancelled", "")])
def test_watch_of_what_did_not_end_well(run: Run, db: Database, state: str, more: str) -> None:
    study_id = insert_study(db, states={2: state})
    if state == "cancelled":
        study_id = insert_study(db, trials=2)
        ok(run("cancel", study_id))
    result = run("watch", study_id)
    assert result.exit_code == 1
    assert f"adam-on-digits ({study_id}) is {state}" in result.stderr and more in result.stderr


# What was found


def test_export_to_stdout(run: Run, db: Database) -> None:
    study_id, suite_id = insert_study(db), insert_suite(db)
    csv = pd.read_csv(io.StringIO(ok(run("export", study_id))))
    assert csv["objective"].tolist() == queries.trials_frame(db, study_id)["objective"].tolist()
    rows = parsed(run("export", suite_id, "--what", "curves", "--format", "json"))
    expected = sum(len(queries.curves_frame(db, study.id)) for study in queries.find_suite(db, suite_id).studies)
    assert len(rows) == expected > 0


def test_export_to_a_file(run: Run, db: Database, tmp_path: Path) -> None:
    study_id, path = insert_study(db), tmp_path / "curves.parquet"
    assert ok(run("export", study_id, "--what", "curves", "--format", "parquet", "-o", str(path))) == ""
    assert len(pd.read_parquet(path)) == len(queries.curves_frame(db, study_id))
    assert "name it by -o FILE" in refused(run("export", study_id, "--format", "parquet"))
    nowhere = tmp_path / "nowhere" / "x.csv"
    assert refused(run("export", study_id, "-o", str(nowhere))) == f"cannot write {nowhere}: No such file or directory"


def test_sql(run: Run, db: Database) -> None:
    insert_study(db)
    query = "SELECT trial, state, objective, test_loss FROM results ORDER BY trial LIMIT 2"
    header, *rows = ok(run("sql", query)).splitlines()
    assert header.split() == ["trial", "state", "objective", "test_loss"] and len(rows) == 2
    assert ok(run("sql", query, "--format", "csv")).startswith("trial,state,objective,test_loss\n0,complete,")
    assert [row["trial"] for row in parsed(run("sql", query, "--format", "json"))] == [0, 1]
    assert ok(run("sql", "SELECT 1 AS one WHERE 1 = 0")) == "no rows\n"
    assert parsed(run("sql", "SELECT 9e999 AS huge, NULL AS absent", "--format", "json")) == [
        {"huge": None, "absent": None}
    ]
    assert "SELECT" in refused(run("sql", "DELETE FROM result_trials"))
    assert "no such table: nowhere" in refused(run("sql", "SELECT * FROM nowhere"))


def test_sql_says_when_there_is_more(run: Run, db: Database) -> None:
    query = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) SELECT i FROM n"
    result = run("sql", query)
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1001)
    assert result.stderr == "only the first 1000 rows are shown; add LIMIT, or take --format csv\n"
    assert len(ok(run("sql", query, "--format", "csv")).splitlines()) == 1501


# What is wished


def test_submit_prints_the_id_and_nothing_else(run: Run, db: Database, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(make_spec().to_json()))
    study_id = ok(run("submit", str(path), "--set", "n_trials=4", "--set", "search_space.alpha=[0.001, 0.01]")).strip()
    spec = queries.find_study(db, study_id).spec
    assert (spec.n_trials, spec.search_space["alpha"]) == (4, (0.001, 0.01))
    suite_id = ok(run("submit", "quickstart")).strip()
    assert len(queries.find_suite(db, suite_id).studies) == 2


def test_submit_without_a_worker_keeps_the_study_and_says_so(run: Run, settings: Settings) -> None:
    result = run("submit", "quickstart")
    assert result.exit_code == 0 and result.stdout.startswith("u-")
    where = open_database(settings).location
    assert result.stderr == (
        f"warning: no live worker has been seen in {where}, so the study waits: `adam-studies up` starts some\n"
    )
    assert len(queries.list_studies(open_database(settings))) == 2


def test_submit_warns_of_a_space_without_the_default(run: Run, db: Database) -> None:
    result = run("submit", "quickstart", "--set", "search_space.alpha=0.5")
    assert result.exit_code == 0 and result.stdout.startswith("u-")
    first, second = result.stderr.splitlines()
    assert first.startswith("warning: adam-on-digits: the search space does not contain the paper's defaults")
    assert second.startswith("warning: adamax-in-max-on-digits: ")


def test_submit_with_redis_out_of_reach(run: Run, db: Database) -> None:
    result = run("submit", "quickstart", ADAM_STUDIES_BROKER_URL="redis://:secret@127.0.0.1:1/0")
    assert result.exit_code == 0 and result.stdout.startswith("u-")
    (line,) = result.stderr.splitlines()
    assert line.startswith("warning: cannot reach Redis at redis://:**@127.0.0.1:1/0: ")
    assert len(queries.list_studies(db)) == 2


def test_wishes(run: Run, db: Database) -> None:
    study_id = ok(run("submit", "quickstart")).strip()

    def states() -> set[str]:
        return {study.state for study in queries.find_suite(db, study_id).studies}

    assert ok(run("pause", study_id)) == f"pausing {study_id}\n" and states() == {"paused"}
    assert ok(run("resume", study_id)) == f"resumed {study_id}\n" and states() == {"waiting"}
    assert ok(run("extend", study_id, "--trials", "2")) == f"added 2 trials to {study_id}\n"
    assert {study.n_trials for study in queries.find_suite(db, study_id).studies} == {66}
    assert ok(run("cancel", study_id)) == f"cancelling {study_id}\n" and states() == {"cancelled"}
    assert "was cancelled" in refused(run("resume", study_id))
    assert ok(run("delete", study_id)) == f"deleted {study_id}\n" and queries.list_studies(db) == ()


def test_retry(run: Run, db: Database) -> None:
    study_id = insert_study(db, states={2: "failed"})
    assert ok(run("retry", study_id)) == f"1 failed trial of {study_id} will run again\n"
    assert queries.find_study(db, study_id).counts == {"complete": 7, "waiting": 1}


def test_db_upgrade(run: Run, settings: Settings) -> None:
    assert ok(run("db", "upgrade")).startswith("the database is at revision ")
    assert (settings.home / "studies.db").exists()


def test_db_upgrade_prepares_postgresql(run: Run, postgres_url: str) -> None:
    assert refused(run("list", ADAM_STUDIES_DATABASE_URL=postgres_url), code=1).endswith(
        "run `adam-studies db upgrade`"
    )
    ok(run("db", "upgrade", ADAM_STUDIES_DATABASE_URL=postgres_url))
    assert parsed(run("list", "--json", ADAM_STUDIES_DATABASE_URL=postgres_url)) == []
