"""Studies compared by their best settings, paired by seed and workload, with effect sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studies.analysis.estimates import Estimate, FloatArray
from studies.analysis.finals import Finals, dependence, judge, judged_mean
from studies.analysis.resampling import bootstrap_mean
from studies.analysis.superiority import paired_superiority, superiority


@dataclass(frozen=True)
class Comparison:
    """One study's best setting against that of another on the same workload; below 1 (or 0) the first is better."""

    quantity: str
    ratio: Estimate | None  #: geometric mean of the first's values over the second's; None where a value is 0 or ∞
    difference: Estimate | None  #: mean of the first's values less the second's; None where a target was missed
    wins: Estimate  #: share of the seeds for which the first's value is lower
    settings: Estimate  #: probability that a random setting of the first beats one of the second
    is_fair: bool  #: whether the seeds that judge a setting had no part in choosing it
    n_pairs: int

    @property
    def cliffs_delta(self) -> Estimate:
        """Cliff's delta of the settings, from -1 to 1: above 0 those of the first are better."""
        low, high = (None if bound is None else 2 * bound - 1 for bound in (self.settings.low, self.settings.high))
        return Estimate(2 * self.settings.value - 1, low, high)


def compare(first: Finals, second: Finals) -> Comparison | None:
    """Return what two studies of one workload and seed differ by, as their best settings go.

    Replicates of one index share initial weights and the order of the data, so their differences are free of both.
    The settings are those that each study happened to try: the intervals are over seeds, not over other searches.

    Args:
        first: of a study.
        second: of the other, in the same quantity.

    Returns:
        The comparison; None where a study has no complete trial, or none whose loss stays finite. Of targets, a miss
        is later than every time: it has no ratio and no difference, but it loses, and two of them are a tie.
    """
    ours, theirs = judge(first), judge(second)
    if ours is None or theirs is None:
        return None
    n = min(len(ours.values), len(theirs.values))
    left, right = ours.values[:n], theirs.values[:n]
    is_finite = bool(np.isfinite(left).all() and np.isfinite(right).all())
    if not is_finite and np.isinf(first.horizon):
        return None
    return Comparison(
        quantity=first.quantity,
        ratio=ratio_estimate(left, right),
        difference=judged_mean(left - right) if is_finite else None,
        wins=paired_superiority(left, right, n / dependence(n)),
        settings=superiority(first.means, second.means),
        is_fair=ours.is_fair and theirs.is_fair,
        n_pairs=n,
    )


def ratio_estimate(left: FloatArray, right: FloatArray) -> Estimate | None:
    """Return the geometric mean of ratios of judged values, [R] each; None where a value is 0, less or ∞."""
    if min(left.min(), right.min()) <= 0 or np.isinf(max(left.max(), right.max())):
        return None
    return _exponential(judged_mean(np.log(left / right)))


def over_workloads(comparisons: Sequence[Comparison]) -> Estimate | None:
    """Return the geometric mean of the ratios over workloads, each counting once; None without at least two ratios.

    The interval is over workloads: it tells what to expect of another workload like these.
    """
    ratios = [one.ratio.value for one in comparisons if one.ratio is not None]
    return _exponential(bootstrap_mean(np.log(ratios))) if len(ratios) > 1 else None


def _exponential(estimate: Estimate) -> Estimate:
    low, high = (None if bound is None else float(np.exp(bound)) for bound in (estimate.low, estimate.high))
    return Estimate(float(np.exp(estimate.value)), low, high)
