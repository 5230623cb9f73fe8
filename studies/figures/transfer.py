"""The transfer matrix: the best setting of one workload on the others."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from studies.analysis.transfer import Transfer
from studies.figures import theme

CELL_HEIGHT = 64
_MISSING = "not tried"


def transfer_figure(matrix: Sequence[Sequence[Transfer]]) -> go.Figure:
    """Draw what each workload (a column) loses with the best setting of another (a row), in words and in shade."""
    if len(matrix) < 2:
        return theme.say(go.Figure(), "A transfer needs at least two workloads.")
    sources = [row[0].source for row in matrix]
    targets = [cell.target for cell in matrix[0]]
    loss = np.array([[np.nan if cell.ratio is None else np.log10(cell.ratio.value) for cell in row] for row in matrix])
    figure = go.Figure(
        go.Heatmap(
            x=targets,
            y=sources,
            z=np.clip(loss, 0.0, 1.0),
            zmin=0.0,
            zmax=1.0,
            colorscale=[[0, "rgba(0, 158, 115, 0.35)"], [0.5, "rgba(230, 159, 0, 0.45)"], [1, "rgba(213, 94, 0, 0.6)"]],
            showscale=False,
            customdata=[[_said(cell) for cell in row] for row in matrix],
            hovertemplate="best of %{y}<br>on %{x}: %{customdata}<extra></extra>",
            hoverongaps=True,
            xgap=2,
            ygap=2,
        )
    )
    for row in matrix:
        for cell in row:
            figure.add_annotation(x=cell.target, y=cell.source, text=_text(cell), showarrow=False)
    figure.update_xaxes(title="judged on", automargin=True)
    figure.update_yaxes(title="best setting of", autorange="reversed", automargin=True)
    theme.finish(figure, height=90 + CELL_HEIGHT * len(matrix)).update_layout(margin={"t": 15})
    figure.update_xaxes(showgrid=False)
    return figure.update_yaxes(showgrid=False)


def _text(cell: Transfer) -> str:
    if cell.trial is None:
        return _MISSING
    if cell.ratio is None:
        return f"trial {cell.trial}"
    value = f"×{cell.ratio.value:.3g}"
    bounds = cell.ratio.low, cell.ratio.high
    if cell.source == cell.target or None in bounds:
        return value
    near = "" if cell.distance < 1e-9 else f"<br>{cell.distance:.1%} off"
    return f"{value}<br>{bounds[0]:.3g} to {bounds[1]:.3g}{near}"


def _said(cell: Transfer) -> str:
    if cell.trial is None:
        off = f"{cell.distance:.0%} of an axis off" if np.isfinite(cell.distance) else "of another constant or list"
        return f"the nearest setting tried is {off}"
    where = "the same setting" if cell.distance < 1e-9 else f"the nearest setting tried, {cell.distance:.1%} off"
    return f"trial {cell.trial}, {where}"
