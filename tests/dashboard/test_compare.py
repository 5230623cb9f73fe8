"""The page that compares studies."""

import json
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from studies.analysis.comparison import compare
from studies.analysis.finals import Finals, finals_of
from studies.db.aggregates import ends_frame
from studies.db.engine import Database
from studies.db.queries import find_study, find_suite
from studies.figures import theme
from studies.spec import SuiteSpec
from tests.dashboard.conftest import OpenPage, errors, texts
from tests.factories import insert_study, insert_suite, make_spec, make_suite


def figures(app: AppTest) -> dict[str, dict[str, Any]]:
    """Return the figures by their alternative texts."""
    return {chart.proto.alt: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}


def multi_suite() -> SuiteSpec:
    specs = [
        make_spec(name=f"{optimizer}-{workload}", optimizer=optimizer, workload=workload, n_trials=12, n_seeds=3)
        for workload in ("digits-logistic", "digits-mlp")
        for optimizer in ("adam", "adamax", "rmsprop")
    ]
    return SuiteSpec(suite="two-workloads", studies=tuple(specs))


def finals(db: Database, study_id: str) -> Finals:
    study = find_study(db, study_id)
    return finals_of(
        ends_frame(db, study_id, "train_loss", study.spec.epochs, study.spec.n_seeds),
        "train_loss",
        np.arange(study.n_trials),
    )


def test_nothing_is_chosen(db: Database, open_page: OpenPage) -> None:
    app = open_page("compare")
    assert "Choose a suite, or at least two studies" in app.info[0].value
    assert "adam-studies submit quickstart" in app.info[0].value
    assert not figures(app)


def test_one_study_is_too_few(db: Database, open_page: OpenPage) -> None:
    app = open_page("compare", ids=insert_study(db))
    assert app.info[0].value.startswith("One study is chosen.")


def test_a_link_to_what_is_gone_says_so(db: Database, open_page: OpenPage) -> None:
    app = open_page("compare", ids="s-gone,u-gone")
    assert "No study or suite has the id" in app.warning[0].value
    assert app.multiselect[0].value == []


def test_a_suite_is_compared(db: Database, open_page: OpenPage) -> None:
    suite_id = insert_suite(db, make_suite(n_trials=12, n_seeds=3))
    adam, adamax = find_suite(db, suite_id).studies
    app = open_page("compare", ids=suite_id)
    assert not app.error and not app.warning
    assert app.multiselect[0].value == [suite_id]
    assert app.selectbox(key="compare_reference").value == "Adam"
    expected = compare(finals(db, adamax.id), finals(db, adam.id))
    assert expected is not None and expected.ratio is not None
    (forest,) = [figure for alt, figure in figures(app).items() if alt.startswith("Best settings against")]
    assert forest["data"][0]["y"] == ["AdaMax"]
    assert forest["data"][0]["marker"]["color"] == theme.OPTIMIZER_COLOURS["adamax"]
    assert "ratio to Adam" in forest["layout"]["xaxis"]["title"]["text"]
    best, effects = (app.dataframe[place].value for place in (1, 0))
    assert effects["study"].tolist() == ["AdaMax"] and effects["seeds"].tolist() == ["3"]
    assert effects["ratio"][0].startswith(f"{expected.ratio.value:.3g} (")
    assert effects["wins"][0].startswith(f"{expected.wins.value:.0%} (")
    by_label = best.set_index("study").to_dict("index")
    assert by_label["Adam"]["trial"] == str(adam.best_trial)
    assert by_label["Adam"]["chosen"] == f"{adam.best_objective:.4g}", "the seeds that chose it give no interval"
    assert by_label["AdaMax"]["diverged"] == "0 of 12"
    assert {"epochs to target", "steps to target", "seconds to target", "judged"} <= set(best.columns)


def test_every_figure_has_both_optimizers_in_their_colours(db: Database, open_page: OpenPage) -> None:
    app = open_page("compare", ids=insert_suite(db, make_suite(n_trials=12)))
    lines = {alt: figure for alt, figure in figures(app).items() if not alt.startswith("Best settings against")}
    assert len(lines) == 4
    for figure in lines.values():
        colours = {trace["name"]: trace["line"]["color"] for trace in figure["data"] if trace.get("name")}
        assert colours == {"Adam": theme.OPTIMIZER_COLOURS["adam"], "AdaMax": theme.OPTIMIZER_COLOURS["adamax"]}


