"""What the figures of a comparison show, not how many pixels it takes."""

import numpy as np
import plotly.graph_objects as go
import pytest

from studies.analysis.budget import BudgetCurve
from studies.analysis.curves import Band
from studies.analysis.estimates import Estimate
from studies.analysis.fates import divergence
from studies.analysis.profiles import performance_profile
from studies.analysis.step_diagnostics import StepDiagnostics
from studies.analysis.survival import kaplan_meier
from studies.analysis.transfer import Transfer
from studies.figures import theme
from studies.figures.best_curves import best_curve, best_curves_figure
from studies.figures.budget import BudgetSeries, budget_figure
from studies.figures.divergence import divergence_figure
from studies.figures.entrants import Look, ratio_axis
from studies.figures.forest import ForestRow, forest_figure
from studies.figures.profile import profile_figure
from studies.figures.steps import steps_figure
from studies.figures.survival import survival_data, survival_figure
from studies.figures.transfer import transfer_figure
from tests.studies.frames import curves_of, drawn_study

ADAM = Look("Adam", theme.OPTIMIZER_COLOURS["adam"], "circle", "solid")
ADAMAX = Look("AdaMax", theme.OPTIMIZER_COLOURS["adamax"], "square", "solid")


def trace(figure: go.Figure, name: str) -> go.Scatter:
    return next(one for one in figure.data if one.name == name)


def test_survival_starts_at_1_and_ends_where_it_was_watched() -> None:
    found = kaplan_meier(np.array([2.0, 3.0, 5.0, 5.0]), np.array([True, True, False, False]))
    data = survival_data([(ADAM, found)], "left", "epochs", "trials")
    assert data.series[0].times.tolist() == [0.0, 2.0, 3.0, 5.0]
    assert data.series[0].share.tolist() == [1.0, 0.75, 0.5, 0.5]
    figure = survival_figure(data)
    assert trace(figure, "Adam").line.shape == "hv"
    assert figure.layout.xaxis.title.text == theme.EPOCH_LABEL
    assert figure.layout.yaxis.title.text == "share of the trials left"


def test_time_to_target_is_turned_over_with_its_interval() -> None:
    found = kaplan_meier(np.array([2.0, 3.0, 5.0, 5.0]), np.array([True, True, False, False]))
    (series,) = survival_data([(ADAM, found)], "reached", "seconds", "trials").series
    np.testing.assert_allclose(series.share, [0.0, 0.25, 0.5, 0.5])
    assert np.all(series.low <= series.share) and np.all(series.share <= series.high)
    np.testing.assert_allclose(series.high[1], 1 - found.low[0])
    figure = survival_figure(survival_data([(ADAM, found)], "reached", "seconds", "trials"))
    assert figure.layout.xaxis.title.text == "training time (seconds)"
    empty = kaplan_meier(np.empty(0), np.empty(0, dtype=np.bool_))
    nothing = survival_figure(survival_data([(ADAM, empty)], "left", "epochs", "trials"))
    assert nothing.layout.annotations[0].text == "Of no trials is an epoch recorded yet."


def test_divergence_has_a_panel_for_each_hyperparameter_on_its_scale() -> None:
    spec, trials = drawn_study(lambda setting: 1.0, n_trials=64)
    trials = trials.assign(diverged=(trials["alpha"] > 1e-3).astype("boolean"))
    figure = divergence_figure(divergence(spec, trials), ADAM)
    assert len(figure.data) == 4 and figure.layout.xaxis.type == "log"
    assert figure.data[0].y[0] == 0.0 and figure.data[0].y[-1] == 1.0
    assert figure.data[0].error_y.array[0] > 0
    none = divergence_figure(divergence(spec, trials.assign(state="waiting")), ADAM)
    assert none.layout.annotations[0].text == "No trial is complete yet."


def test_budget_curves_with_the_defaults_at_their_left() -> None:
    low, high = np.array([1.0, 1.0, np.nan]), np.array([4.0, 4.0, np.nan])
    banded = BudgetCurve(np.array([1, 2, 4]), np.array([3.0, 2.0, 1.0]), low, high, True)
    bare = BudgetCurve(np.array([1, 2]), np.array([5.0, 4.0]), np.full(2, np.nan), np.full(2, np.nan), False)
    figure = budget_figure([BudgetSeries(ADAM, banded, 2.5), BudgetSeries(ADAMAX, bare, None)], "training loss (nats)")
    assert trace(figure, "Adam").y.tolist() == [3.0, 2.0, 1.0]
    assert ["customdata" in one for one in trace(figure, "Adam").hovertemplate] == [True, True, False]
    assert trace(figure, "AdaMax").line.shape == "hv"
    diamonds = [one for one in figure.data if one.marker.symbol == theme.DEFAULT_SYMBOL]
    assert [one.y for one in diamonds] == [(2.5,)]
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.yaxis.title.text == "best training loss (nats)"
    assert budget_figure([], "x").layout.annotations


