"""Maps of the objective over each two hyperparameters, in bins; empty bins are seen as such."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from studies.analysis.axes import Axis, searched_axes
from studies.analysis.estimates import FloatArray
from studies.analysis.pair_map import LimitCurve, PairMap, pair_maps
from studies.analysis.targets import TargetTimes
from studies.analysis.times import with_steps_to_target
from studies.analysis.trials import TrialTable, complete_trials
from studies.figures import places, theme
from studies.optimizers import find_optimizer
from studies.spec import StudySpec

PANEL_HEIGHT = 340  #: pixels, with the room for its title
TITLE_HEIGHT = 85
EMPTY_COLOUR = "rgba(128, 128, 128, 0.16)"
LINE_COLOUR = "#D55E00"
DASHES = ("solid", "dash")  #: of the limit curves


@dataclass(frozen=True)
class MarkedSetting:
    """A setting that the maps mark."""

    name: str
    symbol: str
    colour: str
    setting: dict[str, float]


@dataclass(frozen=True)
class PairMapData:
    """What the figure shows."""

    label: str  #: of the objective
    maps: tuple[PairMap, ...]
    marked: tuple[MarkedSetting, ...]


def pair_map_data(spec: StudySpec, trials: pd.DataFrame, times: TargetTimes | None = None) -> PairMapData:
    """Return the maps of each two searched hyperparameters, with the default and the best setting.

    Args:
        spec: the study's spec.
        trials: a frame with the columns of the view `results`.
        times: to a target, of the replicates of each complete trial, which then take the place of the objective.
    """
    table = complete_trials(spec, trials)
    if times is not None:
        table = with_steps_to_target(table, times)
    label = theme.quantity_label(table.quantity, spec.known_workload)
    return PairMapData(label, pair_maps(table, searched_axes(spec)), tuple(_marked(spec, table)))


def _marked(spec: StudySpec, table: TrialTable) -> list[MarkedSetting]:
    roles = [(find_optimizer(spec.optimizer).default_label, table.default, theme.DEFAULT_SYMBOL, theme.DEFAULT_COLOUR)]
    roles.append(("best", table.best, theme.BEST_SYMBOL, theme.BEST_COLOUR))
    return [
        MarkedSetting(f"{role} (trial {table.numbers[index]})", symbol, colour, table.setting(index))
        for role, index, symbol, colour in roles
        if index is not None
    ]


def pair_map_figure(data: PairMapData) -> go.Figure:
    """Draw a map for each two hyperparameters, all with one colour scale of the objective."""
    if not data.maps:
        return theme.say(go.Figure(), "Maps need two searched hyperparameters and a complete trial.")
    figure, where = places.panel_grid(len(data.maps), PANEL_HEIGHT, TITLE_HEIGHT, horizontal_spacing=0.12)
    named: set[str] = set()
    for place, pair in zip(where, data.maps, strict=True):
        figure.update_xaxes(_full(places.x_axis(pair.x)), **place)
        figure.update_yaxes(_full(places.x_axis(pair.y)), **place)
        for trace in (*_heatmaps(pair), *_lines(pair), *_marks(data, pair)):
            if isinstance(trace, go.Scatter):
                trace.update(showlegend=trace.name not in named, legendgroup=trace.name)
                named.add(trace.name)
            figure.add_trace(trace, **place)
    figure.update_layout(coloraxis=_colour_axis(data))
    return theme.finish(figure, height=130 + PANEL_HEIGHT * where[-1]["row"])


def _full(axis: dict[str, Any]) -> dict[str, Any]:
    return axis | {"showgrid": False}


def _edges(axis: Axis, edges: FloatArray) -> FloatArray:
    """Return where the ends of bins are drawn; a value of a list is in the middle of its own."""
    return edges if axis.choices is None else np.arange(len(edges) + 1, dtype=np.float64) - 0.5


def _heatmaps(pair: PairMap) -> list[go.Heatmap]:
    """Return the empty bins, and the others in the colour of their mean."""
    where = {"x": _edges(pair.x, pair.x_edges), "y": _edges(pair.y, pair.y_edges), "xgap": 1, "ygap": 1}
    empty = go.Heatmap(**where, z=np.where(pair.counts == 0, 0.0, np.nan), showscale=False)
    empty.update(
        colorscale=[[0, EMPTY_COLOUR], [1, EMPTY_COLOUR]], zmin=0, zmax=1, hovertemplate="no trial<extra></extra>"
    )
    value = np.log10(pair.means) if pair.is_log else pair.means
    mean = "geometric mean" if pair.is_log else "mean"
    filled = go.Heatmap(**where, z=value, coloraxis="coloraxis", text=_bin_texts(pair))
    filled.update(customdata=np.dstack([pair.means, pair.counts]))
    filled.update(
        hovertemplate=f"%{{text}}<br>{mean} %{{customdata[0]:.4g}} of %{{customdata[1]:d}} trials<extra></extra>"
    )
    return [empty, filled]


def _bin_texts(pair: PairMap) -> list[list[str]]:
    x_texts, y_texts = (_axis_texts(axis, edges) for axis, edges in ((pair.x, pair.x_edges), (pair.y, pair.y_edges)))
    return [[f"{x}<br>{y}" for x in x_texts] for y in y_texts]


def _axis_texts(axis: Axis, edges: FloatArray) -> list[str]:
    name = axis.label.removesuffix(" (log)")
    if axis.choices is not None:
        return [f"{name} = {axis.text(choice)}" for choice in axis.choices]
    return [f"{name} {low:.2g} to {high:.2g}" for low, high in pairwise(edges)]


def _lines(pair: PairMap) -> list[go.Scatter]:
    return [_line(curve, dash) for curve, dash in zip(pair.curves, DASHES, strict=False)]


def _line(curve: LimitCurve, dash: str) -> go.Scatter:
    look = {"color": LINE_COLOUR, "width": 3, "dash": dash}
    name = f"{curve.name}: {curve.meaning}"
    return go.Scatter(x=curve.x, y=curve.y, mode="lines", line=look, name=name, hoverinfo="name")


def _marks(data: PairMapData, pair: PairMap) -> list[go.Scatter]:
    traces = []
    for marked in data.marked:
        x, y = (
            places.places(axis, axis.coordinates([marked.setting[axis.parameter.name]])) for axis in (pair.x, pair.y)
        )
        look = {"symbol": marked.symbol, "size": 14, "color": marked.colour, **theme.MARK_EDGE}
        traces.append(go.Scatter(x=x, y=y, mode="markers", marker=look, name=marked.name, hoverinfo="name"))
    return traces


def _colour_axis(data: PairMapData) -> dict[str, Any]:
    """Return the scale of the colours, in powers of ten where the objective spans a decade."""
    means = np.concatenate([pair.means.ravel() for pair in data.maps])
    low, high = float(np.nanmin(means)), float(np.nanmax(means))
    bar: dict[str, Any] = {"title": {"text": data.label, "side": "right"}}
    look: dict[str, Any] = {"colorscale": theme.COLOUR_SCALE, "colorbar": bar}
    if not data.maps[0].is_log:
        return look | {"cmin": low, "cmax": high}
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5) if low <= digit * 10.0**power <= high]
    bar |= {"tickvals": np.log10(ticks), "ticktext": [f"{tick:g}" for tick in ticks]}
    return look | {"cmin": math.log10(low), "cmax": math.log10(high)}
