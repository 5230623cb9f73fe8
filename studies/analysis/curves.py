"""Curves of the replicates, aligned by epoch: a diverged replicate counts as the worst, never as absent."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from studies import objective
from studies.analysis.estimates import FloatArray, IntArray
from studies.analysis.trials import booleans, floats


@dataclass(frozen=True)
class CurveSet:
    """A quantity of each replicate after each epoch: NaN is not recorded, +inf is diverged."""

    trials: IntArray  #: [N], ascending
    replicates: IntArray  #: [N]
    values: FloatArray  #: [N, T]; column t is epoch t, 0 the initialisation


@dataclass(frozen=True)
class Band:
    """Median and two quantiles over curves, epoch by epoch; +inf where they reach into the diverged, [T] each."""

    median: FloatArray
    low: FloatArray
    high: FloatArray


def align(curves: pd.DataFrame, quantity: str) -> CurveSet:
    """Return the curves of a frame with the columns of the view `curves`.

    Args:
        curves: a row per replicate and epoch, in any order.
        quantity: the column to take (`train_loss`, `test_error` ...).
    """
    trial, replicate = curves["trial"].to_numpy(np.int64), curves["replicate"].to_numpy(np.int64)
    epoch, diverged = curves["epoch"].to_numpy(np.int64), booleans(curves["diverged"])
    n_replicates, n_epochs = (int(column.max()) + 1 if len(curves) else 0 for column in (replicate, epoch))
    keys, row = np.unique(trial * n_replicates + replicate, return_inverse=True)
    values = np.full((len(keys), n_epochs), np.nan)
    values[row, epoch] = floats(curves[quantity])
    first_diverged = np.full(len(keys), n_epochs)
    first_diverged[row[diverged]] = epoch[diverged]
    values[np.arange(n_epochs) >= first_diverged[:, None]] = np.inf
    return CurveSet(keys // max(1, n_replicates), keys % max(1, n_replicates), values)


def of_trial(curves: CurveSet, trial: int) -> FloatArray:
    """Return the curves of one trial, [n_seeds, T]."""
    chosen: FloatArray = curves.values[curves.trials == trial]
    return chosen


def median_of_each_trial(curves: CurveSet) -> FloatArray:
    """Return each trial's median over its replicates, [number of trials, T], by ascending number of the trial."""
    n_replicates = int(curves.replicates.max()) + 1 if len(curves.replicates) else 0
    numbers, row = np.unique(curves.trials, return_inverse=True)
    stacked = np.full((n_replicates, len(numbers), curves.values.shape[1]), np.nan)
    stacked[curves.replicates, row] = curves.values
    return quantile(stacked, 0.5)


def band(values: FloatArray, low: float, high: float) -> Band:
    """Return the median and the quantiles `low` and `high` over curves [N, T]."""
    return Band(quantile(values, 0.5), quantile(values, low), quantile(values, high))


def quantile(values: FloatArray, share: float) -> FloatArray:
    """Return a quantile over the first axis that leaves NaN out and counts +inf as the greatest value.

    Args:
        values: [N, ...].
        share: from 0 to 1; between two observations the result is interpolated, and infinite if either is.

    Returns:
        [...]; NaN where all is NaN.
    """
    if not len(values):
        return np.full(values.shape[1:], np.nan)
    ordered = np.sort(values, axis=0)  # NaN comes last
    place = share * np.maximum(np.sum(~np.isnan(values), axis=0) - 1, 0)
    below = np.floor(place).astype(np.int64)[None]
    above = np.ceil(place).astype(np.int64)[None]
    left, right = (np.take_along_axis(ordered, index, axis=0)[0] for index in (below, above))
    gap = np.where(np.isinf(right), 0.0, right) - np.where(np.isinf(left), 0.0, left)
    inside = np.where(np.isinf(left), np.inf, left + (place - below[0]) * gap)
    return np.where(np.isinf(right), np.inf, inside)


def cap_of(curves: CurveSet) -> float | None:
    """Return what a diverged replicate counts as, as in the objective: ten times the value at initialisation.

    That value is the mean over replicates; None where none is recorded.
    """
    first = curves.values[:, 0] if curves.values.shape[1] else np.empty(0)
    first = first[np.isfinite(first)]
    return objective.cap_of(float(np.mean(first))) if len(first) else None