def test_the_forest_has_a_row_for_each_ratio() -> None:
    rows = [
        ForestRow(ADAMAX, "a", Estimate(0.8, 0.5, 1.2), 3),
        ForestRow(ADAMAX, "b", Estimate(1.5, None, None), 1),
        ForestRow(ADAMAX, None, Estimate(1.1, 0.9, 1.3), 2),
    ]
    figure = forest_figure(rows, "Adam", "training loss")
    (points,) = figure.data
    assert list(points.y) == ["AdaMax, a", "AdaMax, b", "<b>AdaMax</b>, all workloads"]
    np.testing.assert_allclose(points.error_x.array, [0.4, np.nan, 0.2])
    assert points.marker.color == ADAMAX.colour
    assert figure.layout.xaxis.title.text == "training loss, ratio to Adam (log; left of 1 is better)"
    assert figure.layout.shapes[0].x0 == 1


@pytest.mark.parametrize(
    ("ends", "ticks"),
    [((0.9, 1.2), ["0.9", "0.95", "1", "1.05", "1.1"]), ((0.01, 5), ["0.01", "0.1", "0.25", "0.5", "1", "2", "4"])],
)
def test_ratios_are_labelled_where_people_read_them(ends: tuple[float, float], ticks: list[str]) -> None:
    assert ratio_axis(*ends)["ticktext"] == ticks


def test_a_profile_is_drawn_to_the_last_factor_that_matters() -> None:
    found = performance_profile(("Adam", "AdaMax"), {"a": np.array([[1.0], [2.0]]), "b": np.array([[1.0], [90.0]])})
    figure = profile_figure(found, {"Adam": ADAM, "AdaMax": ADAMAX}, "steps to the target")
    assert trace(figure, "AdaMax").x.tolist() == [1.0, 2.0, 16.0]
    assert trace(figure, "AdaMax").y.tolist() == [0.0, 0.5, 0.5]
    assert figure.layout.xaxis.title.text == "steps to the target, times the best (log)"


def test_the_transfer_says_how_near_and_what_was_not_tried() -> None:
    one = Estimate(1.0, 1.0, 1.0)
    matrix = (
        (Transfer("a", "a", 4, 0.0, one), Transfer("a", "b", 7, 0.034, Estimate(1.5, 1.2, 1.9))),
        (Transfer("b", "a", None, 0.3, None), Transfer("b", "b", 2, 0.0, one)),
    )
    figure = transfer_figure(matrix)
    assert [note.text for note in figure.layout.annotations] == [
        "×1",
        "×1.5<br>1.2 to 1.9<br>3.4% off",
        "not tried",
        "×1",
    ]
    assert figure.data[0].customdata[1][0] == "the nearest setting tried is 30% of an axis off"
    assert np.isnan(figure.data[0].z[1][0])
    assert transfer_figure(matrix[:1]).layout.annotations[0].text == "A transfer needs at least two workloads."


def test_curves_of_the_best_settings_with_the_range_over_seeds_and_the_target() -> None:
    curves = curves_of({(3, 0): [2.0, 0.4], (3, 1): [2.0, 0.2], (3, 2): [2.0, None]})
    found = best_curve(ADAM, 3, curves, "train_loss")
    assert found.values.median.tolist() == [2.0, 0.4] and found.values.high.tolist() == [2.0, 20.0]
    figure = best_curves_figure([found], "training loss (nats)", 0.3)
    assert trace(figure, "Adam").y.tolist() == [2.0, 0.4]
    assert figure.layout.shapes[0].y0 == 0.3 and figure.layout.yaxis.type == "log"
    assert best_curves_figure([], "x", None).layout.annotations


def test_steps_beside_their_bounds() -> None:
    band = Band(np.array([1.0, 2.0]), np.array([0.5, 1.0]), np.array([3.0, 4.0]))
    epochs, bound = np.array([1, 2]), np.array([3.16, 3.16])
    data = StepDiagnostics(epochs, epochs * 12.0, band, band, bound, 2 * bound, 0.1, 0.0, 6)
    figure = steps_figure(data, ADAM)
    assert trace(figure, "the provable bound").y.tolist() == [6.32, 6.32]
    assert trace(figure, "largest step, median").line.color == ADAM.colour
    assert figure.layout.yaxis.title.text == "largest |step| / α"
    bare = StepDiagnostics(epochs, epochs * 12.0, band, band, bound * np.nan, bound * np.nan, None, None, 6)
    assert "the paper's bound (a heuristic)" not in [one.name for one in steps_figure(bare, ADAM).data]
