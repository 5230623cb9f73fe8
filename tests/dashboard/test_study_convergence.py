"""The sections of a study's page that tell how fast trials get there, what becomes of them, and how large steps are."""

import base64
from typing import Any

import numpy as np
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from studies.analysis.fates import divergence, trial_survival
from studies.analysis.step_diagnostics import step_diagnostics
from studies.analysis.targets import of_trials, target_summary, target_times
from studies.db.aggregates import diverged_frame, reached_frame
from studies.db.engine import Database
from studies.db.models import DiagnosticsRow
from studies.db.queries import diagnostics_frame, find_study, trials_frame
from tests.dashboard.conftest import OpenPage, texts
from tests.dashboard.test_study import figures
from tests.factories import insert_study, make_spec


def _figure(app: AppTest, name: str) -> dict[str, Any]:
    keys = [chart.key for chart in app.get("plotly_chart")]
    (place,) = [index for index, key in enumerate(keys) if key is not None and key.endswith(f"-{name}")]
    return figures(app)[place]


def _told(app: AppTest) -> str:
    return texts(app).replace("\\", "")


def _numbers(values: Any) -> list[float]:
    """Return the numbers of an array as Plotly sends it: packed, or as a list where it is short."""
    if isinstance(values, dict):
        found: list[float] = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist()
        return found
    return [float(value) for value in values]


def test_time_to_target_in_each_unit(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, make_spec(n_trials=40), diverged=[2])
    study = find_study(db, study_id)
    assert study.best_objective is not None
    target = 1.1 * study.best_objective
    times = target_times(reached_frame(db, study_id, "train_loss", target))
    app = open_page("study", id=study_id, section="Convergence")
    assert f"Target: train_loss at or below {target:.4g}, within 10 % of the best objective" in _told(app)
    for unit in ("steps", "seconds", "epochs"):
        app = open_page("study", id=study_id, section="Convergence", time=unit)
        assert app.button_group(key="time").value == unit
        line = _figure(app, f"target-{unit}")["data"][-1]
        survival = of_trials(times).survival(unit)
        assert set(survival.times) <= set(_numbers(line["x"]))
        assert np.isclose(_numbers(line["y"])[-1], 1 - survival.share[-1])
    rows = app.dataframe[0].value
    assert rows["of"].tolist() == ["40 trials", "2 seeds", "2 seeds"]
    best = target_summary(times.of_trial(int(study.best_trial or 0)))
    assert rows["steps"][1].startswith(f"{best.steps.value:.3g}") and rows["missed"][1].startswith("0%")


def test_a_target_of_the_spec_is_taken(db: Database, open_page: OpenPage) -> None:
    spec = make_spec(objective="epochs_to_target", target=0.5)
    app = open_page("study", id=insert_study(db, spec), section="Convergence")
    assert "at or below 0.5, which the spec sets" in _told(app)


def test_no_target_without_a_complete_trial(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, trials=2, states={0: "running", 1: "running"})
    app = open_page("study", id=study_id, section="Convergence")
    assert not app.error and app.info[0].value.startswith("No target can be set")


def test_survival_and_divergence(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, make_spec(n_trials=40), states={5: "pruned", 6: "failed"}, diverged=[1, 2, 3])
    study, trials = find_study(db, study_id), trials_frame(db, study_id)
    app = open_page("study", id=study_id, section="Convergence")
    survival = trial_survival(trials, diverged_frame(db, study_id))
    line = _figure(app, "survival")["data"][-1]
    assert np.isclose(_numbers(line["y"])[-1], survival.share[-1])
    assert "Of 40 trials that began 3 diverged and 1 were pruned." in _told(app)
    assert "1 pruned ones are left out" in _told(app)
    found = divergence(study.spec, trials)
    panels = _figure(app, "divergence")["data"]
    assert len(panels) == len(found.axes) == 4
    for panel, axis in zip(panels, found.axes, strict=True):
        assert _numbers(panel["y"]) == axis.share.share.tolist()
    overall = found.overall
    assert overall.low is not None and overall.high is not None
    assert f"In all {overall.value:.0%} ({overall.low:.0%} to {overall.high:.0%}) of 39 trials" in _told(app)


def test_diagnostics(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, make_spec(diagnostics=True))
    names = ("epsilon_share", "update_norm", "weight_norm", "gradient_norm")
    rows = [
        {"study_id": study_id, "trial": trial, "replicate": seed, "epoch": epoch, **dict.fromkeys(names, 1.0)}
        | {"max_step": 0.1 * (trial + 1), "signal_to_noise": 1 / (epoch + seed)}
        for trial in range(8)
        for seed in range(2)
        for epoch in range(1, 6)
    ]
    with db.write() as connection:
        connection.execute(insert(DiagnosticsRow), rows)
    app = open_page("study", id=study_id, section="Diagnostics")
    found = step_diagnostics(diagnostics_frame(db, study_id), trials_frame(db, study_id))
    drawn = {trace.get("name"): trace for trace in _figure(app, "steps")["data"]}
    assert _numbers(drawn["largest step, median"]["y"]) == found.max_step.median.tolist()
    assert _numbers(drawn["signal-to-noise ratio, median"]["y"]) == found.signal_to_noise.median.tolist()
    assert "over 16 replicates until they diverge" in _told(app)
    assert f"{found.above_paper:.1%} of the updates exceed the paper's bound" in _told(app)


def test_without_diagnostics_it_is_said_how_to_get_them(db: Database, open_page: OpenPage) -> None:
    app = open_page("study", id=insert_study(db), section="Diagnostics")
    assert "`diagnostics: true`" in app.info[0].value and not figures(app)


def test_of_many_trials_some_are_read(db: Database, open_page: OpenPage, monkeypatch: Any) -> None:
    """Those that are drawn one by one are among them, and it is said that they are some."""
    monkeypatch.setattr("dashboard.components.study_data._MAX_ROWS", 120)  # 10 trials
    study_id = insert_study(db, make_spec(n_trials=40))
    app = open_page("study", id=study_id)
    names = {trace.get("name", "") for trace in _figure(app, "convergence")["data"]}
    (median,) = [name for name in names if name.startswith("median of")]
    n = int(median.split()[2])
    assert 10 <= n <= 14 and median == f"median of {n} of 40 trials"
    assert {f"best (trial {find_study(db, study_id).best_trial})", "paper's default (trial 0)"} <= names
    assert f"The {n} trials were drawn at random" in _told(app)


def test_the_data_of_figures_can_be_downloaded(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, make_spec(n_trials=40))
    keys = {
        "Overview": {"convergence.csv", "importance.csv"},
        "Convergence": {"target-steps.csv", "survival.csv", "divergence.csv", "times-to-target.parquet"},
        "Sensitivity": {"sensitivity.csv", "pairs.csv"},
        "Trials": {"trials.csv", "trials.parquet", "curves.csv", "curves.parquet"},
    }
    for section, names in keys.items():
        app = open_page("study", id=study_id, section=section)
        assert {f"{study_id}-{name}" for name in names} <= {button.key for button in app.get("download_button")}
