"""What is gained over an optimizer's default by tuning each hyperparameter alone, two of them, or all.

The definition is that of Probst, Boulesteix & Bischl 2019 (JMLR 20): the objective at the default less the least that
can be reached while the other hyperparameters keep their defaults. A surrogate gives both.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from studies.analysis.axes import Axis
from studies.analysis.estimates import Estimate, FloatArray
from studies.analysis.surrogate import Surrogate, bootstrap, uniform_points
from studies.spec import StudySpec

N_PLACES = 65  #: tried along a range that is tuned alone
N_PAIR_PLACES = 33  #: along each of two
N_POINTS = 4_096  #: tried of the whole space

_Candidates = dict[tuple[int, ...], FloatArray]


@dataclass(frozen=True)
class Tuned:
    """The gain of tuning some hyperparameters."""

    parameters: tuple[str, ...]
    gain: Estimate  #: of the objective, in its unit
    setting: dict[str, float]  #: the best values of these hyperparameters


@dataclass(frozen=True)
class Tunability:
    """The gains of tuning; none where `message` says why."""

    default: Estimate | None  #: the objective that the surrogate predicts at the default
    alone: tuple[Tuned, ...]  #: greatest first
    pairs: tuple[Tuned, ...]  #: greatest first
    all: Tuned | None
    message: str | None


def tunability(spec: StudySpec, surrogate: Surrogate) -> Tunability:
    """Return what tuning gains with 95 % intervals.

    An interval is of the gain of the very setting that the fit to all trials finds best, so it does not profit from
    a best found anew in each resample; a gain is at least 0.

    Args:
        spec: the study's spec.
        surrogate: of the objective over the spec's search space.
    """
    if surrogate.problem is not None:
        return _unavailable(surrogate.problem)
    default = spec.default_setting
    if default is None:
        return _unavailable("Tunability is over the default, which the search space does not contain.")
    names = [axis.parameter.name for axis in surrogate.axes]
    start = default_point(surrogate.axes, default)
    best = _best_points(surrogate, start)
    found = surrogate.objective(np.vstack([start, *best.values()]))
    tuned = []
    for row, (which, point) in enumerate(best.items(), 1):
        parameters = tuple(names[place] for place in which)
        setting = {names[place]: _value(surrogate.axes[place], point[place]) for place in which}
        tuned.append(Tuned(parameters, bootstrap(found[0] - found[row], low=0.0), setting))
    alone, pairs = (
        tuple(sorted((one for one in tuned if len(one.parameters) == n), key=lambda one: -one.gain.value))
        for n in (1, 2)
    )
    return Tunability(bootstrap(found[0]), alone, pairs, tuned[-1], None)


def default_point(axes: Sequence[Axis], default: Mapping[str, float]) -> FloatArray:
    """Return the default as a point of the unit cube, [P]."""
    places = [axis.positions(axis.coordinates([default[axis.parameter.name]]))[0] for axis in axes]
    return np.array(places, dtype=np.float64)


def _unavailable(message: str) -> Tunability:
    return Tunability(None, (), (), None, message)


def _value(axis: Axis, position: float) -> float:
    return axis.parameter.coordinate(float(axis.at(np.array([position]))[0]))


def _best_points(surrogate: Surrogate, start: FloatArray) -> _Candidates:
    """Return the best point [P] of each hyperparameter alone, of each two, and of all, by their places."""
    n = len(start)
    best: _Candidates = {}
    for which in [*combinations(range(n), 1), *combinations(range(n), 2), tuple(range(n))]:
        tried = [point for places, point in best.items() if set(places) <= set(which)]
        best[which] = _least(surrogate, np.vstack([start, *tried, _candidates(surrogate.axes, start, which)]))
    return best


def _candidates(axes: Sequence[Axis], start: FloatArray, which: tuple[int, ...]) -> FloatArray:
    """Return points [M, P] that differ from the start at some places only."""
    if len(which) > 2:
        return uniform_points(len(start), N_POINTS)
    n = N_PLACES if len(which) == 1 else N_PAIR_PLACES
    counts = [n if (choices := axes[place].choices) is None else len(choices) for place in which]
    along = [np.linspace(0, 1, count) for count in counts]
    points = np.tile(start, (math.prod(counts), 1))
    points[:, which] = list(product(*along))
    return points


def _least(surrogate: Surrogate, points: FloatArray) -> FloatArray:
    least: FloatArray = points[np.argmin(surrogate.mean(points))]
    return least
