"""Values with the intervals around them; every interval here covers 95 %."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

LEVEL = 0.95  #: coverage of every interval


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; the bounds are None where too few observations allow one."""

    value: float
    low: float | None
    high: float | None


def t_half_width(std: FloatArray, n: FloatArray) -> FloatArray:
    """Return half the width of Student's interval of a mean.

    Args:
        std: sample standard deviations, [...].
        n: observations behind each, [...].

    Returns:
        Half widths, [...]; NaN where there are fewer than two observations.
    """
    enough = (n >= 2) & np.isfinite(std)
    freedom = np.where(enough, n - 1, 1.0)
    quantile = stats.t.ppf(0.5 + LEVEL / 2, freedom)
    return np.where(enough, quantile * std / np.sqrt(np.maximum(n, 1)), np.nan)


def mean_estimate(values: FloatArray) -> Estimate:
    """Return the mean of [N] observations with Student's interval."""
    mean, n = float(np.mean(values)), len(values)
    if n < 2 or not np.isfinite(mean):
        return Estimate(mean, None, None)
    half = float(t_half_width(np.std(values, ddof=1, keepdims=True), np.array([float(n)]))[0])
    return Estimate(mean, mean - half, mean + half)


def median_estimate(values: FloatArray) -> Estimate:
    """Return the median of [N] observations, with the interval between two order statistics.

    The interval holds for any distribution, infinite values included; it needs six observations (Conover 1999,
    Practical Nonparametric Statistics, section 3.2).
    """
    ordered, n = np.sort(values), len(values)
    median = float((ordered[(n - 1) // 2] + ordered[n // 2]) / 2)
    rank = int(stats.binom.ppf((1 - LEVEL) / 2, n, 0.5))
    if rank == 0:
        return Estimate(median, None, None)
    return Estimate(median, float(ordered[rank - 1]), float(ordered[n - rank]))
