"""Maps of two hyperparameters on a study's page, and what a surrogate says once it is asked for."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from studies.analysis.sensitivity import sensitivity
from studies.analysis.targets import target_times
from studies.analysis.times import with_steps_to_target
from studies.analysis.trials import complete_trials
from studies.db.aggregates import reached_frame
from studies.db.engine import Database
from studies.db.queries import find_study, trials_frame
from tests.dashboard.conftest import OpenPage
from tests.factories import insert_study, make_spec


def titles(app: AppTest) -> list[str]:
    """Return the title of the first x axis of each figure."""
    specs: list[dict[str, Any]] = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return [spec["layout"].get("xaxis", {}).get("title", {}).get("text", "") for spec in specs]


def test_maps_are_shown_and_a_surrogate_is_asked_on_demand(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, make_spec(n_trials=40))
    app = open_page("study", id=study_id, section="Sensitivity")
    assert "Two at a time" in [header.value for header in app.subheader]
    n_before = len(titles(app))
    assert not any("variance" in title for title in titles(app))
    app.toggle(key="surrogate").set_value(True).run()
    assert not app.exception
    study = find_study(db, study_id)
    found = sensitivity(study.spec, complete_trials(study.spec, trials_frame(db, study_id)))
    share, r2 = found.good_volume.share, found.r2
    assert share is not None and r2 is not None
    assert len(titles(app)) == n_before + 2
    assert any("share of the variance" in title for title in titles(app))
    caption = next(one.value for one in app.caption if "The surrogate, a Gaussian" in one.value)
    assert f"{r2:.0%} of the variance" in caption and f"{share.value:.1%} of the search space" in caption


@pytest.mark.parametrize("n_trials", [1, 8])
def test_few_trials_say_what_is_missing(db: Database, open_page: OpenPage, n_trials: int) -> None:
    study_id = insert_study(db, make_spec(n_trials=n_trials))
    app = open_page("study", id=study_id, section="Sensitivity")
    app.toggle(key="surrogate").set_value(True).run()
    assert not app.exception
    assert any(f"A surrogate needs {30 - n_trials} more complete trials" in one.value for one in app.info)


def test_the_time_to_target_is_explained_where_it_is_asked_for(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, make_spec(n_trials=40))
    app = open_page("study", id=study_id, section="Sensitivity", explain="time to target")
    assert not app.exception
    study = find_study(db, study_id)
    target = 1.1 * (study.best_objective or 0.0)
    times = target_times(reached_frame(db, study_id, "train_loss", target))
    table = with_steps_to_target(complete_trials(study.spec, trials_frame(db, study_id)), times)
    assert 0 < table.missed.sum() < len(table)
    specs: list[dict[str, Any]] = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    said = [note["text"] for spec in specs for note in spec["layout"].get("annotations", ())]
    assert "target missed" in said
    names = [trace.get("name") for spec in specs for trace in spec["data"]]
    assert f"missed the target ({table.missed.sum()} of {len(table)} trials)" in names
    assert "steps to the target" in [spec["layout"]["yaxis"].get("title", {}).get("text") for spec in specs]
    assert any("is later than every other" in one.value for one in app.caption)
