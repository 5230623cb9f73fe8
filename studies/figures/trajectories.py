"""Trajectories: the way of a few trials over a surface, or of a single parameter against the steps."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from studies.analysis.estimates import FloatArray
from studies.analysis.trials import floats
from studies.db.records import StudyRecord
from studies.figures import theme
from studies.figures.picks import line, picks
from studies.surfaces import SURFACES, Surface

N_GRID = 160  #: points along each axis of the contours
N_LEVELS = 18
LOW_COLOUR, HIGH_COLOUR = "#FAFAFA", "#8F8F8F"  #: of contours: opaque, since filled ones lie on top of one another
MAX_POINTS = 1_000  #: of a path


@dataclass(frozen=True)
class Path:
    """The way of the first seed of a trial, or of the first that diverged."""

    label: str
    line: dict[str, Any]  #: Plotly's
    steps: FloatArray  #: [T], updates so far
    x: FloatArray  #: [T]
    y: FloatArray  #: [T]; NaN of a single parameter


@dataclass(frozen=True)
class Contours:
    """A surface on a grid."""

    x: FloatArray  #: [G]
    y: FloatArray  #: [G]
    log_values: FloatArray  #: [G, G], log10 of the value at (x[j], y[i])


@dataclass(frozen=True)
class TrajectoriesData:
    """What the figure of trajectories shows."""

    paths: tuple[Path, ...]
    surface: Surface | None  #: None of a single parameter


def trajectories_data(record: StudyRecord, trials: pd.DataFrame, trajectories: pd.DataFrame) -> TrajectoriesData:
    """Return the ways of the best trial, the default, the median and one that diverged.

    Args:
        record: the study.
        trials: a frame with the columns of the view `results`.
        trajectories: a frame with the columns of the view `trajectories`.
    """
    optimizer = record.spec.optimizer
    found = [
        path_of(pick.label, line(pick.role, optimizer), trajectories[trajectories["trial"] == pick.trial])
        for pick in picks(record, trials)
    ]
    surface = SURFACES.get(record.spec.workload.removeprefix("surface-"))
    return TrajectoriesData(tuple(path for path in found if len(path.x)), surface)


def path_of(label: str, line: dict[str, Any], rows: pd.DataFrame) -> Path:
    """Return the way of a trial's replicate: of the one that ends first, which is the one that diverged.

    Args:
        label: of the trial.
        line: Plotly's.
        rows: of the view `trajectories`, of this trial.
    """
    if len(rows):
        rows = rows[rows["replicate"] == rows.groupby("replicate")["epoch"].max().idxmin()]
    thinned = rows.iloc[:: -(-len(rows) // MAX_POINTS) or 1]
    return Path(label, line, floats(thinned["steps"]), floats(thinned["x"]), floats(thinned["y"]))


def contours(surface: Surface) -> Contours:
    """Return the surface within its windows; what lies more than some decades below the greatest value is cut off."""
    x, y = (np.linspace(*window, N_GRID) for window in (surface.x_window, surface.y_window))
    values = np.asarray(surface.value(np, *np.meshgrid(x, y)), dtype=np.float64)
    return Contours(x, y, np.log10(np.maximum(values, values.max() / 10**surface.decades)))


def trajectories_figure(data: TrajectoriesData) -> go.Figure:
    """Draw the ways over filled contours, with the start and the minima, or the parameter against the steps."""
    figure = go.Figure()
    if not data.paths:
        return theme.say(figure, "No trial is complete yet.")
    return _over_steps(figure, data) if data.surface is None else _over_surface(figure, data, data.surface)


def _over_surface(figure: go.Figure, data: TrajectoriesData, surface: Surface) -> go.Figure:
    figure.add_trace(_contour_trace(surface))
    for path in data.paths:
        figure.add_scatter(
            x=path.x,
            y=path.y,
            mode="lines+markers",
            line=path.line,
            marker={"size": 4},
            name=path.label,
            customdata=path.steps,
            hovertemplate="step %{customdata:,d}: (%{x:.4g}, %{y:.4g})",
        )
    first = data.paths[0]
    start = {"symbol": "circle", "size": 13, "color": "white", "line": {"width": 2, "color": "black"}}
    figure.add_scatter(x=first.x[:1], y=first.y[:1], mode="markers", marker=start, name="start")
    minimum = {"symbol": "cross", "size": 13, "color": "white", "line": {"width": 2, "color": "black"}}
    x, y = zip(*surface.minima, strict=True)
    figure.add_scatter(x=x, y=y, mode="markers", marker=minimum, name="minimum")
    figure.update_xaxes(title="x", range=surface.x_window, constrain="domain")
    figure.update_yaxes(title="y", range=surface.y_window)
    return theme.finish(figure, height=520)


def _contour_trace(surface: Surface) -> go.Contour:
    grid = contours(surface)
    low, high = float(grid.log_values.min()), float(grid.log_values.max())
    powers = np.arange(np.ceil(low), np.floor(high) + 1)
    return go.Contour(
        x=grid.x,
        y=grid.y,
        z=grid.log_values.astype(np.float32),  # half the bytes, and more digits than a colour shows
        colorscale=[[0, LOW_COLOUR], [1, HIGH_COLOUR]],
        contours={"start": low, "end": high, "size": (high - low) / N_LEVELS, "coloring": "fill"},
        line={"width": 0.5, "color": theme.AXIS_LINE},
        colorbar={
            "title": {"text": "f(x, y) − minimum", "side": "right", "font": {"size": 13}},
            "tickfont": {"size": 12},
            "tickvals": powers,
            "ticktext": [f"10<sup>{power:.0f}</sup>" for power in powers],
            "thickness": 14,
            "outlinewidth": 0,
        },
        hoverinfo="skip",
        showlegend=False,
    )


def _over_steps(figure: go.Figure, data: TrajectoriesData) -> go.Figure:
    for path in data.paths:
        figure.add_scatter(
            x=path.steps,
            y=path.x,
            mode="lines",
            line=path.line,
            name=path.label,
            hovertemplate="%{y:.4g}",
        )
    best = {"color": theme.NEUTRAL_COLOUR, "width": 1.5, "dash": "longdash"}
    figure.add_hline(y=-1.0, line=best, layer="below", annotation_text="the best fixed x", annotation_font_size=12)
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(title="step", hoverformat=",d", rangemode="tozero")
    figure.update_yaxes(title="x", range=[-1.1, 1.1])
    return theme.finish(figure, height=400)
