"""How often trials diverge, along each searched hyperparameter."""

import plotly.graph_objects as go

from studies.analysis.fates import AxisDivergence, Divergence
from studies.figures import places, theme
from studies.figures.entrants import Look

PANEL_HEIGHT = 300
TITLE_HEIGHT = 80


def divergence_figure(data: Divergence, look: Look) -> go.Figure:
    """Draw the share of trials that diverge in each bin, with Wilson's 95 % intervals."""
    if not data.n_trials:
        return theme.say(go.Figure(), "No trial is complete yet.")
    if not data.axes:
        return theme.say(go.Figure(), "No hyperparameter is searched.")
    figure, where = places.panel_grid(
        len(data.axes), PANEL_HEIGHT, TITLE_HEIGHT, shared_yaxes="all", horizontal_spacing=0.04
    )
    for place, panel in zip(where, data.axes, strict=True):
        figure.add_trace(_points(panel, look), **place)
        figure.update_xaxes(places.x_axis(panel.axis), **place)
    figure.update_yaxes(tickformat=".0%", range=[-0.03, 1.03])
    figure.update_yaxes(title="share of trials that diverge", col=1)
    figure = theme.finish(figure, height=70 + PANEL_HEIGHT * where[-1]["row"])
    return figure.update_layout(showlegend=False, margin_t=20)


def _points(panel: AxisDivergence, look: Look) -> go.Scatter:
    share, axis = panel.share, panel.axis
    ends = places.places(axis, share.left), places.places(axis, share.right)
    x = (ends[0] * ends[1]) ** 0.5 if axis.is_log else (ends[0] + ends[1]) / 2
    return go.Scatter(
        x=x,
        y=share.share,
        mode="markers",
        marker={"symbol": look.symbol, "size": 9, "color": look.colour},
        error_x={"array": ends[1] - x, "arrayminus": x - ends[0], "thickness": 1, "width": 0, "color": look.colour},
        error_y={"array": share.high - share.share, "arrayminus": share.share - share.low, "thickness": 1.5},
        customdata=list(zip(share.low, share.high, share.n, share.left, share.right, strict=True)),
        hovertemplate="%{customdata[3]:.3g} to %{customdata[4]:.3g}: %{y:.0%} of %{customdata[2]} trials "
        "(%{customdata[0]:.0%} to %{customdata[1]:.0%})<extra></extra>",
    )
