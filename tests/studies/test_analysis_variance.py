"""Sobol indices of functions whose indices are known in closed form, and of surrogates fitted to their values."""

import time
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from studies.analysis.axes import Axis
from studies.analysis.estimates import FloatArray
from studies.analysis.surrogate import MIN_R2, Surrogate, fit
from studies.analysis.variance import sobol_indices, sobol_points, variance_shares
from studies.parameters import PARAMETERS

Function = Callable[[FloatArray], FloatArray]


def ishigami(points: FloatArray) -> FloatArray:
    """Ishigami & Homma 1990 with a = 7 and b = 0.1, of points of the unit cube."""
    x = np.pi * (2 * points - 1)
    found: FloatArray = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    return found


def additive(points: FloatArray) -> FloatArray:
    found: FloatArray = 2 * points[:, 0] + points[:, 1] ** 2
    return found


ALONE, SQUARED, BOTH = 7**2 / 8, 0.1**2 * np.pi**8 * 8 / 225, (1 + 0.1 * np.pi**4 / 5) ** 2 / 2
ISHIGAMI_VARIANCE = ALONE + SQUARED + BOTH
ISHIGAMI_FIRST = np.array([BOTH, ALONE, 0.0]) / ISHIGAMI_VARIANCE
ISHIGAMI_TOTAL = np.array([BOTH + SQUARED, ALONE, SQUARED]) / ISHIGAMI_VARIANCE
ADDITIVE_FIRST = np.array([1 / 3, 4 / 45, 0.0]) / (1 / 3 + 4 / 45)


def axes(n: int) -> tuple[Axis, ...]:
    names = ("alpha", "beta1", "beta2", "epsilon")
    return tuple(Axis(PARAMETERS[name], False, 0.0, 1.0, None) for name in names[:n])


def fitted(function: Function, n_trials: int, noise: float = 0.0, seed: int = 0) -> Surrogate:
    """Return a surrogate of random trials whose noise has this share of the function's standard deviation."""
    rng = np.random.default_rng(seed)
    points = rng.random((n_trials, 3))
    values = function(points)
    return fit(axes(3), points, values + noise * values.std() * rng.normal(size=n_trials), seed=seed)


def shares(surrogate: Surrogate, names: Sequence[str] = ("alpha", "beta1", "beta2")) -> tuple[FloatArray, FloatArray]:
    """Return first-order and total shares with their intervals, [P, 3] each."""
    found = {one.parameter: one for one in variance_shares(surrogate).values}
    rows = [(found[name].first, found[name].total) for name in names]
    first, total = (
        np.array([[one.value, one.low, one.high] for one in column], dtype=np.float64)
        for column in zip(*rows, strict=True)
    )
    return first, total


def test_indices_of_ishigami() -> None:
    found = sobol_indices(ishigami(sobol_points(3))[:, None], 3)
    np.testing.assert_allclose(found.first[:, 0], ISHIGAMI_FIRST, atol=0.02)
    np.testing.assert_allclose(found.total[:, 0], ISHIGAMI_TOTAL, atol=0.02)
    np.testing.assert_allclose(found.pairs[:, 0], [0.0, SQUARED / ISHIGAMI_VARIANCE, 0.0], atol=0.03)


def test_indices_of_an_additive_function_have_no_interactions() -> None:
    found = sobol_indices(np.stack([additive(sobol_points(3)), 5 + sobol_points(3)[:, 2]], axis=-1), 3)
    np.testing.assert_allclose(found.first, np.stack([ADDITIVE_FIRST, [0, 0, 1]], axis=-1), atol=0.01)
    np.testing.assert_allclose(found.total, found.first, atol=0.01)
    np.testing.assert_allclose(found.pairs, 0.0, atol=0.01)


def test_a_surrogate_of_ishigami() -> None:
    surrogate = fitted(ishigami, 200)
    assert surrogate.r2 > 0.95
    first, total = shares(surrogate)
    np.testing.assert_allclose(first[:, 0], ISHIGAMI_FIRST, atol=0.04)
    np.testing.assert_allclose(total[:, 0], ISHIGAMI_TOTAL, atol=0.06)
    pair = variance_shares(surrogate).pairs[0]
    assert pair.parameters == ("alpha", "beta2")
    assert pair.share.value == pytest.approx(SQUARED / ISHIGAMI_VARIANCE, abs=0.05)


def test_a_surrogate_of_an_additive_function_is_functional_anovas() -> None:
    first, total = shares(fitted(additive, 128, noise=0.2))
    np.testing.assert_allclose(first[:, 0], ADDITIVE_FIRST, atol=0.04)
    np.testing.assert_allclose(total[:, 0], ADDITIVE_FIRST, atol=0.04)
    assert np.all(first[:, 1] <= first[:, 0]) and np.all(first[:, 0] <= first[:, 2])
    assert np.all((first >= 0) & (first <= 1) & (total >= 0) & (total <= 1))


def test_values_of_a_list_have_equal_shares_of_the_space() -> None:
    listed = (Axis(PARAMETERS["beta2"], False, 1e-4, 1e-2, (1e-4, 1e-3, 1e-2)), *axes(1))
    rng = np.random.default_rng(0)
    points = np.stack([rng.integers(3, size=90) / 2, rng.random(90)], axis=-1)
    surrogate = fit(listed, points, np.array([0.0, 3.0, 0.0])[(2 * points[:, 0]).astype(int)] + points[:, 1])
    first, _ = shares(surrogate, ("beta2", "alpha"))
    np.testing.assert_allclose(first[:, 0], np.array([2.0, 1 / 12]) / (2 + 1 / 12), atol=0.02)


def test_indices_repeat_with_the_seed() -> None:
    assert variance_shares(fitted(additive, 40, seed=1)) == variance_shares(fitted(additive, 40, seed=1))


def test_a_bad_surrogate_says_so_and_gives_no_indices() -> None:
    surrogate = fitted(lambda points: np.random.default_rng(5).normal(size=len(points)), 60)
    assert surrogate.r2 < MIN_R2
    found = variance_shares(surrogate)
    assert (found.values, found.pairs) == ((), ())
    assert found.message is not None and "less than 70 %: too little to rely on" in found.message


@pytest.mark.slow
def test_a_thousand_trials_take_seconds() -> None:
    start = time.process_time()
    variance_shares(fitted(ishigami, 1_000))
    assert time.process_time() - start < 15


@pytest.mark.parametrize(("n_repeats", "least"), [(4, 0.75), pytest.param(100, 0.9, marks=pytest.mark.slow)])
def test_intervals_cover_the_truth(n_repeats: int, least: float) -> None:
    """Of noisy additive trials; a hundredth of the variance is let pass, since a total index of 0 is never met."""
    covered = []
    for seed in range(n_repeats):
        first, total = shares(fitted(additive, 100, noise=0.3, seed=seed))
        for found in (first, total):
            covered.append((found[:, 1] - 0.01 <= ADDITIVE_FIRST) & (found[:, 2] + 0.01 >= ADDITIVE_FIRST))
    assert np.mean(covered, axis=0).min() >= least
