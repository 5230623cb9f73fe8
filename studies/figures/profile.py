"""The performance profile over workloads."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from studies.analysis.profiles import Profile
from studies.figures import theme
from studies.figures.entrants import Look, draw_line, ratio_axis

MAX_FACTOR = 16.0  #: drawn at most


def profile_figure(data: Profile, looks: Mapping[str, Look], cost: str) -> go.Figure:
    """Draw the share of problems within a factor of the best, a step line with its band for each solver.

    Args:
        data: the profile.
        looks: by the solvers' names.
        cost: what the factors are of, in words.
    """
    figure = go.Figure()
    end = float(np.clip(data.factors[-1] * 1.1, 1.5, MAX_FACTOR))
    factors = np.append(data.factors[data.factors < end], end)
    index = np.searchsorted(data.factors, factors, side="right") - 1
    for row, solver in enumerate(data.solvers):
        band = (data.low[row, index], data.high[row, index]) if np.isfinite(data.low).all() else None
        ends = " (%{customdata[0]:.0%} to %{customdata[1]:.0%})" if band is not None else ""
        hover = f"{solver}: within %{{x:.3g}} times the best on %{{y:.0%}}{ends}<extra></extra>"
        draw_line(figure, looks[solver], factors, data.shares[row, index], band, hover, "hv", len(data.solvers))
    figure.update_xaxes(title=f"{cost}, times the best (log)", **ratio_axis(1.0, end))
    figure.update_yaxes(title="share of the problems", tickformat=".0%", range=[-0.02, 1.03])
    return theme.finish(figure, height=400)
