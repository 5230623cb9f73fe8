"""The curves of several studies' best settings against epochs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from studies.analysis.curves import Band, align, band, cap_of
from studies.analysis.estimates import IntArray
from studies.figures import theme
from studies.figures.entrants import Look, draw_line

MAX_EPOCHS = 200  #: drawn at most, evenly spaced


@dataclass(frozen=True)
class BestCurve:
    """The median over the seeds of one setting, and their range; what is diverged lies on the cap."""

    look: Look
    trial: int
    epochs: IntArray  #: [T]
    values: Band  #: [T]
    n_seeds: int


def best_curve(look: Look, trial: int, curves: pd.DataFrame, quantity: str) -> BestCurve:
    """Return the curve of a trial.

    Args:
        look: of the study.
        trial: its number.
        curves: rows of the view `curves` of this trial.
        quantity: the column to take.
    """
    aligned = align(curves, quantity)
    n_epochs = aligned.values.shape[1]
    epochs = np.unique(np.linspace(0, max(0, n_epochs - 1), min(n_epochs, MAX_EPOCHS)).round().astype(np.int64))
    cap = cap_of(aligned)
    values = np.minimum(aligned.values[:, epochs], np.inf if cap is None else cap)
    return BestCurve(look, trial, epochs, band(values, 0.0, 1.0), len(values))


def best_curves_figure(curves: Sequence[BestCurve], label: str, target: float | None) -> go.Figure:
    """Draw the curves with the range over seeds behind them, and the target as a line; `label` is the axis title."""
    figure = go.Figure()
    drawn = [curve for curve in curves if len(curve.epochs)]
    if not drawn:
        return theme.say(figure, "No epoch is recorded yet.")
    for curve in drawn:
        ends = (curve.values.low, curve.values.high)
        hover = (
            f"{curve.look.label} (trial {curve.trial}): %{{y:.4g}} (%{{customdata[0]:.4g}} to %{{customdata[1]:.4g}})"
        )
        band_ends = ends if curve.n_seeds > 1 else None
        hover = hover if band_ends is not None else hover.split(" (%{c")[0]
        x = curve.epochs.astype(np.float64)
        draw_line(figure, curve.look, x, curve.values.median, band_ends, hover + "<extra></extra>", n_lines=len(drawn))
    shown = np.concatenate([np.concatenate([one.values.low, one.values.high]) for one in drawn])
    is_log = theme.spans_decade(shown)
    if target is not None:
        theme.draw_cap(figure, target, is_log, f"target {target:.4g}")
    figure.update_xaxes(title=theme.EPOCH_LABEL, range=[0, max(1, max(one.epochs[-1] for one in drawn))])
    figure.update_yaxes(title=label, **theme.value_axis(shown, is_log, has_cap=False))
    return theme.finish(figure, height=420)
