"""How each of several studies looks, in every figure of a comparison the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from studies.analysis.estimates import FloatArray
from studies.db.records import StudyRecord
from studies.figures import theme

_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "cross", "x", "triangle-down", "pentagon", "hexagram")
_DASHES = ("solid", "dash", "dot", "dashdot")
_FEW_RATIOS = (0.001, 0.01, 0.1, 0.25, 0.5, 1, 2, 4, 10, 100, 1000)
_RATIOS = tuple(sorted({*_FEW_RATIOS, 0.2, 0.3, 0.7, 0.8, 0.9, 0.95, 1.05, 1.1, 1.25, 1.5, 3, 5, 7, 16}))
_MAX_TICKS = 10


@dataclass(frozen=True)
class Look:
    """A label with its colour, marker and dash: the optimizer's, with another dash for each further study of it."""

    label: str
    colour: str
    symbol: str
    dash: str


def looks(records: Sequence[StudyRecord], labels: Mapping[str, str]) -> dict[str, Look]:
    """Return the look of each label.

    Args:
        records: the studies.
        labels: of each study, by its id.
    """
    found: dict[str, Look] = {}
    n_before: dict[str, int] = {}
    optimizers = list(theme.OPTIMIZER_COLOURS)
    for record in records:
        optimizer, label = record.spec.optimizer, labels[record.id]
        if label in found:
            continue
        n = n_before.get(optimizer, 0)
        n_before[optimizer] = n + 1
        index = optimizers.index(optimizer) if optimizer in optimizers else 0
        colour = theme.OPTIMIZER_COLOURS.get(optimizer, theme.NEUTRAL_COLOUR)
        found[label] = Look(label, colour, _SYMBOLS[index % len(_SYMBOLS)], _DASHES[n % len(_DASHES)])
    return found


def draw_line(
    figure: go.Figure,
    look: Look,
    x: FloatArray,
    y: FloatArray,
    band: tuple[FloatArray, FloatArray] | None,
    hover: str | list[str],
    shape: str = "linear",
    n_lines: int = 1,
) -> None:
    """Draw a line in a look, with its band behind it, the fainter the more lines there are.

    `hover`, of all points or of each, may use customdata 0 and 1, the ends of the band.
    """
    line = {"width": 0, "shape": shape}
    if band is not None:
        edge = {"x": x, "mode": "lines", "line": line, "hoverinfo": "skip", "legendgroup": look.label}
        figure.add_scatter(**edge, y=band[1], showlegend=False)
        figure.add_scatter(
            **edge,
            y=band[0],
            fill="tonexty",
            fillcolor=theme.faded(look.colour, max(0.05, 0.3 / (1 + n_lines))),
            showlegend=False,
        )
    every = max(1, -(-len(x) // 8))  # a few markers tell the lines apart without their colours
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"color": look.colour, "width": 2.5, "dash": look.dash, "shape": shape},
        marker={"symbol": look.symbol, "size": [9 if i % every == 0 else 0 for i in range(len(x))]},
        name=look.label,
        legendgroup=look.label,
        customdata=None if band is None else [*zip(*band, strict=True)],
        hovertemplate=hover,
    )


def ratio_axis(low: float, high: float) -> dict[str, Any]:
    """Return what makes an axis of ratios logarithmic between two ends, labelled at ratios that people read."""
    axis = theme.log_axis(low, high)
    left, right = (10**end for end in axis["range"])
    inside = [tick for tick in _RATIOS if left <= tick <= right]
    if len(inside) > _MAX_TICKS:
        inside = [tick for tick in inside if tick in _FEW_RATIOS]
    labels = {"tickvals": inside, "ticktext": [f"{tick:g}" for tick in inside]} if inside else {}
    return {"type": "log", "range": axis["range"], **labels}
