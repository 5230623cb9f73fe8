import itertools

import numpy as np
import pytest

from studies.analysis.budget import actual_curve, expected_best, expected_curve
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
    assert np.all(curve.low <= curve.best)
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


def band_coverage(n_samples: int, n: int, k: int) -> float:
    """Return how often the band holds the expected best of k uniforms, 1/(k+1), of which it sees n."""
    rng, covered = np.random.default_rng(0), []
    for _ in range(n_samples):
        curve = expected_curve(finals(*rng.random(n)), np.empty(0, dtype=np.int64))
        assert curve is not None
        place = int(np.searchsorted(curve.n_trials, k))
        covered.append(curve.low[place] <= 1 / (k + 1) <= curve.high[place])
    return float(np.mean(covered))


def test_the_band_covers_19_in_20_far_from_its_end() -> None:
    assert band_coverage(150, 50, 4) == pytest.approx(0.945, abs=0.05)


@pytest.mark.slow
def test_the_band_at_length_and_that_it_is_too_narrow_at_its_end() -> None:
    assert band_coverage(1_500, 50, 4) == pytest.approx(0.945, abs=0.02)
    assert band_coverage(1_500, 50, 50) < 0.9, "as the page says"
