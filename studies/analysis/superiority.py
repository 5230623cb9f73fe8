"""How often one sample lies below another: an effect size that needs no scale and bears infinite values."""

import numpy as np
from scipy import optimize, stats

from studies.analysis.estimates import LEVEL, Estimate, FloatArray
from studies.analysis.shares import wilson


def paired_superiority(first: FloatArray, second: FloatArray, n_independent: float) -> Estimate:
    """Return the share of pairs of which the first is lower, ties counting half, with Wilson's interval.

    Args:
        first: [N].
        second: [N], each paired with that of `first` in the same place.
        n_independent: how many independent pairs they are worth.
    """
    wins = np.sum(first < second) + np.sum(first == second) / 2
    return wilson(float(wins) / len(first) * n_independent, n_independent)


def superiority(first: FloatArray, second: FloatArray) -> Estimate:
    """Return the probability that a value of the first sample lies below one of the second, ties counting half.

    Cliff's delta is twice that less one. Each end of the interval is the farther one of two: DeLong, DeLong and
    Clarke-Pearson's (1988, Biometrics 44) on the scale of the logarithmic odds, which bears samples of unlike spread,
    and Newcombe's (2006, Statistics in Medicine 25, method 5), which does not take the few losers of samples almost
    apart for all there are: alone the first covered 82 % of a probability of 0.99. Where one sample lies wholly below
    the other it is Wilson's for the smaller sample, since no variance is seen then.

    Args:
        first: [M] independent observations.
        second: [N].

    Returns:
        The estimate; its bounds are None where a sample has fewer than two.
    """
    m, n = len(first), len(second)
    if min(m, n) < 2:
        return Estimate(float(np.mean(_wins(first, second))) if min(m, n) else np.nan, None, None)
    of_first, of_second = _wins(first, second), 1 - _wins(second, first)
    share = float(np.mean(of_first))
    variance = np.var(of_first, ddof=1) / m + np.var(of_second, ddof=1) / n
    if not 0 < share < 1 or variance == 0:
        few = wilson(share * min(m, n), min(m, n))
        return Estimate(share, few.low, few.high)
    odds = np.log(share / (1 - share))
    half = stats.norm.ppf(0.5 + LEVEL / 2) * np.sqrt(variance) / (share * (1 - share))
    low, high = 1 / (1 + np.exp(-(odds + half * np.array([-1.0, 1.0]))))
    left, right = _newcombe(share, m, n)
    return Estimate(share, min(float(low), left), max(float(high), right))


def _newcombe(share: float, m: int, n: int) -> tuple[float, float]:
    """Return the probabilities, between which an observed share lies, whose variances allow for it."""
    z, others = stats.norm.ppf(0.5 + LEVEL / 2), (m + n) / 2 - 1

    def excess(p: float) -> float:
        variance = p * (1 - p) * (1 + others * ((1 - p) / (2 - p) + p / (1 + p))) / (m * n)
        return float((share - p) ** 2 - z**2 * variance)

    return float(optimize.brentq(excess, 0.0, share)), float(optimize.brentq(excess, share, 1.0))


def _wins(values: FloatArray, others: FloatArray) -> FloatArray:
    """Return, of each value [M], the share of the others [N] that lie above it, equals counting half; [M]."""
    ordered = np.sort(others)
    above = len(others) - np.searchsorted(ordered, values, side="right")
    level = len(others) - np.searchsorted(ordered, values, side="left")
    return (above + level) / (2 * len(others))
