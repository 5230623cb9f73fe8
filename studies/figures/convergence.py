"""Convergence: a quantity against epochs, for all trials, the best one and the optimizer's default."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from studies.analysis.curves import Band, CurveSet, align, band, cap_of, median_of_each_trial, of_trial
from studies.analysis.estimates import FloatArray, IntArray
from studies.analysis.trials import complete_trials
from studies.db.records import StudyRecord
from studies.figures import theme
from studies.objective import objective_column

LOW, HIGH = 0.1, 0.9  #: quantiles over trials
MAX_EPOCHS = 400  #: drawn at most, evenly spaced


@dataclass(frozen=True)
class ConvergenceSeries:
    """A median with a band; what is diverged or above the cap lies on the cap."""

    role: Literal["trials", "best", "default"]
    label: str
    band_label: str
    median: FloatArray  #: [T]; NaN where nothing is recorded
    low: FloatArray  #: [T]
    high: FloatArray  #: [T]


@dataclass(frozen=True)
class ConvergenceData:
    """What the convergence figure shows."""

    optimizer: str
    quantity: str
    label: str  #: of the quantity, with its unit
    epochs: IntArray  #: [T], from 0, the initialisation
    series: tuple[ConvergenceSeries, ...]
    n_trials: int  #: with curves
    n_diverged: int  #: of them, those with a diverged replicate
    cap: float | None  #: what diverged replicates are drawn at; None where nothing reaches it
    is_log: bool  #: whether the quantity spans more than a decade


def convergence_data(
    record: StudyRecord,
    trials: pd.DataFrame,
    curves: pd.DataFrame,
    quantity: str | None = None,
    n_trials: int | None = None,
) -> ConvergenceData:
    """Return medians with bands, over the trials from the 10 % to the 90 % quantile and over seeds from end to end.

    A trial enters the band over trials by its median over seeds. Diverged replicates count as worst, not as absent.

    Args:
        record: the study.
        trials: a frame with the columns of the view `results`.
        curves: a frame with the columns of the view `curves`.
        quantity: the column of curves to show; by default the one that the objective is made from.
        n_trials: how many trials have curves, where `curves` are those of some of them.
    """
    quantity = quantity or objective_column(record.spec.objective)
    aligned = align(curves, quantity)
    numbers = np.unique(aligned.trials)
    diverged = np.unique(aligned.trials[np.isinf(aligned.values).any(axis=1)])
    cap = cap_of(aligned)
    if cap is not None and quantity.endswith("_error"):
        cap = min(cap, 1.0)
    raw = _series(record, trials, aligned, _trials_in_words(len(numbers), n_trials or len(numbers)))
    epochs = _thinned(aligned.values.shape[1])
    series = tuple(_drawn(one, epochs, cap) for one in raw)
    shown = np.concatenate([np.empty(0), *(values for one in series for values in (one.median, one.low, one.high))])
    return ConvergenceData(
        optimizer=record.spec.optimizer,
        quantity=quantity,
        label=theme.quantity_label(quantity, record.spec.known_workload),
        epochs=epochs,
        series=series,
        n_trials=len(numbers),
        n_diverged=len(diverged),
        cap=cap if cap is not None and np.any(shown == cap) else None,
        is_log=theme.spans_decade(shown),
    )


def _trials_in_words(n: int, n_of: int) -> str:
    if n < n_of:
        return f"median of {n:,} of {n_of:,} trials"
    return f"median of {n:,} trials" if n > 1 else "the only trial"


def _series(record: StudyRecord, trials: pd.DataFrame, aligned: CurveSet, label: str) -> list[ConvergenceSeries]:
    """Return the series as they are, +inf where they are diverged; `label` is that of the trials."""
    if not len(aligned.trials):
        return []
    over_trials = band(median_of_each_trial(aligned), LOW, HIGH)
    quantiles = f"{LOW:.0%} to {HIGH:.0%} of the trials".replace("%", " %")
    series = [_of_band("trials", label, quantiles, over_trials)]
    table = complete_trials(record.spec, trials)
    optimizer = record.spec.optimizer_entry
    wanted: list[tuple[Literal["best", "default"], int | None, str]] = [
        ("best", table.best, "best"),
        ("default", table.default, optimizer.default_label),
    ]
    if table.best is not None and table.best == table.default:
        wanted = [("best", table.best, f"best, and {optimizer.defaults_from} default")]
    for role, index, title in wanted:
        if index is None or not len(replicates := of_trial(aligned, int(table.numbers[index]))):
            continue
        label = f"{title} (trial {table.numbers[index]})"
        ends = f"range over {len(replicates)} seeds" if len(replicates) > 1 else "one seed"
        series.append(_of_band(role, label, ends, band(replicates, 0.0, 1.0)))
    return series


def _of_band(role: Literal["trials", "best", "default"], label: str, band_label: str, found: Band) -> ConvergenceSeries:
    return ConvergenceSeries(role, label, band_label, found.median, found.low, found.high)


def _thinned(n_epochs: int) -> IntArray:
    return np.unique(np.linspace(0, max(0, n_epochs - 1), min(n_epochs, MAX_EPOCHS)).round().astype(np.int64))


def _drawn(series: ConvergenceSeries, epochs: IntArray, cap: float | None) -> ConvergenceSeries:
    """Return the series at the epochs that are drawn, with what lies above the cap on it."""
    limit = np.inf if cap is None else cap
    median, low, high = (np.minimum(values[epochs], limit) for values in (series.median, series.low, series.high))
    return ConvergenceSeries(series.role, series.label, series.band_label, median, low, high)


def convergence_figure(data: ConvergenceData) -> go.Figure:
    """Draw the medians and bands; logarithmic where the quantity spans more than a decade."""
    figure = go.Figure()
    if not data.series:
        return theme.say(figure, "No epoch is recorded yet.")
    for series in data.series:
        _draw_series(figure, data, series)
    if data.cap is not None:
        reached = f"diverged ({data.n_diverged:,} of {data.n_trials:,} trials)" if data.n_diverged else "as if diverged"
        theme.draw_cap(figure, data.cap, data.is_log, reached)
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(title=theme.EPOCH_LABEL, range=[0, max(1, data.epochs[-1])], hoverformat=",d")
    shown = np.concatenate([values for one in data.series for values in (one.median, one.low, one.high)])
    figure.update_yaxes(title=data.label, **theme.value_axis(shown, data.is_log, data.cap is not None))
    return theme.finish(figure, height=460)


def _draw_series(figure: go.Figure, data: ConvergenceData, series: ConvergenceSeries) -> None:
    colours = {"best": theme.BEST_COLOUR, "default": theme.DEFAULT_COLOUR}
    colour = colours.get(series.role, theme.OPTIMIZER_COLOURS.get(data.optimizer, theme.NEUTRAL_COLOUR))
    edge = {"x": data.epochs, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "legendgroup": series.role}
    figure.add_scatter(**edge, y=series.high, showlegend=False)
    figure.add_scatter(**edge, y=series.low, fill="tonexty", fillcolor=theme.faded(colour, 0.2), name=series.band_label)
    looks = {"best": (3, "solid", theme.BEST_SYMBOL), "default": (2.5, "dash", theme.DEFAULT_SYMBOL)}
    width, dash, symbol = looks.get(series.role, (2, "dot", None))
    every = max(1, -(-len(data.epochs) // 10))  # a dozen markers at most tell the lines apart without their colours
    figure.add_scatter(
        x=data.epochs,
        y=series.median,
        mode="lines" if symbol is None else "lines+markers",
        line={"color": colour, "width": width, "dash": dash},
        marker={"symbol": symbol, "size": [11 if i % every == 0 else 0 for i in range(len(data.epochs))]},
        name=series.label,
        legendgroup=series.role,
        customdata=np.stack([series.low, series.high], axis=-1),
        hovertemplate="%{y:.4g} (%{customdata[0]:.4g} to %{customdata[1]:.4g})",
    )
