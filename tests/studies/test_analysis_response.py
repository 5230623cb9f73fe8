import numpy as np
import pytest

from studies.analysis.axes import searched_axes
from studies.analysis.response import marginal_response
from tests.factories import make_spec


def test_axes_are_those_of_the_search() -> None:
    space = {"alpha": {"low": 1e-4, "high": 1.0}, "beta1": {"low": 0.5, "high": 0.9, "scale": "linear"}}
    alpha, beta1, beta2 = searched_axes(
        make_spec(search_space={**space, "beta2": [0.99, 0.9999, 0.999], "epsilon": 1e-8})
    )
    assert (alpha.label, alpha.is_log, alpha.low, alpha.high) == ("α (log)", True, 1e-4, 1.0)
    assert (beta1.label, beta1.is_log, beta1.low, beta1.high) == ("1 − β1", False, 0.1, 0.5)
    assert (beta2.label, beta2.choices) == ("1 − β2", (0.0001, 0.001, 0.01))
    assert beta1.coordinates([0.9, 0.5]).tolist() == [0.1, 0.5]
    assert alpha.positions(np.array([1e-4, 1e-2, 1.0])) == pytest.approx([0.0, 0.5, 1.0])
    assert beta2.positions(np.array([0.01, 0.0001, 0.001])) == pytest.approx([1.0, 0.0, 0.5])


def test_the_running_median_follows_the_truth_within_its_interval() -> None:
    (axis,) = searched_axes(make_spec(search_space={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}))
    rng = np.random.default_rng(0)
    exponent = rng.uniform(-5, -1, size=2_000)
    objective = 1 + (exponent + 2) ** 2 + rng.exponential(size=2_000)  # the noise has median log 2
    found = marginal_response(axis, 10**exponent, objective)
    assert found is not None
    truth = 1 + (np.log10(found.coordinates) + 2) ** 2 + np.log(2)
    inner = slice(3, -3)  # at its ends a window is one-sided
    assert np.abs(found.median - truth)[inner].max() < 0.5
    assert abs(np.log10(found.coordinates[np.argmin(found.median)]) + 2) < 0.5


def response_coverage(n_repeats: int, n_trials: int) -> tuple[float, float]:
    """Return how often intervals hold the median, everywhere and at the worst place, of a valley with skewed noise."""
    (axis,) = searched_axes(make_spec(search_space={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}))
    rng, covered = np.random.default_rng(0), []
    for _ in range(n_repeats):
        exponent = rng.uniform(-5, -1, size=n_trials)
        objective = (exponent + 2.5) ** 2 / 4 + rng.exponential(size=n_trials)
        found = marginal_response(axis, 10**exponent, objective)
        assert found is not None
        truth = (np.log10(found.coordinates) + 2.5) ** 2 / 4 + np.log(2)
        covered.append((found.low <= truth) & (truth <= found.high))
    places = np.mean(covered, axis=0)
    return float(places.mean()), float(places.min())


@pytest.mark.parametrize(
    ("n_repeats", "n_trials"),
    [(150, 128), *(pytest.param(1_000, n, marks=pytest.mark.slow) for n in (24, 128, 1_000))],
)
def test_intervals_of_the_running_median_cover_19_in_20(n_repeats: int, n_trials: int) -> None:
    everywhere, worst = response_coverage(n_repeats, n_trials)
    error = np.sqrt(0.95 * 0.05 / n_repeats)
    assert everywhere >= 0.95 - 3 * error
    assert worst >= 0.95 - 4.5 * error  # the least of 41 places


def test_a_slope_is_kept_to_the_ends() -> None:
    (axis,) = searched_axes(make_spec(search_space={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}))
    exponent = np.linspace(-5, -1, 200)
    found = marginal_response(axis, 10**exponent, 3 * exponent)
    assert found is not None
    np.testing.assert_allclose(found.median, 3 * np.log10(found.coordinates), atol=0.05)


def test_the_medians_of_a_list_are_those_of_its_values() -> None:
    spec = make_spec(search_space={"alpha": [0.1, 0.01], "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8})
    (axis,) = searched_axes(spec)
    coordinates = np.array([0.1] * 6 + [0.01] * 2)
    found = marginal_response(axis, coordinates, np.array([6.0, 5, 4, 3, 2, 1, 8, 9]))
    assert found is not None
    assert found.coordinates.tolist() == [0.01, 0.1]
    assert found.median.tolist() == [8.5, 3.5]
    np.testing.assert_array_equal(found.low, [np.nan, 1.0])
    np.testing.assert_array_equal(found.high, [np.nan, 6.0])


def test_few_trials_have_no_running_median() -> None:
    axis = searched_axes(make_spec())[0]
    assert marginal_response(axis, np.full(11, 1e-3), np.ones(11)) is None
    assert marginal_response(axis, np.full(12, 1e-3), np.ones(12)) is not None
