"""What each replicate of a study's complete trials reached: the figures that comparisons are made of."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from studies.analysis.estimates import Estimate, FloatArray, IntArray
from studies.analysis.resampling import bootstrap_mean
from studies.analysis.targets import TargetTimes
from studies.analysis.trials import booleans, floats
from studies.objective import cap_of


@dataclass(frozen=True)
class Finals:
    """A value of each replicate of N trials; the least is the best."""

    quantity: str  #: an objective's name, or a column of the view `curves`
    numbers: IntArray  #: [N], ascending
    values: FloatArray  #: [N, R]; column r is replicate r; of a target that was missed, infinite
    horizon: float = np.inf  #: until when a replicate is watched: means are of the time spent up to it

    @cached_property
    def watched(self) -> FloatArray:
        """The values, [N, R], those beyond the horizon as far as they were watched: means of these are restricted.

        Source: Royston & Parmar 2013, BMC Medical Research Methodology 13 (restricted mean survival time).
        """
        found: FloatArray = np.minimum(self.values, self.horizon)
        return found

    @cached_property
    def means(self) -> FloatArray:
        """Means over the replicates of the values as far as they were watched, [N]."""
        found: FloatArray = np.mean(self.watched, axis=1)
        return found

    @property
    def best(self) -> int | None:
        """Index of the trial with the least mean, the first of equals; None without trials."""
        return int(np.argmin(self.means)) if len(self.numbers) else None


@dataclass(frozen=True)
class Judged:
    """The best setting of a study, as seeds judge it, [R] each."""

    trials: IntArray  #: which trial each seed judges
    values: FloatArray
    is_fair: bool  #: whether no seed judges a trial that it helped to choose; means of them are `judged_mean`


def finals_of(ends: pd.DataFrame, quantity: str, numbers: IntArray) -> Finals:
    """Return the last values, each at most ten times that at initialisation; of a diverged replicate, that cap.

    Args:
        ends: columns trial, replicate, first, last and diverged, a row per replicate
            (`studies.db.aggregates.ends_frame`).
        quantity: the column of the view `curves` that they are values of.
        numbers: the complete trials, ascending, [N]; those without a value of each replicate are left out.
    """
    first, last = floats(ends["first"]), floats(ends["last"])
    cap = np.array([cap_of(value) for value in first])
    values = np.where(booleans(ends["diverged"]), cap, np.minimum(last, cap))
    return _finals(quantity, numbers, ends["trial"].to_numpy(np.int64), ends["replicate"].to_numpy(np.int64), values)


def finals_of_target(times: TargetTimes, epochs: int, numbers: IntArray) -> Finals:
    """Return the epochs at which the replicates reached the target, infinite for a miss, watched for `epochs`."""
    values = np.where(times.reached, times.epochs, np.inf)
    return _finals("epochs_to_target", numbers, times.trials, times.replicates, values, float(epochs))


def _finals(
    quantity: str,
    numbers: IntArray,
    trials: IntArray,
    replicates: IntArray,
    values: FloatArray,
    horizon: float = np.inf,
) -> Finals:
    wanted = np.isin(trials, numbers)
    trials, replicates, values = trials[wanted], replicates[wanted], values[wanted]
    table = np.full((len(numbers), int(replicates.max()) + 1 if len(replicates) else 1), np.nan)
    table[np.searchsorted(numbers, trials), replicates] = values
    known = ~np.isnan(table).any(axis=1)
    return Finals(quantity, numbers[known], table[known], horizon)


def judge(finals: Finals) -> Judged | None:
    """Return the best setting judged by each seed: chosen by the mean over that half of the seeds which it is not in.

    The figures that chose a setting flatter it; those of seeds that had no part in it do not. The halves are the even
    and the odd seeds: leaving out one at a time, the verdicts hang on each other so much that intervals of their mean
    cover 70 % at ten seeds. With one seed the same figures choose and judge. None without trials.
    """
    if not len(finals.numbers):
        return None
    n_seeds = finals.values.shape[1]
    is_odd = np.arange(n_seeds) % 2 == 1
    index = np.empty(n_seeds, dtype=np.int64)
    for judges in (is_odd, ~is_odd):
        choosers = judges if n_seeds == 1 else ~judges
        if judges.any():
            index[judges] = np.argmin(finals.watched[:, choosers].mean(axis=1))
    return Judged(finals.numbers[index], finals.values[index, np.arange(n_seeds)], n_seeds > 1)


def judged_mean(values: FloatArray) -> Estimate:
    """Return the mean of what seeds judged, [R], with an interval that allows for the choice by the other half.

    Each half's verdicts are independent given what it judges, but the halves hang on each other by their choices. By
    the Cauchy-Schwarz inequality the standard error is at most that of halves which agree wholly, up to √2 times the
    one of R independent seeds.
    """
    plain = bootstrap_mean(values)
    if plain.low is None or plain.high is None:
        return plain
    factor = dependence(len(values)) ** 0.5
    return Estimate(plain.value, *(plain.value + factor * (end - plain.value) for end in (plain.low, plain.high)))


def dependence(n_seeds: int) -> float:
    """Return how many times the variance of a mean of seeds is at most that of independent ones, from 1 to 2."""
    first = (n_seeds + 1) // 2
    return float((first**0.5 + (n_seeds - first) ** 0.5) ** 2 / n_seeds)