def test_the_reference_and_the_choice_stay_in_the_url(db: Database, open_page: OpenPage) -> None:
    suite_id = insert_suite(db, make_suite(n_trials=12))
    app = open_page("compare", ids=suite_id, reference="AdaMax")
    assert app.dataframe[0].value["study"].tolist() == ["Adam"]
    app.selectbox(key="compare_reference").set_value("Adam").run()
    assert app.query_params["reference"] in ("Adam", ["Adam"])
    other = insert_study(db, make_spec(name="third", optimizer="rmsprop", n_trials=12))
    app.session_state["compare_ids"] = [suite_id, other]
    st.cache_data.clear()
    app.run()
    assert app.query_params["ids"] in (f"{suite_id},{other}", [f"{suite_id},{other}"])
    assert app.dataframe[0].value["study"].tolist() == ["AdaMax", "RMSProp"]


def test_several_workloads_have_a_profile_and_a_transfer(db: Database, open_page: OpenPage) -> None:
    app = open_page("compare", ids=insert_suite(db, multi_suite()), workload="digits-mlp")
    assert not app.error
    assert app.selectbox(key="compare_workload").value == "digits-mlp"
    effects = app.dataframe[0].value
    assert sorted(effects["workload"]) == ["digits-logistic"] * 2 + ["digits-mlp"] * 2
    shown = figures(app)
    profile = shown["Share of the problems solved within a factor of the fewest steps"]
    assert {trace["name"] for trace in profile["data"] if trace.get("name")} == {"Adam", "AdaMax", "RMSProp"}
    transfers = [figure for alt, figure in shown.items() if "on other workloads" in alt]
    assert len(transfers) == 3
    assert transfers[0]["data"][0]["x"] == ["digits-logistic", "digits-mlp"]
    assert "×1" in {annotation["text"] for annotation in transfers[0]["layout"]["annotations"]}
    (forest,) = [figure for alt, figure in shown.items() if alt.startswith("Best settings against")]
    pooled = [name for trace in forest["data"] for name in trace["y"] if "all workloads" in name]
    assert len(pooled) == 2


def test_studies_of_different_workloads_alone_cannot_be_paired(db: Database, open_page: OpenPage) -> None:
    one = insert_study(db)
    other = insert_study(db, make_spec(name="mlp", workload="digits-mlp"))
    app = open_page("compare", ids=f"{one},{other}")
    assert app.info[0].value.startswith("Nothing can be paired with Adam")
    assert "A profile needs two optimizers" in app.info[1].value
    assert not app.error


def test_what_is_not_fair_is_said(db: Database, open_page: OpenPage) -> None:
    one = insert_study(db)
    other = insert_study(db, make_spec(name="other", optimizer="adamax", seed=4, n_trials=6))
    app = open_page("compare", ids=f"{one},{other}")
    shown = " ".join(element.value for element in app.warning).replace("\\", "")
    assert "the studies have the seeds 0 and 4" in shown and "differ in their trials (6 to 8)" in shown
    assert app.info[0].value.startswith("Nothing can be paired")


def test_no_trial_is_complete_yet(db: Database, open_page: OpenPage) -> None:
    ids = [insert_study(db, make_spec(name=name, optimizer=name), trials=0) for name in ("adam", "adamax")]
    app = open_page("compare", ids=",".join(ids))
    assert "No trial of these studies is complete yet" in app.info[0].value
    assert "have not ended" in app.warning[0].value
    begun = insert_study(db, make_spec(name="rmsprop", optimizer="rmsprop"))
    app = open_page("compare", ids=f"{ids[0]},{begun}")
    assert any("no trial is complete: adam" in element.value.replace("\\", "") for element in app.warning)


@pytest.mark.parametrize("objective", ["validation_error", "epochs_to_target"])
def test_other_objectives(db: Database, open_page: OpenPage, objective: str) -> None:
    target = {"target": 1.0} if objective == "epochs_to_target" else {}
    app = open_page("compare", ids=insert_suite(db, make_suite(n_trials=12, objective=objective, **target)))
    assert not errors(app)
    assert ("Target: train\\_loss at or below 1" if target else "Target: validation\\_error") in texts(app)


def test_adaptive_samplers_and_single_seeds(db: Database, open_page: OpenPage) -> None:
    app = open_page("compare", ids=insert_suite(db, make_suite(n_trials=12, n_seeds=1)))
    assert "With one seed the figures that chose the settings judge them too" in texts(app)
    assert app.dataframe[0].value["ratio"][0].count("(") == 0
    assert not app.error
