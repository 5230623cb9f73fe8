"""Performance profiles: on which share of the problems a solver comes within a factor of the best one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from studies.analysis.estimates import LEVEL, FloatArray

N_RESAMPLES = 500


@dataclass(frozen=True)
class Profile:
    """The share of problems that each solver solves within a factor of the best, Dolan and Moré's rho(tau)."""

    solvers: tuple[str, ...]
    factors: FloatArray  #: tau, [G], from 1, every place at which a share changes
    shares: FloatArray  #: [S, G]
    low: FloatArray  #: 95 % band over seeds, the workloads held fixed, [S, G]; NaN where each has one seed
    high: FloatArray
    problems: tuple[str, ...]  #: the workloads
    n_seeds: int  #: the fewest that a workload has


def performance_profile(solvers: tuple[str, ...], costs: Mapping[str, FloatArray]) -> Profile:
    """Return the profile of Dolan and Moré (2002, Mathematical Programming 91); every seed of a workload is a problem.

    Each workload counts once, however many seeds it has.

    Args:
        solvers: S names.
        costs: of each workload (there is one at least) the cost of each solver for each seed, [S, R], above 0;
            infinite is unsolved.
    """
    ratios = [_ratios(cost) for cost in costs.values()]
    finite = np.concatenate([one[np.isfinite(one)] for one in ratios])
    factors = np.unique(np.append(finite, 1.0))
    shares = _shares(ratios, factors)
    rng, n_seeds = np.random.default_rng(0), min(one.shape[1] for one in ratios)
    low = high = np.full(shares.shape, np.nan)
    if n_seeds > 1:
        drawn = [
            _shares([one[:, rng.integers(one.shape[1], size=one.shape[1])] for one in ratios], factors)
            for _ in range(N_RESAMPLES)
        ]
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return Profile(solvers, factors, shares, low, high, tuple(costs), n_seeds)


def _ratios(costs: FloatArray) -> FloatArray:
    """Return the costs over the least of each problem, [S, R]; infinite where a solver, or all, do not solve it."""
    best = np.min(costs, axis=0)
    return np.where(np.isfinite(costs), costs / np.where(np.isfinite(best), best, 1.0), np.inf)


def _shares(ratios: list[FloatArray], factors: FloatArray) -> FloatArray:
    within = [np.mean(one[:, :, None] <= factors * (1 + 1e-12), axis=1) for one in ratios]
    found: FloatArray = np.mean(within, axis=0)
    return found
