"""Sensitivity: the objective of every trial against each searched hyperparameter."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from studies.analysis.axes import Axis, searched_axes
from studies.analysis.estimates import BoolArray, FloatArray, IntArray
from studies.analysis.response import Response, marginal_response
from studies.analysis.targets import TargetTimes
from studies.analysis.times import with_steps_to_target
from studies.analysis.trials import TrialTable, complete_trials
from studies.db.records import StudyRecord
from studies.figures import places, theme
from studies.optimizers import find_optimizer
from studies.parameters import PARAMETERS

MAX_POINTS = 800  #: trials drawn in a panel at most; medians and bands are of all
MAX_WHISKERS = 200  #: trials drawn with their intervals at most: beyond it they hide the points
PANEL_HEIGHT = 330  #: pixels, with the room for its title
TITLE_HEIGHT = 80


@dataclass(frozen=True)
class Panel:
    """The objective against one hyperparameter."""

    axis: Axis
    coordinates: FloatArray  #: of the trials that are drawn, [N]
    response: Response | None  #: of all trials


@dataclass(frozen=True)
class SensitivityData:
    """What the sensitivity figure shows; arrays are of the trials that are drawn, [N]."""

    optimizer: str
    is_timed: bool  #: whether the objective is a time to a target
    label: str  #: of the objective, with its unit
    panels: tuple[Panel, ...]
    numbers: IntArray
    settings: tuple[str, ...]  #: in words, a line a hyperparameter
    objective: FloatArray
    low: FloatArray  #: 95 % interval over seeds, within what an objective can be; NaN for one seed
    high: FloatArray
    failed: BoolArray  #: diverged in a seed, or missed the target
    best: int | None  #: index
    default: int | None
    n_trials: int  #: complete
    n_failed: int
    cap: float | None  #: what a trial counts as that fails in every seed; None where none did
    is_log: bool  #: whether the objective spans more than a decade


def sensitivity_data(record: StudyRecord, trials: pd.DataFrame, times: TargetTimes | None = None) -> SensitivityData:
    """Return the complete trials along each searched hyperparameter, a fixed random part of them if they are many.

    Args:
        record: the study.
        trials: a frame with the columns of the view `results`.
        times: to a target, of the replicates of each complete trial, which then take the place of the objective.
    """
    spec = record.spec
    table = complete_trials(spec, trials)
    if times is not None:
        table = with_steps_to_target(table, times)
    is_timed = bool(np.isfinite(table.horizon))
    failed, chosen = table.missed if is_timed else table.diverged, _chosen(table)
    cap = _cap(table, failed)
    panels = []
    for axis in searched_axes(spec):
        coordinates = axis.coordinates(table.values[axis.parameter.name])
        response = _drawn(marginal_response(axis, coordinates, table.objective), cap)
        panels.append(Panel(axis, coordinates[chosen], response))
    drawn = np.where(np.isinf(table.objective), np.nan if cap is None or not is_timed else cap, table.objective)
    objective, half = drawn[chosen], table.half_widths[chosen]
    return SensitivityData(
        optimizer=spec.optimizer,
        is_timed=is_timed,
        label=theme.quantity_label(table.quantity, spec.known_workload),
        panels=tuple(panels),
        numbers=table.numbers[chosen],
        settings=tuple(_setting_lines(table, index) for index in chosen),
        objective=objective,
        low=np.maximum(objective - half, np.minimum(objective, 0.0)),
        high=np.minimum(objective + half, np.inf if cap is None else cap),
        failed=failed[chosen],
        best=_place(chosen, table.best),
        default=_place(chosen, table.default),
        n_trials=len(table),
        n_failed=int(failed.sum()),
        cap=cap,
        is_log=theme.spans_decade(drawn),
    )


def _setting_lines(table: TrialTable, index: int) -> str:
    setting = {PARAMETERS[name]: value for name, value in table.setting(index).items()}
    return "<br>".join(f"{parameter.symbol} = {parameter.text(value)}" for parameter, value in setting.items())


def _cap(table: TrialTable, failed: BoolArray) -> float | None:
    """Return where trials lie that missed the target, or that diverged in every seed; None where there are none.

    Where seeds differ in whether they diverge, their standard deviation is far above a tenth of their mean; where all
    diverge it is that of the loss at initialisation.
    """
    if np.isfinite(table.horizon):
        return table.horizon if failed.any() else None
    everywhere = failed & np.isfinite(table.objective) & ~(table.std > 0.1 * table.objective)
    return float(table.objective[everywhere].max()) if everywhere.any() else None


def _drawn(response: Response | None, cap: float | None) -> Response | None:
    """Return a response with what is infinite on the cap; NaN without one, which a line leaves out."""
    if response is None:
        return None
    place = np.nan if cap is None else cap
    median, low, high = (
        np.where(np.isinf(values), place, values) for values in (response.median, response.low, response.high)
    )
    return Response(response.coordinates, median, low, high)


def _chosen(table: TrialTable) -> IntArray:
    """Return the indices of the trials to draw: all, or a random part with the best and the default in it."""
    if len(table) <= MAX_POINTS:
        return np.arange(len(table))
    drawn = np.random.default_rng(0).choice(len(table), MAX_POINTS, replace=False)
    picked = [index for index in (table.best, table.default) if index is not None]
    return np.union1d(drawn, picked).astype(np.int64)


def _place(chosen: IntArray, index: int | None) -> int | None:
    return None if index is None else int(np.searchsorted(chosen, index))


def sensitivity_figure(data: SensitivityData) -> go.Figure:
    """Draw a panel for each searched hyperparameter, all on one scale of the objective."""
    if not data.panels:
        return theme.say(go.Figure(), "No hyperparameter is searched.")
    if not data.n_trials:
        return theme.say(go.Figure(), "No trial is complete yet.")
    figure, where = places.panel_grid(
        len(data.panels), PANEL_HEIGHT, TITLE_HEIGHT, shared_yaxes="all", horizontal_spacing=0.04
    )
    named = {""}  # traces without a name stay out of the legend
    for place, panel in zip(where, data.panels, strict=True):
        figure.update_xaxes(places.x_axis(panel.axis), **place)
        for trace in _traces(data, panel):
            figure.add_trace(trace.update(showlegend=trace.name not in named, legendgroup=trace.name), **place)
            named.add(trace.name)
    if data.cap is not None:
        text = "target missed" if data.is_timed else "diverged in every seed"
        theme.draw_cap(figure, data.cap, data.is_log, text)
    figure.update_yaxes(theme.value_axis(data.objective, data.is_log, data.cap is not None))
    figure.update_yaxes(title=data.label, col=1)
    return theme.finish(figure, height=110 + PANEL_HEIGHT * where[-1]["row"])


def _traces(data: SensitivityData, panel: Panel) -> list[go.Scatter]:
    """Return the traces of a panel, from back to front."""
    x = places.spread_places(panel.axis, panel.coordinates, data.numbers)
    ended = np.flatnonzero(~data.failed)
    failed = np.flatnonzero(data.failed)
    colour = theme.OPTIMIZER_COLOURS.get(data.optimizer, theme.NEUTRAL_COLOUR)
    name = (
        "trial" if data.n_trials == len(data.numbers) else f"trial ({len(data.numbers):,} of {data.n_trials:,} drawn)"
    )
    dots = {"size": 6, "color": colour, "opacity": 0.65}
    traces = [_points(data, x, ended, name, dots, has_whiskers=len(data.numbers) <= MAX_WHISKERS)]
    if len(failed):
        word = "missed the target" if data.is_timed else "diverged in a seed"
        cross = {"symbol": theme.FAILED_SYMBOL, "size": 7, "color": theme.NEUTRAL_COLOUR, "line": {"width": 1.5}}
        count = f"({data.n_failed:,} of {data.n_trials:,} trials)"
        traces.append(_points(data, x, failed, f"{word} {count}", cross))
    if panel.response is not None:
        traces += _response(panel.axis, panel.response)
    roles = [(find_optimizer(data.optimizer).default_label, data.default, theme.DEFAULT_SYMBOL, theme.DEFAULT_COLOUR)]
    roles.append(("best", data.best, theme.BEST_SYMBOL, theme.BEST_COLOUR))
    for role, index, symbol, fill in roles:
        if index is not None:
            mark = {"symbol": symbol, "size": 14, "color": fill, **theme.MARK_EDGE}
            label = f"{role} (trial {data.numbers[index]})"
            traces.append(_points(data, x, np.array([index]), label, mark, has_whiskers=not data.failed[index]))
    return traces


def _points(
    data: SensitivityData,
    x: FloatArray,
    chosen: IntArray,
    name: str,
    marker: dict[str, Any],
    has_whiskers: bool = False,
) -> go.Scatter:
    """Return some trials as markers, with the intervals of their objectives if asked for."""
    y = data.objective[chosen]
    whiskers = None
    if has_whiskers and np.isfinite(data.low[chosen]).any():
        floor = 0.9 * np.nanmin(data.objective) if data.is_log else 0.0  # a logarithmic axis cannot show 0
        below = y - np.maximum(data.low[chosen], floor)
        colour = theme.faded(marker["color"], 0.35)
        whiskers = {"array": data.high[chosen] - y, "arrayminus": below, "color": colour, "width": 0, "thickness": 1.2}
    interval = " (%{customdata[1]:.4g} to %{customdata[2]:.4g})" if np.isfinite(data.low).any() else ""
    return go.Scatter(
        x=x[chosen],
        y=y,
        mode="markers",
        name=name,
        marker=marker,
        error_y=whiskers,
        customdata=np.stack([data.numbers, data.low, data.high], axis=-1)[chosen],
        text=[data.settings[index] for index in chosen],
        hovertemplate=f"trial %{{customdata[0]:d}}: %{{y:.4g}}{interval}<br>%{{text}}<extra></extra>",
    )


def _response(axis: Axis, response: Response) -> list[go.Scatter]:
    x = places.places(axis, response.coordinates)
    line = {"color": theme.NEUTRAL_COLOUR, "width": 2.5}
    if axis.choices is not None:
        ends = {"array": response.high - response.median, "arrayminus": response.median - response.low}
        whiskers = {**ends, "color": theme.NEUTRAL_COLOUR, "thickness": 2.5, "width": 6}
        mark = {"symbol": "line-ew", "size": 26, "line": line}
        name = "median (95 % interval)"
        return [go.Scatter(x=x, y=response.median, mode="markers", marker=mark, error_y=whiskers, name=name)]
    edge = {"x": x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    fill = {"fill": "tonexty", "fillcolor": theme.faded(theme.NEUTRAL_COLOUR, 0.25)}
    return [
        go.Scatter(**edge, y=response.low, name=""),
        go.Scatter(**edge, **fill, y=response.high, name="95 % interval of the median"),
        go.Scatter(x=x, y=response.median, mode="lines", line=line, name="running median", hoverinfo="skip"),
    ]
