"""The tuning budget: how good the best of the first k trials is to be expected."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from studies.analysis.estimates import LEVEL, FloatArray, IntArray
from studies.analysis.finals import Finals

N_DRAWS = 500  #: behind the band
MIN_BANDED = 8  #: trials below which there is no band
BANDED_SHARE = 0.25  #: of the trials, the last k with a band; beyond, it hangs on values better than any that were seen
MAX_RANKS = 512  #: values that a band is made from at each k, which bounds its time
NEGLIGIBLE = 20  #: n of these over k values have the best of k among them, but for a chance of e to the power of -20
MAX_PLACES = 60  #: budgets k at most, evenly spaced on a logarithmic scale


@dataclass(frozen=True)
class BudgetCurve:
    """The best value against the number of trials, [G] each."""

    n_trials: IntArray  #: k, ascending
    best: FloatArray
    low: FloatArray  #: 95 % interval of the expected best, k by k; NaN where none can be given
    high: FloatArray
    is_expected: bool  #: whether `best` is the mean over all orders; otherwise it is that of the order that happened


def expected_best(values: FloatArray, places: IntArray) -> FloatArray:
    """Return the mean of the least of k values drawn from these without replacement: no order has to be chosen.

    It is the unbiased estimate of the expected best of k independent trials; drawing with replacement, as Dodge et
    al. (2019) do, is biased (Tang et al. 2020, "Showing Your Work Doesn't Always Work").

    Args:
        values: [..., N], finite.
        places: k, from 1 to N, [G].

    Returns:
        [..., G].
    """
    n = values.shape[-1]
    rest: FloatArray = np.arange(n - 1, -1, -1, dtype=np.float64)[None]
    chosen: FloatArray = (places - 1).astype(np.float64)[:, None]
    with np.errstate(invalid="ignore"):
        log_ways = _log_choose(rest, chosen) - _log_choose(np.array([[float(n)]]), chosen + 1)
    weights = np.where(rest >= chosen, np.exp(log_ways), 0.0)  # [G, N]: the i-th least is the least of the k drawn
    found: FloatArray = np.sort(values, axis=-1) @ (weights / weights.sum(axis=1, keepdims=True)).T
    return found


def expected_curve(finals: Finals, skipped: IntArray) -> BudgetCurve | None:
    """Return the expected best of k trials of a sampler that does not look at results, with its intervals.

    They have a band up to a quarter of the trials (`_band`); a bootstrap's covered 85 % there, and 60 % at the last k.

    Args:
        finals: of the study; a trial that is infinite counts as the worst finite one.
        skipped: numbers of trials that the sampler did not draw (the default and the enqueued settings), which no
            order may move.

    Returns:
        The curve; None where the sampler drew no trial that is complete.
    """
    values = _finite(finals.means[~np.isin(finals.numbers, skipped)])
    if not len(values):
        return None
    n = len(values)
    places = np.unique(np.geomspace(1, n, min(n, MAX_PLACES)).round().astype(np.int64))
    low, high = np.full((2, len(places)), np.nan)
    if n >= MIN_BANDED:
        banded = places <= BANDED_SHARE * n
        low[banded], high[banded] = _band(np.sort(values), places[banded])
    return BudgetCurve(places, expected_best(values, places), low, high, True)


def actual_curve(finals: Finals, order: IntArray) -> BudgetCurve | None:
    """Return the best value so far in the order of completion: of an adaptive sampler each trial leans on the others.

    One search is one observation, so there is no band.

    Args:
        finals: of the study.
        order: numbers of its trials as they completed.
    """
    values = _finite(finals.means)
    place = {int(number): index for index, number in enumerate(finals.numbers)}
    in_order = [values[place[number]] for number in order.tolist() if number in place]
    if not in_order:
        return None
    best = np.minimum.accumulate(np.array(in_order))
    bare = np.full(len(best), np.nan)
    return BudgetCurve(np.arange(1, len(best) + 1), best, bare, bare, False)


def _band(ordered: FloatArray, places: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the 95 % interval of the expected best of k trials, [G] each, from ascending values [N].

    Which share of all trials would lie below each of N independent values is distributed as N ordered uniforms, of any
    continuous distribution. So these are drawn, and what lies between two values counts as the lower one for the lower
    end and as the higher one for the upper end; what lies below the least value as two of its gaps to the next below
    it, but as 0 where that is less and no value is. Unlike a bootstrap, that holds for the least values too.

    Source: Cui & Hannig 2019, Biometrika 106 (nonparametric generalised fiducial inference).
    """
    n = len(ordered)
    gaps = np.random.default_rng(0).exponential(size=(n + 1, N_DRAWS))
    log_above = np.log1p(-np.cumsum(gaps[:-1], axis=0) / gaps.sum(axis=0))
    least = 3 * ordered[0] - 2 * ordered[1]
    least = max(least, 0.0) if ordered[0] >= 0 else least  # no loss is negative, a regret may be
    ends = []
    for k in places.tolist():
        n_seen = min(n, -(-n * NEGLIGIBLE // k))
        ranks = np.linspace(0, n_seen - 1, min(n_seen, MAX_RANKS)).astype(np.int64)
        are_above = np.exp(k * log_above[ranks].T)  # the chance that all of k lie above each value
        seen = ordered[ranks]
        low = least + are_above @ np.diff(seen, prepend=least)
        high = seen[0] + are_above @ np.diff(seen, append=seen[-1])
        ends.append((np.quantile(low, (1 - LEVEL) / 2), np.quantile(high, (1 + LEVEL) / 2)))
    found: FloatArray = np.array(ends).reshape(-1, 2).T
    return found[0], found[1]


def _finite(values: FloatArray) -> FloatArray:
    finite = values[np.isfinite(values)]
    return np.where(np.isfinite(values), values, finite.max()) if len(finite) else np.empty(0)


def _log_choose(n: FloatArray, k: FloatArray) -> FloatArray:
    found: FloatArray = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return found
