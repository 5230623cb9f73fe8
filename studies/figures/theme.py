"""How every figure looks: colours that colour-blind people tell apart, on a transparent ground.

They are Okabe and Ito's, and others between them for the optimizers that these do not reach.

Roles differ by shape and dash as well as by colour. Text takes the colour of the page's theme, lines that frame the
data are a grey that shows on light and dark alike.
"""

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

from studies.analysis.estimates import FloatArray
from studies.workloads import Workload

OPTIMIZER_COLOURS = {
    "adam": "#0072B2",
    "adamax": "#D55E00",
    "amsgrad": "#56B4E9",
    "sgd": "#E69F00",
    "sgd-momentum": "#B8860B",
    "sgd-nesterov": "#8C564B",
    "adagrad": "#44AA99",
    "rmsprop": "#6B5FCF",
    "adadelta": "#999933",
}
BEST_COLOUR = "#009E73"
DEFAULT_COLOUR = "#CC79A7"
NEUTRAL_COLOUR = "#808080"

COLOUR_SCALE = "Cividis"  #: of values: dark blue to yellow, even to eyes that see no red or no green

BEST_SYMBOL = "star"
DEFAULT_SYMBOL = "diamond"
FAILED_SYMBOL = "x-thin-open"

MARK_EDGE: dict[str, Any] = {"line": {"width": 1, "color": "white"}}  #: sets a marker off the points below it
GRID = "rgba(128, 128, 128, 0.22)"
AXIS_LINE = "rgba(128, 128, 128, 0.6)"

QUANTITY_LABELS = {
    "train_loss": "training loss (nats)",
    "validation_loss": "validation loss (nats)",
    "test_loss": "test loss (nats)",
    "validation_error": "validation error (share)",
    "test_error": "test error (share)",
    "epochs_to_target": "epochs to the target loss",
    "steps_to_target": "steps to the target",
}
CAP_ROOM = 0.08  #: of the axis, above the cap
N_FEW_DECADES = 2.5  #: a logarithmic axis below this many is labelled between the powers of ten too
EPOCH_LABEL = "epoch (passes over the data)"


def quantity_label(quantity: str, workload: Workload | None) -> str:
    """Return what stands beside an axis that shows a quantity; `workload` is None where it is not known here."""
    return workload.train_label if workload and quantity == "train_loss" else QUANTITY_LABELS[quantity]


def faded(colour: str, opacity: float) -> str:
    """Return a colour #RRGGBB with an opacity from 0 to 1, as CSS."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def finish(figure: go.Figure, height: int) -> go.Figure:
    """Give a figure the house's looks at a height in pixels, and return it; its width is the page's."""
    figure.update_layout(
        height=height,
        autosize=True,
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        margin={"l": 70, "r": 20, "t": 60, "b": 55},
        font={"size": 13},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "xanchor": "left", "x": 0},
        hoverlabel={"namelength": -1},
    )
    looks: dict[str, Any] = {"gridcolor": GRID, "zeroline": False, "showline": True, "linecolor": AXIS_LINE}
    figure.update_xaxes(**looks, ticks="outside", tickcolor=AXIS_LINE)
    figure.update_yaxes(**looks)
    return figure


def spans_decade(values: FloatArray) -> bool:
    """Return whether the finite ones of some values are all above 0 and reach over more than a factor of ten."""
    finite = values[np.isfinite(values)]
    return bool(len(finite) and 10 * finite.min() < finite.max() and finite.min() > 0)


def value_axis(values: FloatArray, is_log: bool, has_cap: bool) -> dict[str, Any]:
    """Return the axis that shows all the finite values, with room for the name of the cap above it."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return {}
    axis = (log_axis if is_log else linear_axis)(float(finite.min()), float(finite.max()))
    if has_cap:
        low, high = axis["range"]
        axis["range"] = [low, high + CAP_ROOM * (high - low)]
    return axis


def linear_axis(low: float, high: float) -> dict[str, Any]:
    """Return what makes an axis linear with a little room around `low` and `high`."""
    room = 0.08 * (high - low or abs(high) or 1.0)
    return {"range": [low - room, high + room]}


def log_axis(low: float, high: float) -> dict[str, Any]:
    """Return what makes an axis logarithmic with a little room around `low` and `high`."""
    left, right = math.log10(low), math.log10(high)
    room = 0.04 * max(right - left, 0.1)
    axis: dict[str, Any] = {"type": "log", "range": [left - room, right + room]}
    if right - left < N_FEW_DECADES:
        return axis | {"tickformat": "~g", "dtick": "D2"}
    return axis | {"dtick": math.ceil((right - left) / 6), "exponentformat": "power"}


def draw_cap(figure: go.Figure, cap: float, is_log: bool, text: str) -> None:
    """Draw the line on which diverged replicates lie, in every panel, and say so in the first."""
    figure.add_hline(y=cap, line={"color": NEUTRAL_COLOUR, "width": 1.5, "dash": "longdash"}, layer="below")
    y = math.log10(cap) if is_log else cap
    place = {"x": 0.01, "xref": "x domain", "xanchor": "left", "y": y, "yref": "y", "yanchor": "bottom"}
    figure.add_annotation(text=text, showarrow=False, font={"size": 12}, **place)


def say(figure: go.Figure, text: str) -> go.Figure:
    """Write a line in the middle of an empty figure, and return it."""
    figure.add_annotation(text=text, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper", font={"size": 15})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return finish(figure, height=220)
