"""Horizontal bars with the intervals of what they show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from studies.analysis.estimates import Estimate
from studies.figures import theme

BAR_HEIGHT = 46  #: pixels


@dataclass(frozen=True)
class Bars:
    """A bar for each label: its length and the ends of its interval."""

    labels: tuple[str, ...]
    values: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]


def bars_of(labels: Sequence[str], estimates: Sequence[Estimate]) -> Bars:
    """Return bars of estimates; one without an interval has whiskers of no length."""
    return Bars(
        labels=tuple(labels),
        values=tuple(one.value for one in estimates),
        lows=tuple(one.value if one.low is None else one.low for one in estimates),
        highs=tuple(one.value if one.high is None else one.high for one in estimates),
    )


def bar_trace(bars: Bars, colour: str, number: str, **looks: Any) -> go.Bar:
    """Return the bars as a trace.

    Args:
        bars: what to draw.
        colour: #RRGGBB.
        number: the format of values where the mouse hovers, d3's.
        **looks: of the trace.
    """
    whiskers = {
        "array": [high - value for high, value in zip(bars.highs, bars.values, strict=True)],
        "arrayminus": [value - low for low, value in zip(bars.lows, bars.values, strict=True)],
        "color": theme.NEUTRAL_COLOUR,
        "thickness": 2,
        "width": 6,
    }
    hover = f"%{{y}}: %{{x:{number}}} (%{{customdata[0]:{number}}} to %{{customdata[1]:{number}}})<extra></extra>"
    return go.Bar(
        x=bars.values,
        y=bars.labels,
        orientation="h",
        marker={"color": colour, "opacity": 0.5},
        error_x=whiskers,
        customdata=list(zip(bars.lows, bars.highs, strict=True)),
        hovertemplate=hover,
        **looks,
    )


def finish_bars(figure: go.Figure, n_bars: int) -> go.Figure:
    """Give a figure of bars the house's looks, the first on top, and return it."""
    figure.update_yaxes(autorange="reversed", tickfont={"size": 16})
    return theme.finish(figure, height=125 + BAR_HEIGHT * n_bars)
