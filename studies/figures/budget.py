"""The tuning-budget curve: the best value to be expected after k trials."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from studies.analysis.budget import BudgetCurve
from studies.figures import theme
from studies.figures.entrants import Look, draw_line


@dataclass(frozen=True)
class BudgetSeries:
    """The curve of a study, and the value of its default setting, which needs no trial."""

    look: Look
    curve: BudgetCurve
    default: float | None


def budget_figure(series: Sequence[BudgetSeries], label: str) -> go.Figure:
    """Draw the curves with their bands, the defaults as diamonds at their left, on a logarithmic axis of trials."""
    figure = go.Figure()
    if not series:
        return theme.say(figure, "No study has a complete trial that its sampler drew.")
    for one in series:
        curve = one.curve
        is_banded = np.isfinite(curve.low)
        ends = " (%{customdata[0]:.4g} to %{customdata[1]:.4g})"
        band = (curve.low, curve.high) if is_banded.any() else None
        bare = f"{one.look.label}, %{{x:,d}} trials: %{{y:.4g}}"
        hover = [f"{bare}{ends if has_band else ''}<extra></extra>" for has_band in is_banded]
        shape = "linear" if curve.is_expected else "hv"
        draw_line(figure, one.look, curve.n_trials.astype(np.float64), curve.best, band, hover, shape, len(series))
    _defaults(figure, series)
    drawn = [values for one in series for values in (one.curve.best, one.curve.low, one.curve.high)]
    shown = np.concatenate([*drawn, [one.default for one in series if one.default is not None]])
    last = max(int(one.curve.n_trials[-1]) for one in series)
    figure.update_xaxes(title="trials (log)", **theme.log_axis(0.75, max(2, last)))
    figure.update_yaxes(title=f"best {label}", **theme.value_axis(shown, theme.spans_decade(shown), has_cap=False))
    return theme.finish(figure, height=420)


def _defaults(figure: go.Figure, series: Sequence[BudgetSeries]) -> None:
    for one in series:
        if one.default is None:
            continue
        mark = {"symbol": theme.DEFAULT_SYMBOL, "size": 11, "color": one.look.colour, **theme.MARK_EDGE}
        figure.add_scatter(
            x=[0.8],
            y=[one.default],
            mode="markers",
            marker=mark,
            legendgroup=one.look.label,
            showlegend=False,
            hovertemplate=f"{one.look.label}, its default setting: %{{y:.4g}}<extra></extra>",
        )
