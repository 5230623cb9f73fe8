"""How much of the search space is good: the settings within 10 % of the best objective, as shares of its volume."""

from dataclasses import dataclass

import numpy as np

from studies.analysis.estimates import BoolArray, Estimate, FloatArray
from studies.analysis.ranking import GOOD_FACTOR
from studies.analysis.surrogate import Surrogate, bootstrap, uniform_points

N_POINTS = 8_192  #: of the search space; fewer miss the tips of a good region


@dataclass(frozen=True)
class Extent:
    """How far the good region reaches along a hyperparameter, whatever the others are."""

    parameter: str
    decades: Estimate


@dataclass(frozen=True)
class GoodVolume:
    """The part of the search space that a surrogate says is good; none where `message` says why."""

    share: Estimate | None  #: of the volume on the scales of the search, from 0 to 1
    extents: tuple[Extent, ...]  #: along logarithmic ranges
    message: str | None


def good_volume(surrogate: Surrogate) -> GoodVolume:
    """Return the share of the search space within 10 % of the best objective, with 95 % intervals.

    The best is what the surrogate says of the setting that it finds best, trials among them: the least objective of the
    trials owes part of its rank to luck, which would make the region too small.
    """
    if surrogate.problem is not None:
        return GoodVolume(None, (), surrogate.problem)
    points = uniform_points(len(surrogate.axes), N_POINTS)
    values = surrogate.objective(np.vstack([points, surrogate.points]))
    if values[:, 0].min() <= 0:
        return GoodVolume(None, (), "The best objective is not above 0: nothing is within 10 % of it.")
    good = values[: len(points)] <= GOOD_FACTOR * values[np.argmin(values[:, 0])]
    extents = []
    for place, axis in enumerate(surrogate.axes):
        if axis.is_log:
            span = np.log10(axis.high / axis.low)
            extents.append(Extent(axis.parameter.name, bootstrap(span * _reach(points[:, place], good), 0.0, span)))
    return GoodVolume(bootstrap(good.mean(axis=0), 0.0, 1.0), tuple(extents), None)


def _reach(positions: FloatArray, good: BoolArray) -> FloatArray:
    """Return the distance between the first and the last position [M] that is good, of each column [M, C], [C]."""
    order = np.argsort(positions)
    ordered, inside = positions[order], good[order]
    first, last = inside.argmax(axis=0), len(ordered) - 1 - inside[::-1].argmax(axis=0)
    reach: FloatArray = np.where(inside.any(axis=0), ordered[last] - ordered[first], 0.0)
    return reach
