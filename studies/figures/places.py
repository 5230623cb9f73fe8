"""Where values of a hyperparameter are drawn: ranges on their scale, the values of a list side by side."""

import math
from typing import Any

import numpy as np

from studies.analysis.axes import Axis
from studies.analysis.estimates import FloatArray, IntArray
from studies.figures import theme

GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


def x_axis(axis: Axis) -> dict[str, Any]:
    """Return what makes Plotly's x axis show a hyperparameter."""
    if axis.choices is None:
        look = theme.log_axis(axis.low, axis.high) if axis.is_log else theme.linear_axis(axis.low, axis.high)
    else:
        n = len(axis.choices)
        labels = [axis.text(choice) for choice in axis.choices]
        look = {"tickvals": list(range(n)), "ticktext": labels, "range": [-0.5, n - 0.5]}
    return {"title": axis.label, **look}


def places(axis: Axis, coordinates: FloatArray) -> FloatArray:
    """Return where coordinates [N] are drawn, [N]."""
    return coordinates if axis.choices is None else axis.positions(coordinates) * (len(axis.choices) - 1)


def spread_places(axis: Axis, coordinates: FloatArray, numbers: IntArray) -> FloatArray:
    """Return where the coordinates [N] of trials are drawn, [N]: those of one value of a list next to each other."""
    found = places(axis, coordinates)
    if axis.choices is None:
        return found
    return found + 0.4 * (np.modf(numbers * np.float64(GOLDEN_RATIO))[0] - 0.5)
