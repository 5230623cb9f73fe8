"""Shares with Wilson's interval, and shares along a hyperparameter."""

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from studies.analysis.axes import Axis
from studies.analysis.estimates import LEVEL, BoolArray, Estimate, FloatArray, IntArray

TRIALS_PER_BIN = 8  #: on average, at least
MAX_BINS = 12


@dataclass(frozen=True)
class BinnedShare:
    """The share of trials that something holds of, along a hyperparameter; arrays are [B] without empty bins."""

    left: FloatArray  #: coordinates of the bins' ends; the same twice for a value of a list
    right: FloatArray
    n: IntArray
    share: FloatArray
    low: FloatArray  #: 95 % interval
    high: FloatArray


def wilson(n_hits: float, n: float) -> Estimate:
    """Return a share with Wilson's score interval (1927, JASA 22); without trials its bounds are None."""
    if not n:
        return Estimate(np.nan, None, None)
    low, high = wilson_bounds(np.array([n_hits], dtype=np.float64), np.array([n], dtype=np.float64))
    return Estimate(n_hits / n, float(low[0]), float(high[0]))


def wilson_bounds(n_hits: FloatArray, n: FloatArray | IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the ends of Wilson's intervals of shares `n_hits / n`, [B] each; n is above 0.

    Where few hit, or few do not, the end beside them is that of a Poisson count: Wilson's own covers as little as 83 %
    of shares near 0 and 1 (Brown, Cai & DasGupta 2001, Statistical Science 16, section 4.1, the modified interval).
    """
    z = stats.norm.ppf(0.5 + LEVEL / 2)
    share = n_hits / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    few, misses = np.where(n > 50, 3, 2), n - n_hits
    low = np.where((n_hits > 0) & (n_hits < few + 0.5), special.gammaincinv(n_hits, 1 - LEVEL) / n, centre - half)
    high = np.where((misses > 0) & (misses < few + 0.5), 1 - special.gammaincinv(misses, 1 - LEVEL) / n, centre + half)
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def binned_share(axis: Axis, coordinates: FloatArray, holds: BoolArray) -> BinnedShare:
    """Return the share of trials that something holds of, in bins of equal width on the axis's scale.

    Args:
        axis: the hyperparameter; each value of a list is a bin of its own.
        coordinates: of the trials on this axis, [N].
        holds: of the trials, [N].
    """
    if axis.choices is not None:
        left = right = np.array(axis.choices)
        index = np.searchsorted(left, coordinates)
    else:
        n_bins = int(np.clip(len(coordinates) // TRIALS_PER_BIN, 1, MAX_BINS))
        edges = axis.at(np.linspace(0.0, 1.0, n_bins + 1))
        left, right = edges[:-1], edges[1:]
        index = np.clip((axis.positions(coordinates) * n_bins).astype(np.int64), 0, n_bins - 1)
    n = np.bincount(index, minlength=len(left))
    hits: FloatArray = np.bincount(index, weights=holds, minlength=len(left)).astype(np.float64)
    some = n > 0
    low, high = wilson_bounds(hits[some], n[some])
    return BinnedShare(left[some], right[some], n[some], hits[some] / n[some], low, high)
