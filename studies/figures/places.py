"""Where things are drawn: panels in two columns, ranges on their scale, the values of a list side by side."""

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from studies.analysis.axes import Axis
from studies.analysis.estimates import FloatArray, IntArray
from studies.figures import theme

GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
N_COLUMNS = 2  #: of panels


def panel_grid(
    n_panels: int, panel_height: int, title_height: int, **looks: Any
) -> tuple[go.Figure, list[dict[str, int]]]:
    """Return a figure of panels in two columns, and the row and column of each.

    Args:
        n_panels: at least 1.
        panel_height: pixels of a panel with the room for its title; a figure is as high as all its rows.
        title_height: pixels below a panel, for the title of its axis.
        looks: what `make_subplots` takes besides.
    """
    n_columns = min(N_COLUMNS, n_panels)
    n_rows = -(-n_panels // n_columns)
    figure = make_subplots(n_rows, n_columns, vertical_spacing=title_height / (panel_height * n_rows), **looks)
    places_of_panels = [divmod(index, n_columns) for index in range(n_panels)]
    return figure, [{"row": row + 1, "col": column + 1} for row, column in places_of_panels]


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
