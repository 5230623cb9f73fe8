"""How long it takes to reach a target loss: a miss is later than every time, never absent."""

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
import pandas as pd

from studies.analysis.estimates import BoolArray, Estimate, FloatArray, IntArray
from studies.analysis.shares import wilson
from studies.analysis.survival import Survival, kaplan_meier
from studies.analysis.trials import booleans, floats

Unit = Literal["epochs", "steps", "seconds"]

TARGET_FACTOR = 1.1  #: a target that nobody set is within 10 % of the best value that was reached


def target_within(best: float | None) -> float | None:
    """Return the target that lies within 10 % of the best value; None where that says nothing, at 0 and below."""
    return TARGET_FACTOR * best if best is not None and 0 < best < np.inf else None


@dataclass(frozen=True)
class TargetTimes:
    """When each replicate (or trial) first was at or below a target; arrays are [N].

    A time of one that has not reached it is how long it was watched, infinite if it diverged: then it never will.
    """

    trials: IntArray
    replicates: IntArray
    epochs: FloatArray
    steps: FloatArray
    seconds: FloatArray  #: of training, evaluation left out
    reached: BoolArray

    def survival(self, unit: Unit) -> Survival:
        """Return the share that has not reached the target yet, against time in this unit."""
        times: FloatArray = getattr(self, unit)
        return kaplan_meier(times, self.reached)

    def of_trial(self, trial: int) -> "TargetTimes":
        """Return the times of the replicates of one trial."""
        own = self.trials == trial
        return TargetTimes(*(getattr(self, one.name)[own] for one in fields(self)))


@dataclass(frozen=True)
class TargetSummary:
    """How long it takes in the middle, and how many never got there."""

    epochs: Estimate  #: medians by Kaplan-Meier; infinite where half did not reach it
    steps: Estimate
    seconds: Estimate
    missed: Estimate  #: share of the replicates (or trials), from 0 to 1, with Wilson's interval
    n: int


def target_times(reached: pd.DataFrame) -> TargetTimes:
    """Return the times of a frame as `studies.db.aggregates.reached_frame` reads it: a row per replicate."""
    hit = booleans(reached["reached"])
    never = booleans(reached["diverged"]) & ~hit
    epochs, steps, seconds = (np.where(never, np.inf, floats(reached[unit])) for unit in ("epochs", "steps", "seconds"))
    trials, replicates = (reached[name].to_numpy(np.int64) for name in ("trial", "replicate"))
    return TargetTimes(trials, replicates, epochs, steps, seconds, hit)


def of_trials(times: TargetTimes) -> TargetTimes:
    """Return the times of trials: a trial has reached the target once at least half of its replicates have.

    Where too many diverged for that its time is infinite, else it is censored when the first of the rest was left.
    """
    order = np.lexsort((times.epochs, ~times.reached, times.trials))
    numbers, start, count = np.unique(times.trials[order], return_index=True, return_counts=True)
    half = (count + 1) // 2
    hits = np.add.reduceat(times.reached[order].astype(np.int64), start) if len(start) else count
    # sorted so that a trial's hits come first by time, then the censored by time, then the diverged
    place = order[start + np.where(hits >= half, half - 1, np.minimum(hits, count - 1))]
    left = np.add.reduceat(np.isfinite(times.epochs[order]).astype(np.int64), start) if len(start) else count
    never = (hits < half) & (left < half)
    epochs, steps, seconds = (
        np.where(never, np.inf, values[place]) for values in (times.epochs, times.steps, times.seconds)
    )
    reached = times.reached[place] & (hits >= half)
    return TargetTimes(numbers, np.zeros_like(numbers), epochs, steps, seconds, reached)


def target_summary(times: TargetTimes) -> TargetSummary:
    """Return the medians by Kaplan-Meier, and the share that did not reach the target while it was watched."""
    epochs, steps, seconds = (times.survival(unit).median for unit in ("epochs", "steps", "seconds"))
    n = len(times.reached)
    return TargetSummary(epochs, steps, seconds, wilson(float(np.sum(~times.reached)), n), n)
