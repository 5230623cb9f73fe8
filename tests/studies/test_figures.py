import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from studies.analysis.importance import importances
from studies.db.records import StudyRecord
from studies.figures import theme
from studies.figures.convergence import convergence_data, convergence_figure
from studies.figures.importance import importance_data, importance_figure
from studies.figures.search_space import search_space_data, search_space_figure
from studies.figures.sensitivity import sensitivity_data, sensitivity_figure
from studies.samplers import draw_settings
from tests.factories import make_spec
from tests.studies.frames import Setting, curves_of, decades_from, drawn_study, make_record, trials_of

DEFAULT = {"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
INF, NAN = np.inf, np.nan


def bowl(setting: Setting) -> float:
    return 0.1 + decades_from(setting["alpha"], 1e-2) ** 2


def names(figure: go.Figure) -> list[str]:
    """Return what the legend says."""
    return [trace.name for trace in figure.data if trace.showlegend is not False]


@pytest.fixture
def small() -> tuple[StudyRecord, pd.DataFrame, pd.DataFrame]:
    """Return a study of three trials and two seeds: the default, the best, and one that diverges in both."""
    spec = make_spec(n_trials=3, n_seeds=2, epochs=2)
    settings = [DEFAULT, {**DEFAULT, "alpha": 0.01}, {**DEFAULT, "alpha": 0.1}]
    objectives = [{"objective": 0.5}, {"objective": 0.2}, {"objective": 20.0, "diverged": True}]
    trials = trials_of(
        spec, [{**setting, **objective} for setting, objective in zip(settings, objectives, strict=True)]
    )
    curves = curves_of(
        {
            (0, 0): [2.0, 1.0, 0.4],
            (0, 1): [2.0, 1.2, 0.6],
            (1, 0): [2.0, 0.5, 0.1],
            (1, 1): [2.0, 0.5, 0.3],
            (2, 0): [2.0, None],
            (2, 1): [2.0, None],
        }
    )
    return make_record(spec), trials, curves


def test_convergence_picks_out_the_best_and_the_default(small: tuple[StudyRecord, pd.DataFrame, pd.DataFrame]) -> None:
    data = convergence_data(*small)
    assert data.epochs.tolist() == [0, 1, 2]
    every, best, default = data.series
    assert (every.role, every.label, every.band_label) == ("trials", "median of 3 trials", "10 % to 90 % of the trials")
    np.testing.assert_allclose(every.median, [2.0, 1.1, 0.5])  # of 0.5, 1.1 and the diverged; 0.2, 0.5 and the diverged
    assert every.high.tolist() == [2.0, 20.0, 20.0]  # ten times the loss at initialisation
    assert (best.label, default.label) == ("best (trial 1)", "paper's default (trial 0)")
    np.testing.assert_allclose([best.low, best.median, best.high], [[2, 0.5, 0.1], [2, 0.5, 0.2], [2, 0.5, 0.3]])
    assert best.band_label == "range over 2 seeds"
    assert (data.quantity, data.n_trials, data.n_diverged, data.cap, data.is_log) == ("train_loss", 3, 1, 20.0, True)
    figure = convergence_figure(data)
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.yaxis.title.text == "training loss (nats)"
    assert figure.layout.xaxis.title.text == "epoch (passes over the data)"
    assert "diverged (1 of 3 trials)" in [annotation.text for annotation in figure.layout.annotations]
    assert {"median of 3 trials", "best (trial 1)", "paper's default (trial 0)"} <= set(names(figure))


def test_convergence_within_a_decade_is_linear_and_has_no_cap() -> None:
    spec = make_spec(n_trials=1, n_seeds=1)
    trials = trials_of(spec, [{**DEFAULT, "objective": 1.0, "objective_std": NAN}])
    data = convergence_data(make_record(spec), trials, curves_of({(0, 0): [2.0, 1.0]}))
    assert (data.is_log, data.cap) == (False, None)
    assert [series.label for series in data.series] == ["the only trial", "best, and the paper's default (trial 0)"]
    assert data.series[1].band_label == "one seed"
    assert convergence_figure(data).layout.yaxis.type is None


def test_convergence_of_other_quantities(small: tuple[StudyRecord, pd.DataFrame, pd.DataFrame]) -> None:
    record, trials, curves = small
    frame = curves.assign(test_error=curves["train_loss"] / 4)
    data = convergence_data(record, trials, frame, "test_error")
    assert data.cap == 1.0  # no error exceeds 1
    assert convergence_figure(data).layout.yaxis.title.text == "test error (share)"


def test_convergence_before_the_first_epoch(small: tuple[StudyRecord, pd.DataFrame, pd.DataFrame]) -> None:
    record, trials, _ = small
    figure = convergence_figure(convergence_data(record, trials, curves_of({})))
    assert [annotation.text for annotation in figure.layout.annotations] == ["No epoch is recorded yet."]


def test_long_curves_are_thinned_from_the_first_epoch_to_the_last() -> None:
    spec = make_spec(n_trials=1, n_seeds=1, epochs=3_000)
    trials = trials_of(spec, [{**DEFAULT, "objective": 1.0}])
    data = convergence_data(make_record(spec), trials, curves_of({(0, 0): list(np.linspace(2.0, 1.0, 3_001))}))
    assert (len(data.epochs), data.epochs[0], data.epochs[-1]) == (400, 0, 3_000)
    np.testing.assert_allclose(data.series[0].median, 2.0 - data.epochs / 3_000)


def test_sensitivity_has_a_panel_for_each_searched_hyperparameter() -> None:
    spec, trials = drawn_study(bowl, n_trials=64, search_space={"epsilon": 1e-8})
    data = sensitivity_data(make_record(spec), trials)
    assert [panel.axis.label for panel in data.panels] == ["α (log)", "1 − β1 (log)", "1 − β2 (log)"]
    np.testing.assert_allclose(data.panels[1].coordinates, 1 - trials["beta1"], rtol=1e-9)
    assert all(panel.response is not None for panel in data.panels)
    assert data.best == trials["objective"].argmin() and data.default == 0
    half = 12.7062047 * 0.01 / np.sqrt(2)  # t of 1 degree of freedom
    np.testing.assert_allclose(data.high - data.objective, half, rtol=1e-6)
    np.testing.assert_allclose(data.low, np.maximum(data.objective - half, 0), rtol=1e-6)
    figure = sensitivity_figure(data)
    axes = [figure.layout[name] for name in ("xaxis", "xaxis2", "xaxis3")]
    assert [axis.type for axis in axes] == ["log"] * 3
    assert names(figure).count("trial") == 1  # once for all panels
    best = next(trace for trace in figure.data if trace.name.startswith("best"))
    assert (best.x[0], best.y[0]) == (trials["alpha"][trials["objective"].argmin()], trials["objective"].min())
    assert best.marker.symbol == "star"


def test_diverged_trials_are_crosses_on_the_cap() -> None:
    spec = make_spec(n_trials=4, n_seeds=3)
    rows: list[dict[str, Any]] = [{**DEFAULT, "alpha": alpha, "objective": 0.3} for alpha in (1e-3, 1e-2)]
    rows.append({**DEFAULT, "alpha": 0.05, "objective": 8.0, "objective_std": 13.0, "diverged": True})  # in one seed
    rows.append({**DEFAULT, "alpha": 0.1, "objective": 23.0, "objective_std": 0.2, "diverged": True})
    data = sensitivity_data(make_record(spec), trials_of(spec, rows))
    assert (data.cap, data.n_failed, data.is_log) == (23.0, 2, True)
    assert data.failed.tolist() == [False, False, True, True]
    assert data.high.max() <= 23.0
    figure = sensitivity_figure(data)
    crosses = next(trace for trace in figure.data if trace.name == "diverged in a seed (2 of 4 trials)")
    assert list(crosses.y) == [8.0, 23.0]
    assert crosses.marker.symbol == theme.FAILED_SYMBOL
    assert [shape.y0 for shape in figure.layout.shapes] == [23.0] * 4


def test_a_study_where_divergence_is_partial_has_no_cap() -> None:
    spec = make_spec(n_seeds=3)
    rows = [{**DEFAULT, "objective": 8.0, "objective_std": 13.0, "diverged": True}]
    assert sensitivity_data(make_record(spec), trials_of(spec, rows)).cap is None


def test_a_missed_target_counts_as_failed() -> None:
    spec = make_spec(objective="epochs_to_target", target=0.3, epochs=5)
    rows = [{**DEFAULT, "objective": 4.0}, {**DEFAULT, "alpha": 1e-4, "objective": 10.0, "objective_std": 0.0}]
    data = sensitivity_data(make_record(spec), trials_of(spec, rows))
    assert (data.failed.tolist(), data.cap) == ([False, True], 5.0)
    figure = sensitivity_figure(data)
    assert "missed the target (1 of 2 trials)" in names(figure)
    assert figure.layout.yaxis.title.text == "epochs to the target loss"


def test_values_of_a_list_stand_side_by_side() -> None:
    space = {"alpha": [0.1, 1e-3, 1e-2], "beta1": 0.9, "beta2": 0.999, "epsilon": [0.0, 1e-8]}
    spec, trials = drawn_study(bowl, n_trials=30, search_space=space)
    figure = sensitivity_figure(sensitivity_data(make_record(spec), trials))
    assert figure.layout.xaxis.ticktext == ("0.001", "0.01", "0.1")
    assert figure.layout.xaxis2.ticktext == ("0", "1e-08")
    points = next(trace for trace in figure.data if trace.name == "trial")
    np.testing.assert_array_equal(np.round(points.x), np.log10(trials["alpha"]).round() + 3)
    median = next(trace for trace in figure.data if trace.name == "median (95 % interval)")
    assert median.x.tolist() == [0, 1, 2]
    assert int(np.argmin(median.y)) == 1


def test_a_single_setting_has_no_sensitivity() -> None:
    spec = make_spec(n_trials=1, search_space=DEFAULT)
    figure = sensitivity_figure(sensitivity_data(make_record(spec), trials_of(spec, [{**DEFAULT, "objective": 1.0}])))
    assert figure.layout.annotations[0].text == "No hyperparameter is searched."


def test_no_complete_trial_yet() -> None:
    figure = sensitivity_figure(sensitivity_data(make_record(make_spec()), trials_of(make_spec(), [])))
    assert figure.layout.annotations[0].text == "No trial is complete yet."


def test_10_000_trials_are_drawn_from_a_part_that_has_the_best_and_the_default() -> None:
    spec, trials = drawn_study(bowl, n_trials=10_000)
    data = sensitivity_data(make_record(spec), trials)
    assert 800 <= len(data.numbers) <= 802
    assert data.n_trials == 10_000
    assert data.best is not None and data.objective[data.best] == trials["objective"].min()
    assert data.default is not None and data.numbers[data.default] == 0
    figure = sensitivity_figure(data)
    assert len(figure.to_json()) < 2_000_000
    assert f"trial ({len(data.numbers)} of 10,000 drawn)" in names(figure)
    assert np.array_equal(sensitivity_data(make_record(spec), trials).numbers, data.numbers)


def test_importance_bars_are_the_importances() -> None:
    spec, trials = drawn_study(bowl, n_trials=64)
    found = importances(spec, trials)
    data = importance_data(spec, found)
    assert data.labels[0] == "α"
    assert data.shares == tuple(one.share.value for one in found.values)
    (bars,) = importance_figure(data).data
    assert list(bars.x) == list(data.shares)
    np.testing.assert_allclose(bars.x + np.array(bars.error_x.array), data.highs)
    np.testing.assert_allclose(bars.x - np.array(bars.error_x.arrayminus), data.lows)


def test_missing_importances_say_how_many_trials_are_missing() -> None:
    spec, trials = drawn_study(bowl, n_trials=18)
    figure = importance_figure(importance_data(spec, importances(spec, trials)))
    assert figure.layout.annotations[0].text == "Importances need 12 more complete trials (30 in all)."


def test_the_preview_shows_every_setting_on_its_scale() -> None:
    spec = make_spec(n_trials=16, search_space={"beta2": [0.99, 0.999], "epsilon": 1e-8})
    settings = draw_settings(spec)
    data = search_space_data(spec, settings)
    assert [axis.label for axis in data.axes] == ["α (log)", "1 − β1 (log)", "1 − β2"]
    np.testing.assert_array_equal(data.coordinates[0], [setting["alpha"] for setting in settings])
    assert data.defaults == (0.001, 0.1, 0.001)
    figure = search_space_figure(spec, settings)
    assert names(figure) == ["16 settings", "paper's default"]
    assert figure.layout.xaxis.type == "log" and figure.layout.xaxis3.ticktext == ("0.001", "0.01")


def test_previews_without_settings_of_constants_and_of_many() -> None:
    assert names(search_space_figure(make_spec(sampler="tpe"), [])) == ["paper's default"]
    constant = search_space_figure(make_spec(n_trials=1, search_space=DEFAULT), [DEFAULT])
    assert constant.layout.annotations[0].text == "Every hyperparameter is constant: one setting is tried."
    spec = make_spec(n_trials=2_000, search_space={"alpha": {"low": 0.01, "high": 0.1}})
    assert names(search_space_figure(spec, draw_settings(spec))) == ["the first 500 of 2,000 settings"]


@pytest.mark.parametrize(("optimizer", "colour"), [("adam", "#0072B2"), ("adamax", "#D55E00")])
def test_optimizers_keep_their_colours_on_a_transparent_ground(optimizer: str, colour: str) -> None:
    spec, trials = drawn_study(bowl, n_trials=40, optimizer=optimizer)
    record, curves = make_record(spec), curves_of({(0, 0): [2.0, 0.1], (1, 0): [2.0, 0.5]})
    convergence = convergence_figure(convergence_data(record, trials, curves))
    sensitivity = sensitivity_figure(sensitivity_data(record, trials))
    bars = importance_figure(importance_data(spec, importances(spec, trials)))
    preview = search_space_figure(spec, draw_settings(spec))
    medians = next(trace for trace in convergence.data if trace.name == "median of 2 trials")
    dots = [sensitivity.data[0], bars.data[0], preview.data[0]]
    assert [medians.line.color, *(trace.marker.color for trace in dots)] == [colour] * 4
    for figure in (convergence, sensitivity, bars, preview):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
        assert figure.layout.width is None
        assert json.loads(figure.to_json())["data"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1.0, 10.0], False), ([1.0, 10.1], True), ([0.0, 100.0], False), ([1.0, NAN, INF], False), ([], False)],
)
def test_axes_are_logarithmic_beyond_a_decade(values: list[float], expected: bool) -> None:
    assert theme.spans_decade(np.array(values)) is expected
