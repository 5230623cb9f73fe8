"""The page of one study."""

import json
from typing import Any

import pandas as pd
import pytest
import yaml
from streamlit.testing.v1 import AppTest

from studies.analysis.summary import summarise
from studies.db.engine import Database, open_database
from studies.db.queries import curves_frame, find_study, find_suite, list_studies, trials_frame
from studies.db.submissions import wish
from studies.spec import parse
from tests.dashboard.conftest import OpenPage, errors, texts
from tests.factories import insert_study, insert_suite, make_spec


def figures(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def trace_names(figure: dict[str, Any]) -> set[str]:
    return {trace.get("name", "") for trace in figure["data"]}


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label.replace("\\", ""): metric.value for metric in app.metric}


def test_head(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, trials=6, states={4: "running", 5: "failed"}, diverged=[1])
    app, study = open_page("study", id=study_id), find_study(db, study_id)
    assert app.title[0].value == r"adam\-on\-digits"
    shown = metrics(app)
    assert "min" not in shown.pop("Since submit")
    assert shown == {
        f"Best train_loss (trial {study.best_trial})": f"{study.best_objective:.4g}",
        "Trials ended": "5 / 8",
        "Diverged": "1",
        "Failed": "1",
    }
    assert ":blue-badge[:material/play_arrow: running]" in texts(app)
    assert app.session_state[f"head_{study_id}"] is True


def test_summary_and_figures(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, make_spec(n_trials=40), diverged=[2])
    study = find_study(db, study_id)
    found = summarise(study, trials_frame(db, study_id), curves_frame(db, study_id))
    assert found.best is not None and found.default_rank is not None
    app = open_page("study", id=study_id)
    table = app.table[0].value
    assert table["trial"].tolist() == [str(found.best.trial), "0"]
    assert table["rank"][0] == "1"
    assert table["rank"][1].startswith(f"{found.default_rank.rank} of 40, beats ")
    assert table["objective"][0] == f"{found.best.objective.value:.5g}"
    assert table["95 % interval"][0] == "none: its seeds chose it" and found.best.objective.low is None
    assert table["α"][1] == "0.001" and table["β2"][1] == "0.999"
    for line in found.where_to_look:
        assert line in texts(app).replace("\\", "")
    convergence, importance = figures(app)
    assert {f"best (trial {found.best.trial})", "paper's default (trial 0)"} <= trace_names(convergence)
    assert importance["data"][0]["type"] == "bar" and len(importance["data"][0]["y"]) == 4
    assert app.session_state[f"head_{study_id}"] is app.session_state[f"overview_{study_id}"] is False
    sensitivity, maps = figures(open_page("study", id=study_id, section="Sensitivity"))
    assert {trace["type"] for trace in maps["data"]} == {"heatmap", "scatter"}
    assert f"best (trial {found.best.trial})" in trace_names(sensitivity)
    assert any(name.startswith("diverged") for name in trace_names(sensitivity))


def test_importances_say_how_many_trials_are_missing(db: Database, open_page: OpenPage) -> None:
    app = open_page("study", id=insert_study(db))
    assert "Importances need 22 more complete trials" in texts(app)
    assert len(figures(app)) == 1


def test_nothing_recorded_yet(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, trials=0)
    for section in ("Overview", "Convergence", "Sensitivity", "Diagnostics"):
        app = open_page("study", id=study_id, section=section)
        assert app.info[0].value.startswith("Nothing is recorded yet")
        assert not figures(app)
    app = open_page("study", id=study_id, section="Trials")
    assert app.dataframe[0].value["state"].tolist() == ["waiting"] * 8


@pytest.mark.parametrize("spec", [{"n_trials": 1, "n_seeds": 1}, {"n_trials": 8}])
def test_few_or_only_diverged_trials(db: Database, open_page: OpenPage, spec: dict[str, int]) -> None:
    study_id = insert_study(db, make_spec(**spec), diverged=range(spec["n_trials"]) if "n_seeds" not in spec else ())
    app = open_page("study", id=study_id)
    assert not app.error
    assert app.table[0].value["trial"][0] == str(find_study(db, study_id).best_trial)
    for section, n_figures in (("Overview", 1), ("Convergence", 3), ("Sensitivity", 2)):
        app = open_page("study", id=study_id, section=section)
        assert not app.error and len(figures(app)) == n_figures


def test_trials_table(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, states={3: "failed"}, diverged=[1])
    frame = trials_frame(db, study_id).set_index("trial")
    app = open_page("study", id=study_id, section="Trials")
    table = app.dataframe[0].value
    assert sorted(table["trial"]) == list(range(8))
    assert table["objective"].dropna().is_monotonic_increasing
    shown = table.set_index("trial")
    assert shown.loc[0, "remark"] == "default" and shown.loc[1, "remark"] == "diverged"
    assert (shown["remark"] != "").sum() == 2
    assert shown.loc[3, "state"] == "failed"
    assert shown["alpha"].sort_index().tolist() == frame["alpha"].tolist()
    assert shown["test_error"].sort_index().dropna().tolist() == (100 * frame["test_error"]).dropna().tolist()
    assert "validation_loss" not in table, "columns in which nothing stands are left out"


@pytest.mark.parametrize(("workload", "counts"), [("digits-vae", False), ("digits-mlp", True)])
def test_errors_are_shown_where_they_are_counted(
    db: Database, open_page: OpenPage, workload: str, counts: bool
) -> None:
    """Not of an autoencoder: neither as a column of dashes nor as 0 %."""
    study_id = insert_study(db, make_spec(workload=workload, objective="validation_loss"))
    app = open_page("study", id=study_id)
    assert not app.error
    assert ("test error" in app.table[0].value) is counts
    app = open_page("study", id=study_id, section="Trials")
    columns = set(app.dataframe[0].value)
    assert {"validation_loss", "test_loss"} <= columns
    assert ({"validation_error", "test_error"} & columns != set()) is counts


