import numpy as np
import pytest

from studies.analysis.estimates import mean_estimate, median_estimate, t_half_width


def test_students_interval_of_a_known_sample() -> None:
    found = mean_estimate(np.array([1.0, 2.0, 3.0]))
    assert found.value == 2.0
    assert found.high == pytest.approx(2.0 + 4.302653 / np.sqrt(3), abs=1e-6)  # t of 2 degrees of freedom, by table
    assert found.low == pytest.approx(2.0 - 4.302653 / np.sqrt(3), abs=1e-6)


def test_one_observation_has_no_interval() -> None:
    found = mean_estimate(np.array([1.5]))
    assert (found.value, found.low, found.high) == (1.5, None, None)
    assert np.isnan(t_half_width(np.array([np.nan]), np.array([1.0])))[0]


def test_an_infinite_observation_leaves_no_interval() -> None:
    found = mean_estimate(np.array([1.0, np.inf]))
    assert (found.value, found.low, found.high) == (np.inf, None, None)


def test_students_interval_covers_19_in_20() -> None:
    samples = np.random.default_rng(0).normal(5.0, 2.0, size=(20_000, 3))
    half = t_half_width(samples.std(axis=1, ddof=1), np.full(20_000, 3.0))
    covered = np.abs(samples.mean(axis=1) - 5.0) <= half
    assert covered.mean() == pytest.approx(0.95, abs=0.006)  # four standard errors


@pytest.mark.parametrize(("n", "ends"), [(5, (None, None)), (6, (0.0, 5.0)), (9, (1.0, 7.0)), (20, (5.0, 14.0))])
def test_the_medians_interval_lies_between_known_ranks(n: int, ends: tuple[float | None, float | None]) -> None:
    found = median_estimate(np.random.default_rng(0).permutation(float(n) * np.linspace(0, 1, n, endpoint=False)))
    assert (found.low, found.high) == pytest.approx(ends)
    assert found.value == pytest.approx((n - 1) / 2)


def test_the_medians_interval_covers_at_least_19_in_20_whatever_the_distribution() -> None:
    rng = np.random.default_rng(0)
    found = [median_estimate(rng.exponential(size=15)) for _ in range(3_000)]
    covered = [one.low is not None and one.high is not None and one.low <= np.log(2) <= one.high for one in found]
    assert 0.95 <= np.mean(covered) <= 0.975  # exactly 0.9648


def test_a_median_among_the_diverged_is_infinite() -> None:
    assert median_estimate(np.array([1.0, np.inf, np.inf])).value == np.inf
    assert median_estimate(np.array([1.0, 2.0, np.inf])).value == 2.0
