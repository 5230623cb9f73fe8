"""The size of steps and the signal-to-noise ratio against epochs, beside the bounds on a step."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from studies.analysis.curves import Band
from studies.analysis.estimates import FloatArray, IntArray
from studies.analysis.step_diagnostics import StepDiagnostics
from studies.figures import theme
from studies.figures.entrants import Look


def steps_figure(data: StepDiagnostics, look: Look) -> go.Figure:
    """Draw the bands over replicates; the bounds are medians over the replicates' own."""
    if not len(data.epochs):
        return theme.say(go.Figure(), "No diagnostics are recorded: a study asks for them with `diagnostics: true`.")
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.08)
    _band(figure, data, data.max_step, look, 1, "largest step")
    _bound(figure, data.epochs, data.paper_bound, "the paper's bound (a heuristic)", "dash", theme.DEFAULT_COLOUR)
    _bound(figure, data.epochs, data.provable_bound, "the provable bound", "dot", theme.BEST_COLOUR)
    _band(figure, data, data.signal_to_noise, look, 2, "signal-to-noise ratio")
    shown = (data.max_step.low, data.max_step.high, data.paper_bound, data.provable_bound)
    for row, values in ((1, np.concatenate(shown)), (2, np.concatenate([data.signal_to_noise.low, np.ones(1)]))):
        figure.update_yaxes(theme.value_axis(values, theme.spans_decade(values), has_cap=False), row=row, col=1)
    figure.update_yaxes(title="largest |step| / α", row=1, col=1)
    figure.update_yaxes(title="mean |m̂| / √v̂", row=2, col=1)
    figure.update_xaxes(title=theme.EPOCH_LABEL, row=2, col=1)
    return theme.finish(figure, height=560)


def _band(figure: go.Figure, data: StepDiagnostics, values: Band, look: Look, row: int, name: str) -> None:
    place = {"row": row, "col": 1}
    edge = {"x": data.epochs, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "legendgroup": name}
    fill = theme.faded(look.colour, 0.2)
    figure.add_scatter(**edge, y=values.high, showlegend=False, **place)
    band = f"10 % to 90 % of {data.n_replicates:,} replicates"
    figure.add_scatter(**edge, y=values.low, fill="tonexty", fillcolor=fill, name=band, showlegend=row == 1, **place)
    figure.add_scatter(
        x=data.epochs,
        y=values.median,
        mode="lines",
        line={"color": look.colour, "width": 2.5, "dash": "solid" if row == 1 else "dashdot"},
        name=f"{name}, median",
        legendgroup=name,
        customdata=np.stack([values.low, values.high], axis=-1),
        hovertemplate=f"{name}: %{{y:.3g}} (%{{customdata[0]:.3g}} to %{{customdata[1]:.3g}})<extra></extra>",
        **place,
    )


def _bound(figure: go.Figure, epochs: IntArray, values: FloatArray, name: str, dash: str, colour: str) -> None:
    if np.isfinite(values).any():
        line = {"color": colour, "width": 2, "dash": dash}
        figure.add_scatter(x=epochs, y=values, mode="lines", line=line, name=name, row=1, col=1)
