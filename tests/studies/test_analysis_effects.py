"""Bootstrap intervals of means and probabilities of superiority, against what is known in closed form."""

import numpy as np
import pytest

from studies.analysis.estimates import FloatArray, mean_estimate
from studies.analysis.resampling import bootstrap_mean
from studies.analysis.shares import wilson
from studies.analysis.superiority import paired_superiority, superiority


def test_few_observations_take_students_interval() -> None:
    values = np.array([1.0, 2.0, 4.0, 8.0, 9.0, 11.0, 12.0])
    assert bootstrap_mean(values) == mean_estimate(values)
    assert bootstrap_mean(np.array([2.0])).low is None
    constant = bootstrap_mean(np.full(12, 3.0))
    assert (constant.low, constant.value, constant.high) == (3.0, 3.0, 3.0)


def test_the_bootstrap_agrees_with_students_interval_on_normal_data() -> None:
    values = np.random.default_rng(3).normal(size=400)
    ours, student = bootstrap_mean(values), mean_estimate(values)
    assert ours == bootstrap_mean(values), "it is seeded"
    assert ours.low is not None and ours.high is not None and student.low is not None and student.high is not None
    assert (ours.low, ours.high) == pytest.approx((student.low, student.high), abs=0.015)


def mean_coverage(n_samples: int, n: int) -> float:
    """Return how often the interval holds the mean of a lognormal, exp(1/8), of which it sees n."""
    rng = np.random.default_rng(0)
    found = [bootstrap_mean(rng.lognormal(sigma=0.5, size=n)) for _ in range(n_samples)]
    truth = np.exp(0.125)
    return float(
        np.mean([one.low is not None and one.high is not None and one.low <= truth <= one.high for one in found])
    )


def test_the_bootstrap_covers_19_in_20_of_skewed_data() -> None:
    assert mean_coverage(300, 15) == pytest.approx(0.95, abs=0.035)


@pytest.mark.slow
@pytest.mark.parametrize("n", [8, 15, 30])
def test_the_bootstrap_covers_19_in_20_at_length(n: int) -> None:
    assert mean_coverage(3_000, n) == pytest.approx(0.95, abs=0.025)


def test_planted_pairs_are_counted() -> None:
    found = paired_superiority(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 3.0, 3.0, 1.0]), 4.0)
    assert found == wilson(2.5, 4)


def test_superiority_of_small_samples_by_hand() -> None:
    found = superiority(np.array([1.0, 2.0, 5.0]), np.array([2.0, 4.0, np.inf]))
    assert found.value == pytest.approx((3 + 2.5 + 1) / 9)
    assert found.low is not None and found.high is not None and 0 < found.low < found.value < found.high < 1
    apart = superiority(np.zeros(5), np.ones(20))
    assert apart.value == apart.high == 1.0
    assert apart.low == pytest.approx(0.5655, abs=1e-4)  # Wilson's for 5 of 5
    assert superiority(np.zeros(1), np.ones(3)).low is None


def superiority_coverage(n_samples: int, sizes: tuple[int, int], truth: float = 2 / 3) -> float:
    """Return how often the interval holds P(X < Y) of exponentials, the odds of which are the ratio of their means."""
    rng = np.random.default_rng(0)

    def draw() -> tuple[FloatArray, FloatArray]:
        return rng.exponential(1.0, sizes[0]), rng.exponential(truth / (1 - truth), sizes[1])

    found = [superiority(*draw()) for _ in range(n_samples)]
    return float(
        np.mean([one.low is not None and one.high is not None and one.low <= truth <= one.high for one in found])
    )


def test_superiority_covers_19_in_20() -> None:
    assert superiority_coverage(1_500, (24, 32)) == pytest.approx(0.955, abs=0.02)


@pytest.mark.parametrize("truth", [0.05, 0.95, 0.99])
def test_superiority_covers_19_in_20_of_samples_almost_apart(truth: float) -> None:
    """DeLong's interval alone covers 82 % of 0.99."""
    assert superiority_coverage(600, (64, 64), truth) >= 0.92


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(8, 8), (10, 10), (64, 32)])
@pytest.mark.parametrize("truth", [0.5, 2 / 3, 0.95])
def test_superiority_covers_19_in_20_at_length(sizes: tuple[int, int], truth: float) -> None:
    assert 0.93 <= superiority_coverage(10_000, sizes, truth) <= 0.99
