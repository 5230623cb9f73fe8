import itertools
from collections.abc import Callable

import numpy as np
import pytest

from studies.analysis.budget import actual_curve, expected_best, expected_curve
from studies.analysis.estimates import FloatArray
from studies.analysis.finals import Finals


def finals(*means: float) -> Finals:
    return Finals("train_loss", np.arange(len(means)), np.array(means, dtype=np.float64)[:, None])


def test_it_is_the_mean_over_all_choices_of_k() -> None:
    values = np.array([3.0, 1.0, 4.0, 1.5, 9.0])
    for k in range(1, 6):
        mean = np.mean([min(chosen) for chosen in itertools.combinations(values, k)])
        assert expected_best(values, np.array([k]))[0] == pytest.approx(mean)


def test_order_statistics_of_uniforms() -> None:
    """The least of k of the values 1/(n+1), ..., n/(n+1) is 1/(k+1) on average, exactly as that of k uniforms."""
    n, places = 1_000, np.array([1, 2, 10, 100, 1_000])
    values = np.arange(1, n + 1) / (n + 1)
    np.testing.assert_allclose(expected_best(values, places), 1 / (places + 1), rtol=1e-9)


def test_it_is_unbiased_at_every_k() -> None:
    draws = np.random.default_rng(0).random((20_000, 12))
    places = np.arange(1, 13)
    np.testing.assert_allclose(expected_best(draws, places).mean(axis=0), 1 / (places + 1), atol=0.006)


def test_trials_that_the_sampler_did_not_draw_are_left_out() -> None:
    curve = expected_curve(finals(0.01, 3.0, 1.0, 2.0), np.array([0]))
    assert curve is not None and curve.is_expected
    assert curve.n_trials.tolist() == [1, 2, 3]
    np.testing.assert_allclose(curve.best, [2.0, 4 / 3, 1.0])
    assert np.isnan(curve.low).all(), "three trials have no band"
    assert expected_curve(finals(0.01), np.array([0])) is None


def test_an_infinite_trial_counts_as_the_worst() -> None:
    curve = expected_curve(finals(1.0, np.inf, 3.0), np.empty(0, dtype=np.int64))
    assert curve is not None
    np.testing.assert_allclose(curve.best, [7 / 3, 5 / 3, 1.0])


def test_many_trials_are_thinned_evenly_on_a_logarithmic_scale() -> None:
    curve = expected_curve(finals(*np.random.default_rng(0).random(3_000)), np.empty(0, dtype=np.int64))
    assert curve is not None
    assert len(curve.n_trials) <= 60 and (curve.n_trials[0], curve.n_trials[-1]) == (1, 3_000)


def test_an_adaptive_sampler_keeps_its_order() -> None:
    curve = actual_curve(finals(5.0, 3.0, 4.0, 1.0), np.array([2, 9, 0, 3, 1]))  # trial 9 has no value
    assert curve is not None and not curve.is_expected
    assert curve.best.tolist() == [4.0, 4.0, 1.0, 1.0]
    assert np.isnan(curve.low).all()


def test_the_band_ends_at_a_quarter_of_the_trials() -> None:
    curve = expected_curve(finals(*np.random.default_rng(0).random(40)), np.empty(0, dtype=np.int64))
    assert curve is not None
    banded = np.isfinite(curve.low)
    np.testing.assert_array_equal(banded, curve.n_trials <= 10)
    assert np.all((curve.low < curve.best)[banded] & (curve.best < curve.high)[banded])


def test_the_band_of_many_trials_is_that_of_the_normal_approximation() -> None:
    """The mean of n uniforms has a standard error of 1 / sqrt(12 n)."""
    n = 4_000
    curve = expected_curve(finals(*np.random.default_rng(0).random(n)), np.empty(0, dtype=np.int64))
    assert curve is not None
    half = 1.96 / np.sqrt(12 * n)
    assert (curve.best[0] - curve.low[0], curve.high[0] - curve.best[0]) == pytest.approx((half, half), rel=0.15)


def uniform(shares: FloatArray) -> FloatArray:
    return shares


def sharp(shares: FloatArray) -> FloatArray:
    """Losses of which few are near the best, as of four hyperparameters around an optimum, and half are capped."""
    return np.where(shares < 0.5, 1 + np.sqrt(shares), 10.0)


def flat(shares: FloatArray) -> FloatArray:
    """Losses of which many are near the best, as of one hyperparameter around an optimum."""
    return 1 + shares**2


def band_coverage(n_samples: int, n: int, quantile: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Return how often the band holds the expected best of k, at 1 and 4 and at its end."""
    rng, shares = np.random.default_rng(0), (np.arange(100_000) + 0.5) / 100_000
    places = np.array([1, 4, n // 4])
    truths = [quantile(-np.expm1(np.log1p(-shares) / k)).mean() for k in places]  # the least of k uniforms
    covered = []
    for _ in range(n_samples):
        curve = expected_curve(finals(*quantile(rng.random(n))), np.empty(0, dtype=np.int64))
        assert curve is not None
        index = np.searchsorted(curve.n_trials, places)
        covered.append((curve.low[index] <= truths) & (truths <= curve.high[index]))
    found: FloatArray = np.mean(covered, axis=0)
    return found


@pytest.mark.parametrize("quantile", [uniform, sharp, flat])
def test_the_band_covers_19_in_20(quantile: Callable[[FloatArray], FloatArray]) -> None:
    """At the end of the band a few less of sharp optima: what lies below the least value is a guess."""
    n_samples = 150
    assert band_coverage(n_samples, 50, quantile).min() >= 0.93 - 3 * np.sqrt(0.93 * 0.07 / n_samples)


@pytest.mark.slow
@pytest.mark.parametrize("n", [16, 50, 128])
@pytest.mark.parametrize("quantile", [uniform, sharp, flat])
def test_the_band_covers_19_in_20_at_length(n: int, quantile: Callable[[FloatArray], FloatArray]) -> None:
    assert band_coverage(1_500, n, quantile).min() >= 0.92
