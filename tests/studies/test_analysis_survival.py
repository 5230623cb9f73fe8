"""Kaplan-Meier's curve and median on data whose answer is known, and the coverage of their intervals."""

import numpy as np
import pytest

from studies.analysis.survival import Survival, kaplan_meier

INF = np.inf


def test_the_curve_of_a_worked_example() -> None:
    times = np.array([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35], dtype=np.float64)
    happened = np.isin(np.arange(21), [0, 1, 2, 4, 6, 9, 10, 14, 15])
    found = kaplan_meier(times, happened)
    assert found.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert found.n_at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    # Freireich's patients under 6-MP, as in Kalbfleisch & Prentice and in every textbook since
    np.testing.assert_allclose(found.share, [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], atol=5e-4)
    np.testing.assert_allclose(found.low[[0, -1]], [0.620, 0.188], atol=5e-4)  # R: survfit(conf.type = "log-log")
    np.testing.assert_allclose(found.high[[0, -1]], [0.952, 0.680], atol=5e-4)
    assert (found.median.value, found.median.low, found.median.high) == (23, 13, INF)


def test_without_censoring_it_is_the_empirical_distribution() -> None:
    found = kaplan_meier(np.array([3.0, 1.0, 2.0, 2.0]), np.ones(4, dtype=np.bool_))
    np.testing.assert_allclose(found.share, [0.75, 0.25, 0.0])
    assert found.median.value == 2.0
    assert found.low[-1] == 0.0 and found.high[-1] == found.high[-2]


def test_what_can_never_happen_stays_at_risk() -> None:
    never = kaplan_meier(np.array([1.0, INF, INF]), np.array([True, False, False]))
    assert never.n_at_risk.tolist() == [3]
    assert (never.median.value, never.end) == (INF, 1.0)
    left = kaplan_meier(np.array([1.0, 0.5, 0.5]), np.array([True, False, False]))
    assert left.share.tolist() == [0.0]  # those who left early tell nothing of what came later


def test_nothing_happened_or_nothing_was_seen() -> None:
    found = kaplan_meier(np.full(20, 5.0), np.zeros(20, dtype=np.bool_))
    share, low, high = found.at(np.array([0.0, 5.0]))
    assert share.tolist() == high.tolist() == [1.0, 1.0]
    np.testing.assert_allclose(low, 0.8316, atol=1e-4)  # Clopper and Pearson's for none of 20
    empty = kaplan_meier(np.empty(0), np.empty(0, dtype=np.bool_))
    assert (empty.median.value, empty.median.low) == (INF, None)


def censored_exponential(rng: np.random.Generator, n: int) -> Survival:
    """Return the curve of exponential times with mean 1, censored by others with mean 2: a third is not seen."""
    times, ends = rng.exponential(1.0, n), rng.exponential(2.0, n)
    return kaplan_meier(np.minimum(times, ends), times <= ends)


def test_censored_exponential_times_are_recovered() -> None:
    found = censored_exponential(np.random.default_rng(1), 20_000)
    places = np.array([0.1, 0.5, 1.0, 2.0])
    share, low, high = found.at(places)
    np.testing.assert_allclose(share, np.exp(-places), atol=0.015)
    assert np.all((low < share) & (share < high))
    assert found.median.value == pytest.approx(np.log(2), rel=0.03)


def test_the_median_of_few_has_no_interval() -> None:
    """Four observations all lie above the median in 1 of 16 cases, which nothing that was seen would tell."""
    few = kaplan_meier(np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4, dtype=np.bool_)).median
    assert (few.value, few.low, few.high) == (2.0, None, None)
    more = kaplan_meier(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.ones(5, dtype=np.bool_)).median
    assert (more.value, more.low, more.high) == (3.0, 1.0, INF)


def coverage(n_samples: int, n: int) -> tuple[float, float]:
    """Return how often the intervals hold the share left at 0.7 and the median."""
    rng = np.random.default_rng(0)
    hits = np.zeros((n_samples, 2))
    for sample in range(n_samples):
        found = censored_exponential(rng, n)
        _, low, high = found.at(np.array([0.7]))
        median = found.median
        assert median.low is not None and median.high is not None
        hits[sample] = low[0] <= np.exp(-0.7) <= high[0], median.low <= np.log(2) <= median.high
    share, median_share = hits.mean(axis=0)
    return float(share), float(median_share)


@pytest.mark.parametrize("n", [5, 8, 40])
def test_intervals_cover_19_in_20(n: int) -> None:
    """Nearly all, of few: then they reach from the first observation to ∞."""
    for found in coverage(400, n):
        assert 0.915 <= found <= (0.985 if n == 40 else 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 40, 100])
def test_intervals_cover_19_in_20_at_length(n: int) -> None:
    for found in coverage(6_000, n):
        assert found == pytest.approx(0.95, abs=0.02)
