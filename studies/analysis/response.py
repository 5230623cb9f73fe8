"""The marginal response: the objective against one hyperparameter, whatever the others are."""

from dataclasses import dataclass

import numpy as np

from studies.analysis.axes import Axis
from studies.analysis.estimates import FloatArray, median_estimate

MIN_TRIALS = 12  #: below this many no running median is drawn
MIN_WINDOW = 9  #: trials in a window at least; six are the fewest that have an interval
WINDOW_FACTOR = 1.5  #: times the root of the number of trials makes a window: narrower, yet surer, with more trials
N_PLACES = 41  #: places along a range


@dataclass(frozen=True)
class Response:
    """The median objective along an axis with the 95 % interval of that median, [G] each.

    A running median and its interval are of the trials in a window. Where the objective bends within the window's
    width, their median is not quite the one at its middle, and the interval does not tell by how much.
    """

    coordinates: FloatArray  #: of the axis, the middles of the windows; the choices where it is a list
    median: FloatArray  #: infinite where half or more of the trials are
    low: FloatArray  #: NaN where too few trials allow an interval
    high: FloatArray


def marginal_response(axis: Axis, coordinates: FloatArray, objective: FloatArray) -> Response | None:
    """Return the running median of the objective along a range, or the median of each choice of a list.

    A window stands at the mean place of its trials, which keeps the slope of the objective out of the median near the
    ends, where the nearest trials lie on one side.

    Args:
        axis: the hyperparameter.
        coordinates: of the trials on this axis, [N].
        objective: of the trials, [N].

    Returns:
        The response; None where fewer than twelve trials lie along a range, or none at all.
    """
    if axis.choices is not None:
        present = np.unique(coordinates)
        groups = [objective[coordinates == choice] for choice in present]
        return _response(present, groups) if len(present) else None
    if len(coordinates) < MIN_TRIALS:
        return None
    positions = axis.positions(coordinates)
    places = np.linspace(positions.min(), positions.max(), N_PLACES)
    window = max(MIN_WINDOW, round(WINDOW_FACTOR * len(coordinates) ** 0.5))
    nearest = [np.argpartition(np.abs(positions - place), window - 1)[:window] for place in places]
    middles = np.array([positions[chosen].mean() for chosen in nearest])
    return _response(axis.at(middles), [objective[chosen] for chosen in nearest])


def _response(coordinates: FloatArray, groups: list[FloatArray]) -> Response:
    found = [median_estimate(group) for group in groups]
    low, high = (np.array([getattr(one, side) for one in found], dtype=np.float64) for side in ("low", "high"))
    return Response(coordinates, np.array([one.value for one in found]), low, high)
