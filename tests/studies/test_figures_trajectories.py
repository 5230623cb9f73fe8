"""Trajectories and regret: which trials are shown, where they go, and over what."""

import numpy as np
import pandas as pd
import pytest

from studies.db.records import StudyRecord
from studies.figures import theme
from studies.figures.picks import picks
from studies.figures.regret import regret_data, regret_figure
from studies.figures.trajectories import contours, trajectories_data, trajectories_figure
from studies.surfaces import SURFACES
from tests.factories import make_spec
from tests.studies.frames import make_record, trials_of

DEFAULT = {"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
OBJECTIVES = (5.0, 0.2, 1.0, 3.0, 300.0)  #: of trials 0 (the default) to 4, which diverged


def _study(workload: str) -> tuple[StudyRecord, pd.DataFrame]:
    spec = make_spec(workload=workload, n_trials=5, n_seeds=2, epochs=4)
    rows = [
        {**DEFAULT, "alpha": DEFAULT["alpha"] * 10**trial, "objective": objective, "diverged": trial == 4}
        for trial, objective in enumerate(OBJECTIVES)
    ]
    return make_record(spec), trials_of(spec, rows)


def _trajectories(has_y: bool) -> pd.DataFrame:
    """Each trial goes its own way; the second replicate of trial 4 ends early."""
    rows = [
        {"trial": trial, "replicate": seed, "epoch": epoch, "steps": 10 * epoch, "x": trial + seed / 10, "y": epoch}
        for trial in range(5)
        for seed in range(2)
        for epoch in range(2 if (trial, seed) == (4, 1) else 5)
    ]
    frame = pd.DataFrame(rows).astype({"y": "float64"})
    return frame if has_y else frame.assign(y=np.nan)


def _curves() -> pd.DataFrame:
    rows = [
        {"trial": trial, "replicate": seed, "epoch": epoch, "steps": 100 * epoch, "train_loss": 8.0 * (1 + seed)}
        for trial in range(5)
        for seed in range(2)
        for epoch in range(5)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(train_loss=frame["train_loss"] / np.sqrt(frame["steps"].clip(lower=1)))


def test_the_trials_shown_are_the_best_the_default_a_diverged_and_the_median() -> None:
    found = picks(*_study("surface-ravine"))
    assert [(pick.role, pick.trial) for pick in found] == [("best", 1), ("default", 0), ("diverged", 4), ("median", 3)]
    assert found[1].label == "paper's default (trial 0)"


def test_a_trial_with_two_roles_is_shown_once() -> None:
    record, trials = _study("surface-ravine")
    first = trials[trials["trial"].isin([0, 3])]
    assert [(pick.role, pick.trial) for pick in picks(record, first)] == [("best", 3), ("default", 0)]
    alone = trials[trials["trial"] == 0]
    assert [(pick.role, pick.trial) for pick in picks(record, alone)] == [("best", 0)]


def test_ways_over_a_surface() -> None:
    record, trials = _study("surface-ravine")
    data = trajectories_data(record, trials, _trajectories(has_y=True))
    best, _, diverged, _ = data.paths
    assert (best.x.tolist(), best.y.tolist(), best.steps.tolist()) == ([1.0] * 5, [0, 1, 2, 3, 4], [0, 10, 20, 30, 40])
    assert diverged.x.tolist() == [4.1, 4.1], "of the seed that diverged"
    figure = trajectories_figure(data)
    ground, *ways, start, minimum = figure.data
    assert ground.type == "contour" and [way.name for way in ways] == [path.label for path in data.paths]
    assert (start.x[0], start.y[0]) == (1.0, 0.0)
    assert (minimum.x, minimum.y) == ((1.0,), (1.0,))
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("x", "y")
    assert ground.colorbar.title.text == "f(x, y) − minimum"


@pytest.mark.parametrize("hazard", SURFACES)
def test_contours_are_logarithms_of_the_surface(hazard: str) -> None:
    surface = SURFACES[hazard]
    grid = contours(surface)
    assert np.isfinite(grid.log_values).all()
    value = float(surface.value(np, grid.x[30], grid.y[100]))
    assert grid.log_values[100, 30] == pytest.approx(max(np.log10(value), grid.log_values.min()))
    assert np.ptp(grid.log_values) == pytest.approx(surface.decades)


def test_a_single_parameter_is_drawn_against_the_steps() -> None:
    data = trajectories_data(*_study("reddi-counterexample"), _trajectories(has_y=False))
    assert data.surface is None
    figure = trajectories_figure(data)
    assert [trace.type for trace in figure.data] == ["scatter"] * 4
    assert list(figure.data[0].x) == [0, 10, 20, 30, 40]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("step", "x")


def test_regret_is_the_mean_over_seeds_and_flat_over_the_root() -> None:
    record, trials = _study("online-convex")
    data = regret_data(record, trials, _curves())
    assert [series.pick.role for series in data.series] == ["best", "default", "diverged", "median"]
    assert data.series[0].steps.tolist() == [100, 200, 300, 400], "T = 0 is left out"
    assert data.series[0].average == pytest.approx(12.0 / np.sqrt(data.series[0].steps))
    assert data.series[0].over_root == pytest.approx([12.0] * 4)
    figure = regret_figure(data)
    assert {figure.layout.xaxis.type, figure.layout.yaxis.type, figure.layout.xaxis2.type} == {"log"}
    (rate,) = [trace for trace in figure.data if trace.name == "1/√T"]
    assert list(rate.y) == pytest.approx(list(data.series[0].average))


def test_regret_below_0_has_a_linear_axis() -> None:
    curves = _curves()
    figure = regret_figure(regret_data(*_study("online-convex"), curves.assign(train_loss=curves["train_loss"] - 1)))
    assert figure.layout.yaxis.type != "log" and figure.layout.xaxis.type == "log"


def test_nothing_is_drawn_before_a_trial_is_complete() -> None:
    record, trials = _study("surface-ravine")
    nothing = trajectories_figure(trajectories_data(record, trials[:0], _trajectories(has_y=True)))
    assert nothing.layout.annotations[0].text == "No trial is complete yet." and not nothing.data
    assert regret_figure(regret_data(record, trials[:0], _curves())).layout.annotations[0].text.startswith("No trial")


@pytest.mark.parametrize("workload", ["surface-saddle", "reddi-counterexample", "digits-logistic"])
def test_axes_say_what_the_loss_is(workload: str) -> None:
    entry = make_spec(workload=workload).workload_entry
    labels = {"surface-saddle": "f(x, y) − minimum", "reddi-counterexample": "average regret R(T)/T"}
    assert theme.quantity_label("train_loss", entry) == labels.get(workload, "training loss (nats)")
    assert theme.quantity_label("test_loss", entry) == "test loss (nats)"
