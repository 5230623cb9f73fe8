import numpy as np
import pytest

from studies.analysis.axes import searched_axes
from studies.analysis.pair_map import PairMap, pair_maps
from studies.analysis.trials import complete_trials
from studies.figures.pair_map import pair_map_data, pair_map_figure
from tests.studies.frames import Setting, decades_from, drawn_study, trials_of

SPACE = {"alpha": {"low": 1e-4, "high": 1e-1}, "beta1": [0.0, 0.9], "beta2": 0.999, "epsilon": 1e-8}


def two_sided(setting: Setting) -> float:
    return 10 ** decades_from(setting["alpha"], 1e-2) + (100 if setting["beta1"] == 0 else 0)


def maps(n_trials: int = 300, **space: object) -> tuple[PairMap, ...]:
    spec, trials = drawn_study(two_sided, n_trials, search_space={**SPACE, **space})
    return pair_maps(complete_trials(spec, trials), searched_axes(spec))


def test_bins_hold_every_trial_once_and_their_geometric_mean() -> None:
    spec, trials = drawn_study(two_sided, 300, search_space=SPACE)
    (found,) = pair_maps(complete_trials(spec, trials), searched_axes(spec))
    assert (found.x.parameter.name, found.y.parameter.name, found.is_log) == ("alpha", "beta1", True)
    assert found.counts.sum() == 300 and found.counts.shape == (2, 10)
    np.testing.assert_allclose(found.x_edges, np.geomspace(1e-4, 1e-1, 11))
    np.testing.assert_array_equal(found.y_edges, [0.1, 1.0])  # 1 − β1
    inside = trials[(trials["beta1"] == 0.9) & trials["alpha"].between(found.x_edges[3], found.x_edges[4])]
    assert found.counts[0, 3] == len(inside)
    assert found.means[0, 3] == pytest.approx(np.exp(np.log(inside["objective"]).mean()))


def test_empty_bins_stay_empty_and_infinite_objectives_count_as_the_greatest() -> None:
    spec, trials = drawn_study(two_sided, 40, search_space=SPACE)
    corner = trials[(trials["alpha"] < 1e-2) | (trials["beta1"] == 0.9)].copy()
    corner["objective"] = [np.inf, *[2.0] * (len(corner) - 1)]
    (found,) = pair_maps(complete_trials(spec, corner), searched_axes(spec))
    assert not found.is_log
    assert np.isnan(found.means[found.counts == 0]).all() and (found.counts == 0).any()
    assert np.all(found.means[found.counts > 0] == 2.0)
    assert pair_maps(complete_trials(spec, trials_of(spec, [])), searched_axes(spec)) == ()


def test_the_limits_of_theory_lie_in_the_plane_of_beta1_and_beta2() -> None:
    space = {"beta1": {"low": 0.0, "high": 0.999}, "beta2": {"low": 0.9, "high": 0.9999}}
    found = {(one.x.parameter.name, one.y.parameter.name): one for one in maps(60, **space)}
    assert set(found) == {("alpha", "beta1"), ("alpha", "beta2"), ("beta1", "beta2")}
    assert found["alpha", "beta1"].curves == ()
    root, square = found["beta1", "beta2"].curves
    assert (root.name, square.name) == ("β1² = √β2", "β1² = β2")
    beta1 = 1 - root.x
    np.testing.assert_allclose((beta1**2)[(seen := np.isfinite(root.y))], np.sqrt(1 - root.y[seen]), rtol=1e-9)
    np.testing.assert_allclose((beta1**2)[(seen := np.isfinite(square.y))], 1 - square.y[seen], rtol=1e-9)
    for curve in (root, square):
        inside = curve.y[np.isfinite(curve.y)]
        assert len(inside) > 20 and inside.min() >= 1e-4 and inside.max() <= 0.1
    assert maps(60, beta1={"low": 0.0, "high": 0.999}, beta2=[0.9, 0.99])[-1].curves == ()


def test_figure() -> None:
    spec, trials = drawn_study(two_sided, 60, search_space={**SPACE, "epsilon": {"low": 1e-8, "high": 1e-2}})
    data = pair_map_data(spec, trials)
    figure = pair_map_figure(data)
    empty, filled = figure.data[0], figure.data[1]
    np.testing.assert_array_equal(np.isnan(filled.z), data.maps[0].counts == 0)
    np.testing.assert_array_equal(np.isnan(empty.z), data.maps[0].counts > 0)
    np.testing.assert_allclose(10**filled.z, data.maps[0].means)
    assert len(data.maps) == 3 and len([trace for trace in figure.data if trace.type == "heatmap"]) == 6
    assert figure.layout.coloraxis.colorbar.title.text == "training loss (nats)"
    assert figure.layout.xaxis.title.text == "α (log)" and figure.layout.yaxis.title.text == "1 − β1"
    star = next(trace for trace in figure.data if (trace.name or "").startswith("best"))
    best = trials["objective"].to_numpy().argmin()
    assert star.name == f"best (trial {best})" and star.x[0] == pytest.approx(trials["alpha"].to_numpy()[best])
    one = {**SPACE, "beta1": 0.9}
    alone = pair_map_figure(pair_map_data(*drawn_study(two_sided, 10, search_space=one)))
    assert alone.layout.annotations[0].text.startswith("Maps need two searched hyperparameters")