def test_other_parameters(db: Database, open_page: OpenPage) -> None:
    """A study of RMSProp: its own parameters, its options, and whose the default is."""
    space = {"momentum": [0.0, 0.9], "weight_decay": 1e-4}
    spec = make_spec(optimizer="rmsprop", search_space=space, options={"centered": True}, n_trials=40)
    study_id = insert_study(db, spec)
    app = open_page("study", id=study_id)
    assert not app.error
    assert "epsilon_mode outside · centered · weight_decay_mode l2 · α/√t per step" in texts(app).replace("\\", "")
    assert {"α", "ρ", "μ", "ε", "weight decay"} <= set(app.table[0].value)
    assert "Torch's default is not among the ended trials." in texts(app), "it has no weight decay"
    app = open_page("study", id=study_id, section="Trials")
    shown = app.dataframe[0].value.set_index("trial").sort_index()
    others = pd.DataFrame(trials_frame(db, study_id)["other"].tolist())
    for name in ("rho", "momentum", "weight_decay"):
        assert shown[name].tolist() == others[name].tolist()
    assert "beta1" not in shown and "bias_correction" not in shown
    sensitivity = figures(open_page("study", id=study_id, section="Sensitivity"))[0]
    titles = [axis["title"]["text"] for key, axis in sensitivity["layout"].items() if key.startswith("xaxis")]
    assert titles == ["α (log)", "1 − ρ (log)", "1 − μ", "ε (log)"]


def test_bias_correction(db: Database, open_page: OpenPage) -> None:
    spec = make_spec(search_space={"bias_correction": [True, False]}, n_trials=40)
    study_id = insert_study(db, spec)
    app = open_page("study", id=study_id, section="Trials")
    shown = app.dataframe[0].value.set_index("trial").sort_index()["bias_correction"]
    assert shown.tolist() == trials_frame(db, study_id)["bias_correction"].tolist()
    app = open_page("study", id=study_id)
    assert set(app.table[0].value["bias correction"]) <= {"true", "false"}
    assert "paper's default" in app.table[0].value[""].tolist()


def test_spec_is_shown_as_it_was_submitted(db: Database, open_page: OpenPage) -> None:
    spec = make_spec(search_space={"alpha": [0.1, 0.01], "epsilon": 1e-8}, sampler="random")
    app = open_page("study", id=insert_study(db, spec), section="Notes and spec")
    assert parse(yaml.safe_load(app.code[0].value)) == spec


def test_postgresql_shows_the_same(
    request: pytest.FixtureRequest, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = request.getfixturevalue("postgresql_settings")
    monkeypatch.setenv("ADAM_STUDIES_HOME", str(settings.home))
    monkeypatch.setenv("ADAM_STUDIES_DATABASE_URL", settings.database_url)
    database = open_database(settings)
    app = open_page("study", id=insert_study(database), section="Convergence")
    assert metrics(app)["Trials ended"] == "8 / 8"
    assert len(figures(app)) == 3 and not app.error
    database.close()


def test_unknown_study(db: Database, open_page: OpenPage) -> None:
    app = open_page("study", id="s-<b>")
    assert errors(app) == ["no study has the id 's-<b>'. It may have been deleted."]
    assert [link.value for link in app.page_link] == ["All studies"]


def test_no_study(db: Database, open_page: OpenPage) -> None:
    app = open_page("study")
    assert app.info[0].value.startswith("Choose a study from the list")


def test_suite(db: Database, open_page: OpenPage) -> None:
    suite_id = insert_suite(db)
    app = open_page("study", id=suite_id)
    assert [link.value for link in app.page_link] == ["All studies", "adam", "adamax", "Compare"]
    first = find_suite(db, suite_id).studies[0]
    app = open_page("study", id=first.id)
    assert [link.value for link in app.page_link] == ["All studies", "adamax", "Compare"]
    assert errors(open_page("study", id="u-none")) == ["no suite has the id 'u-none'"]


def test_retry(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, states={2: "failed", 3: "failed"})
    app = open_page("study", id=study_id)
    assert {button.label for button in app.button} == {"Retry 2 trials", "Add 4 trials", "Delete for good"}
    app.button(key=f"retry_{study_id}").click().run()
    assert find_study(db, study_id).counts == {"complete": 6, "waiting": 2}


def test_extend(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db)
    app = open_page("study", id=study_id)
    app.number_input(key=f"more_{study_id}").set_value(5).run()
    app.button(key=f"add_{study_id}").click().run()
    study = find_study(db, study_id)
    assert (study.n_trials, study.state) == (13, "running")
    assert metrics(app)["Trials ended"] == "8 / 13"


def test_a_grid_cannot_be_extended(db: Database, open_page: OpenPage) -> None:
    space = {"alpha": [0.1, 0.01], "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    spec = make_spec(sampler="grid", n_trials=2, search_space=space)
    app = open_page("study", id=insert_study(db, spec))
    assert {button.label for button in app.button} == {"Delete for good"}


def test_delete_leads_home(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, trials=3)
    app = open_page("study", id=study_id)
    app.button(key=f"delete_{study_id}").click().run()
    assert list_studies(db) == ()
    assert app.title[0].value == "Studies"
    assert not app.error


def test_buttons_follow_the_state(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, trials=2, states={1: "running"})
    labels = {button.label for button in open_page("study", id=study_id).button}
    assert labels == {"Pause", "Cancel for good", "Delete for good"}
    wish(db, study_id, "pause")
    labels = {button.label for button in open_page("study", id=study_id).button}
    assert labels == {"Resume", "Cancel for good", "Delete for good"}
