"""What each replicate of a study's complete trials reached: the figures that comparisons are made of."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from studies.analysis.estimates import FloatArray, IntArray
from studies.analysis.targets import TargetTimes
from studies.analysis.trials import booleans, floats
from studies.objective import cap_of


@dataclass(frozen=True)
class Finals:
    """A value of each replicate of N trials; the least is the best."""

    quantity: str  #: an objective's name, or a column of the view `curves`
    numbers: IntArray  #: [N], ascending
    values: FloatArray  #: [N, R]; column r is replicate r

    @cached_property
    def means(self) -> FloatArray:
        """Means over the replicates, [N]."""
        found: FloatArray = np.mean(self.values, axis=1)
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
    is_fair: bool  #: whether no seed judges a trial that it helped to choose


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
    """Return the epochs at which the replicates reached the target; a miss counts as twice the study's epochs."""
    values = np.where(times.reached, times.epochs, 2.0 * epochs)
    return _finals("epochs_to_target", numbers, times.trials, times.replicates, values)


def _finals(quantity: str, numbers: IntArray, trials: IntArray, replicates: IntArray, values: FloatArray) -> Finals:
    wanted = np.isin(trials, numbers)
    trials, replicates, values = trials[wanted], replicates[wanted], values[wanted]
    table = np.full((len(numbers), int(replicates.max()) + 1 if len(replicates) else 1), np.nan)
    table[np.searchsorted(numbers, trials), replicates] = values
    known = ~np.isnan(table).any(axis=1)
    return Finals(quantity, numbers[known], table[known])


def judge(finals: Finals) -> Judged | None:
    """Return the best setting judged by each seed: chosen by the mean over the other seeds, left out of the choice.

    The figures that chose a setting flatter it; those of the seed that was left out do not. With one seed the same
    figures choose and judge. None without trials.
    """
    if not len(finals.numbers):
        return None
    n_seeds = finals.values.shape[1]
    if n_seeds == 1:
        index = np.array([np.argmin(finals.values[:, 0])])
    else:
        with np.errstate(invalid="ignore"):  # infinite less infinite
            others = [np.delete(finals.values, seed, axis=1).mean(axis=1) for seed in range(n_seeds)]
        index = np.array([np.argmin(means) for means in others])
    return Judged(finals.numbers[index], finals.values[index, np.arange(n_seeds)], n_seeds > 1)
