"""The best setting, the default among the trials, and what lies at the edge of the search space."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from studies.analysis.axes import Axis
from studies.analysis.estimates import LEVEL, BoolArray, Estimate, IntArray
from studies.analysis.shares import wilson
from studies.analysis.trials import TrialTable
from studies.spec import ADAPTIVE_SAMPLERS, StudySpec

EDGE_SHARE = 0.1  #: of an axis, at either end
TOP_SHARE = 0.1  #: the trials that count as the best settings
GOOD_FACTOR = 1.1  #: settings within 10 % of the best objective are good


@dataclass(frozen=True)
class DefaultRank:
    """Where the optimizer's default stands among the complete trials."""

    rank: int  #: 1 is the best; equal objectives share the better rank
    n_trials: int
    percentile: (
        float | None
    )  #: share of the other trials that it beats in per cent, equals counting half; None if alone


@dataclass(frozen=True)
class BoundaryHit:
    """A hyperparameter whose best settings gather in the outermost tenth of its range, or at the end of its list."""

    parameter: str
    is_upper: bool  #: of the parameter itself: for a rate of decay the upper end is that nearest to 1
    edge: float  #: the value at that end
    best: float  #: the value of the best trial
    is_best_near: bool  #: whether it lies near that end
    n_near: int  #: of the best tenth of the trials, how many lie near that end
    n_top: int  #: the best tenth of the trials


@dataclass(frozen=True)
class GoodRegion:
    """The settings whose objective is within 10 % of the best, along one hyperparameter."""

    parameter: str
    n_settings: int
    low: float  #: least value among them
    high: float

    @property
    def decades(self) -> float | None:
        """Powers of ten between the ends; None for a single setting or an end at 0."""
        return float(np.log10(self.high / self.low)) if self.high > self.low > 0 else None


def rank_default(table: TrialTable) -> DefaultRank | None:
    """Return the rank of the optimizer's default; None where it is not among the complete trials."""
    if table.default is None:
        return None
    others = np.delete(table.objective, table.default)
    own = table.objective[table.default]
    beaten = np.sum(others > own) + np.sum(others == own) / 2
    percentile = float(100 * beaten / len(others)) if len(others) else None
    return DefaultRank(int(np.sum(others < own)) + 1, len(table), percentile)


def boundary_hits(table: TrialTable, axes: tuple[Axis, ...]) -> tuple[BoundaryHit, ...]:
    """Return the hyperparameters whose search space should be widened, and at which end.

    Of a range, more of the best tenth of the trials lie in the outermost tenth, on the range's scale, than chance would
    put there: settings without any effect on the objective give a hit at some end in at most 5 % of studies (binomial
    tests at 5 % over all ends, Bonferroni). Of a list of three or more, the best setting and the median of the best
    tenth are its last value. The end of what a hyperparameter can be (β = 0, λ = 1) is no hit.
    """
    if table.is_hopeless:
        return ()
    top = table.order[: max(1, round(TOP_SHARE * len(table)))]
    top = top[np.isfinite(table.objective[top])]
    level = (1 - LEVEL) / (2 * max(1, len(axes)))
    found = [_hit(table, axis, top, is_far, level) for axis in axes for is_far in (False, True)]
    return tuple(hit for hit in found if hit is not None)


def _hit(table: TrialTable, axis: Axis, top: IntArray, is_far: bool, level: float) -> BoundaryHit | None:
    parameter = axis.parameter
    values = table.values[parameter.name][top]
    positions = axis.positions(axis.coordinates(values))
    distances = 1 - positions if is_far else positions
    near: BoolArray = distances <= EDGE_SHARE
    if axis.choices is None:
        is_hit = stats.binom.sf(near.sum() - 1, len(top), EDGE_SHARE) <= level
    else:
        near = distances == 0
        is_hit = len(axis.choices) > 2 and near[0] and np.median(distances) == 0
    is_upper = is_far != parameter.is_decay
    edge = parameter.coordinate(axis.high if is_far else axis.low)
    if not is_hit or edge == (parameter.high if is_upper else parameter.low):
        return None
    return BoundaryHit(parameter.name, is_upper, edge, float(values[0]), bool(near[0]), int(near.sum()), len(top))


def good_region(table: TrialTable, parameter: str) -> GoodRegion | None:
    """Return how far the settings within 10 % of the best objective reach along a searched hyperparameter.

    None without a trial that ended well, and where the best objective is 0 or less, of which 10 % say nothing.
    """
    is_good = _are_good(table)
    if is_good is None:
        return None
    good = table.values[parameter][is_good]
    return GoodRegion(parameter, len(good), float(good.min()), float(good.max()))


def good_share(spec: StudySpec, table: TrialTable) -> Estimate | None:
    """Return the share of the search space within 10 % of the best objective, as the share of the trials drawn from it.

    Samplers that draw evenly make it an estimate without bias, with Wilson's 95 % interval (wide for qmc, which draws
    more evenly than chance); of a grid it is exact. The best is that of the trials: the share is of what is as good as
    what the study found. None for samplers that seek the best, for studies that prune, whose complete trials are the
    better ones, and where `good_region` has none.
    """
    good = _are_good(table)
    if spec.sampler in ADAPTIVE_SAMPLERS or spec.pruner != "none" or good is None:
        return None
    if spec.sampler == "grid":
        return Estimate(float(good.mean()), None, None)
    drawn = good[table.numbers >= len(spec.first_settings)]  # the default and enqueued settings were not drawn
    return wilson(float(drawn.sum()), len(drawn)) if len(drawn) else None


def _are_good(table: TrialTable) -> BoolArray | None:
    if table.best is None or table.is_hopeless or table.objective[table.best] <= 0:
        return None
    good: BoolArray = table.objective <= GOOD_FACTOR * table.objective[table.best]
    return good
