import numpy as np
import pytest

from studies.analysis.profiles import performance_profile
from studies.analysis.shares import wilson

INF = np.inf


def test_a_profile_by_hand() -> None:
    costs = {"one": np.array([[10.0], [20.0]]), "two": np.array([[30.0], [10.0]]), "three": np.array([[5.0], [INF]])}
    found = performance_profile(("a", "b"), costs)
    assert found.factors.tolist() == [1.0, 2.0, 3.0]
    np.testing.assert_allclose(found.shares, [[2 / 3, 2 / 3, 1.0], [1 / 3, 2 / 3, 2 / 3]])
    assert found.n_seeds == 1
    one = wilson(2, 3)
    assert (found.low[0, 0], found.high[0, 0]) == (one.low, one.high)


def test_workloads_count_once_however_many_seeds_they_have() -> None:
    costs = {"many": np.array([[1.0] * 6, [2.0] * 6]), "few": np.array([[2.0, 2.0], [1.0, 1.0]])}
    found = performance_profile(("a", "b"), costs)
    np.testing.assert_allclose(found.shares, [[0.5, 1.0], [0.5, 1.0]])
    one = wilson(2, 4)  # two workloads with two seeds each, the fewest
    assert (found.low[0, 0], found.high[0, 0]) == pytest.approx((one.low, one.high))
    assert found.n_seeds == 2


def test_a_problem_that_nobody_solves_is_solved_by_nobody() -> None:
    found = performance_profile(("a", "b"), {"hard": np.full((2, 3), INF), "easy": np.array([[1.0] * 3, [1.0] * 3])})
    np.testing.assert_allclose(found.shares, [[0.5], [0.5]])


def band_coverage(n_samples: int, n_workloads: int, n_seeds: int) -> float:
    """Return how often the band holds how often a solver is the fastest, from 50 % to 90 % of a workload's seeds."""
    rng, shares, covered = np.random.default_rng(0), np.linspace(0.5, 0.9, n_workloads), []
    for _ in range(n_samples):
        first = 1.0 + (rng.random((n_workloads, n_seeds)) > shares[:, None])
        found = performance_profile(("a", "b"), {str(i): np.stack([one, 3 - one]) for i, one in enumerate(first)})
        covered.append(found.low[0, 0] <= shares.mean() <= found.high[0, 0])
    return float(np.mean(covered))


@pytest.mark.parametrize(("n_workloads", "n_seeds"), [(2, 3), (4, 3), (4, 5), (3, 10)])
def test_bands_cover_at_least_19_in_20(n_workloads: int, n_seeds: int) -> None:
    assert band_coverage(1_000, n_workloads, n_seeds) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 1_000)
