"""The tuning budget: how good the best of the first k trials is to be expected."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from studies.analysis.estimates import LEVEL, FloatArray, IntArray
from studies.analysis.finals import Finals

N_RESAMPLES = 500
MAX_PLACES = 60  #: budgets k at most, evenly spaced on a logarithmic scale


@dataclass(frozen=True)
class BudgetCurve:
    """The best value against the number of trials, [G] each."""

    n_trials: IntArray  #: k, ascending
    best: FloatArray
    low: FloatArray  #: 95 % band over other searches of the same kind; NaN where none can be given
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
    """Return the expected best of k trials of a sampler that does not look at results, with a bootstrap band.

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
    drawn = values[np.random.default_rng(0).integers(n, size=(N_RESAMPLES, n))]
    low, high = np.quantile(expected_best(drawn, places), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    if n == 1:
        low = high = np.full(len(places), np.nan)
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


def _finite(values: FloatArray) -> FloatArray:
    finite = values[np.isfinite(values)]
    return np.where(np.isfinite(values), values, finite.max()) if len(finite) else np.empty(0)


def _log_choose(n: FloatArray, k: FloatArray) -> FloatArray:
    found: FloatArray = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return found
