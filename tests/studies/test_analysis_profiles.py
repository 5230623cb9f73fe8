import numpy as np

from studies.analysis.profiles import performance_profile

INF = np.inf


def test_a_profile_by_hand() -> None:
    costs = {"one": np.array([[10.0], [20.0]]), "two": np.array([[30.0], [10.0]]), "three": np.array([[5.0], [INF]])}
    found = performance_profile(("a", "b"), costs)
    assert found.factors.tolist() == [1.0, 2.0, 3.0]
    np.testing.assert_allclose(found.shares, [[2 / 3, 2 / 3, 1.0], [1 / 3, 2 / 3, 2 / 3]])
    assert np.isnan(found.low).all() and found.n_seeds == 1


def test_workloads_count_once_however_many_seeds_they_have() -> None:
    costs = {"many": np.array([[1.0] * 6, [2.0] * 6]), "few": np.array([[2.0, 2.0], [1.0, 1.0]])}
    found = performance_profile(("a", "b"), costs)
    np.testing.assert_allclose(found.shares, [[0.5, 1.0], [0.5, 1.0]])
    np.testing.assert_allclose(found.low, found.shares)  # seeds agree, so the band is the line
    assert found.n_seeds == 2


def test_a_problem_that_nobody_solves_is_solved_by_nobody() -> None:
    found = performance_profile(("a", "b"), {"hard": np.full((2, 3), INF), "easy": np.array([[1.0] * 3, [1.0] * 3])})
    np.testing.assert_allclose(found.shares, [[0.5], [0.5]])


def test_bands_are_as_wide_as_the_seeds_differ() -> None:
    rng = np.random.default_rng(0)
    found = performance_profile(("a", "b"), {"w": rng.lognormal(size=(2, 40))})
    share, low, high = found.shares[0, 0], found.low[0, 0], found.high[0, 0]
    assert low < share < high
    half = 1.96 * np.sqrt(share * (1 - share) / 40)
    np.testing.assert_allclose([low, high], [share - half, share + half], atol=0.04)
