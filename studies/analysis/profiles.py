"""Performance profiles: on which share of the problems a solver comes within a factor of the best one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from studies.analysis.estimates import FloatArray
from studies.analysis.shares import wilson_bounds


@dataclass(frozen=True)
class Profile:
    """The share of problems that each solver solves within a factor of the best, Dolan and Moré's rho(tau)."""

    solvers: tuple[str, ...]
    factors: FloatArray  #: tau, [G], from 1, every place at which a share changes
    shares: FloatArray  #: [S, G]
    low: FloatArray  #: 95 % band over seeds, factor by factor, the workloads held fixed, [S, G]
    high: FloatArray
    problems: tuple[str, ...]  #: the workloads
    n_seeds: int  #: the fewest that a workload has


def performance_profile(solvers: tuple[str, ...], costs: Mapping[str, FloatArray]) -> Profile:
    """Return the profile of Dolan and Moré (2002, Mathematical Programming 91); every seed of a workload is a problem.

    Each workload counts once, however many seeds it has. The band is Wilson's of as many problems as there would be if
    each workload had the fewest seeds that one has. Shares that differ between the workloads vary less than one share
    of all does (Hoeffding 1956, Annals of Mathematical Statistics 27), so it covers 95 % or more; resampling three
    seeds covered 80 %.

    Args:
        solvers: S names.
        costs: of each workload (there is one at least) the cost of each solver for each seed, [S, R], above 0;
            infinite is unsolved.
    """
    ratios = [_ratios(cost) for cost in costs.values()]
    finite = np.concatenate([one[np.isfinite(one)] for one in ratios])
    factors = np.unique(np.append(finite, 1.0))
    shares = _shares(ratios, factors)
    n_seeds = min(one.shape[1] for one in ratios)
    n_problems = n_seeds * len(ratios)
    low, high = wilson_bounds(shares * n_problems, np.full(shares.shape, n_problems))
    return Profile(solvers, factors, shares, low, high, tuple(costs), n_seeds)


def _ratios(costs: FloatArray) -> FloatArray:
    """Return the costs over the least of each problem, [S, R]; infinite where a solver, or all, do not solve it."""
    best = np.min(costs, axis=0)
    return np.where(np.isfinite(costs), costs / np.where(np.isfinite(best), best, 1.0), np.inf)


def _shares(ratios: list[FloatArray], factors: FloatArray) -> FloatArray:
    within = [np.mean(one[:, :, None] <= factors * (1 + 1e-12), axis=1) for one in ratios]
    found: FloatArray = np.mean(within, axis=0)
    return found
