"""The forest plot: each study's best setting against the reference's, workload by workload, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from studies.analysis.estimates import Estimate
from studies.figures import theme
from studies.figures.entrants import Look, ratio_axis

ROW_HEIGHT = 34


@dataclass(frozen=True)
class ForestRow:
    """A ratio of final values, below 1 the study is better than the reference."""

    look: Look
    workload: str | None  #: None: over all workloads
    ratio: Estimate
    n: int  #: seeds, or workloads


def forest_figure(rows: Sequence[ForestRow], reference: str, label: str) -> go.Figure:
    """Draw a point with its 95 % interval for each row, of which there is one; too few seeds have no whiskers.

    Args:
        rows: from top to bottom.
        reference: what the ratios are to.
        label: what they are ratios of.
    """
    figure = go.Figure()
    many = len({row.workload for row in rows}) > 1
    names = [_name(row, many) for row in rows]
    for look in {row.look.label: row.look for row in rows}.values():
        own = [index for index, row in enumerate(rows) if row.look.label == look.label]
        _points(figure, look, [rows[index] for index in own], [names[index] for index in own])
    figure.add_vline(x=1, line={"color": theme.NEUTRAL_COLOUR, "width": 1.5, "dash": "longdash"}, layer="below")
    ends = [value for row in rows for value in (row.ratio.value, row.ratio.low, row.ratio.high) if value is not None]
    bounded = np.clip(np.array([*ends, 1.0]), 1e-3, 1e3)
    title = f"{label}, ratio to {reference} (log; left of 1 is better)"
    figure.update_xaxes(title=title, **ratio_axis(float(bounded.min()), float(bounded.max())))
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], automargin=True)
    figure.update_layout(showlegend=False)
    return theme.finish(figure, height=90 + ROW_HEIGHT * len(rows)).update_layout(margin={"t": 15})


def _name(row: ForestRow, many: bool) -> str:
    if row.workload is None:
        return f"<b>{row.look.label}</b>, all workloads"
    return f"{row.look.label}, {row.workload}" if many else row.look.label


def _points(figure: go.Figure, look: Look, rows: Sequence[ForestRow], names: Sequence[str]) -> None:
    values = np.array([row.ratio.value for row in rows])
    low, high = (
        np.array([getattr(row.ratio, side) or np.nan for row in rows], dtype=np.float64) for side in ("low", "high")
    )
    pooled = [row.workload is None for row in rows]
    figure.add_scatter(
        x=values,
        y=names,
        mode="markers",
        marker={"symbol": ["diamond" if one else look.symbol for one in pooled], "size": 11, "color": look.colour},
        error_x={"array": high - values, "arrayminus": values - low, "color": look.colour, "thickness": 2, "width": 5},
        customdata=[
            (a, b, f"{row.n} {'workloads' if row.workload is None else 'seeds'}")
            for a, b, row in zip(low, high, rows, strict=True)
        ],
        hovertemplate="%{y}: %{x:.3g} (%{customdata[0]:.3g} to %{customdata[1]:.3g}), %{customdata[2]}<extra></extra>",
    )
