"""Kaplan-Meier curves: the trials that are left, or that have reached a target, against time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from studies.analysis.estimates import FloatArray
from studies.analysis.survival import Survival
from studies.figures import theme
from studies.figures.entrants import Look, draw_line

Kind = Literal["left", "reached"]

UNIT_LABELS = {"epochs": theme.EPOCH_LABEL, "steps": "steps (optimizer updates)", "seconds": "training time (seconds)"}


@dataclass(frozen=True)
class SurvivalSeries:
    """A share against time with its 95 % interval, [G] each."""

    look: Look
    times: FloatArray  #: from 0 to the last observation; a share changes at its time
    share: FloatArray
    low: FloatArray
    high: FloatArray
    n: int


@dataclass(frozen=True)
class SurvivalData:
    """What the figure shows."""

    kind: Kind
    unit: str
    what: str  #: of what the shares are, in the plural
    series: tuple[SurvivalSeries, ...]


def survival_data(found: Sequence[tuple[Look, Survival]], kind: Kind, unit: str, what: str) -> SurvivalData:
    """Return the curves as step functions; with `reached` they are turned over, the share that had the event."""
    series = tuple(_series(look, survival, kind) for look, survival in found if survival.n)
    return SurvivalData(kind, unit, what, series)


def _series(look: Look, survival: Survival, kind: Kind) -> SurvivalSeries:
    times = np.unique(np.concatenate([[0.0], survival.times, [survival.end]]))
    share, low, high = survival.at(times)
    if kind == "reached":
        share, low, high = 1 - share, 1 - high, 1 - low
    return SurvivalSeries(look, times, share, low, high, survival.n)


def survival_figure(data: SurvivalData) -> go.Figure:
    """Draw a step line with its band for each series."""
    figure = go.Figure()
    if not data.series:
        return theme.say(figure, f"Of no {data.what} is an epoch recorded yet.")
    for one in data.series:
        hover = f"{one.look.label}: %{{y:.0%}} (%{{customdata[0]:.0%}} to %{{customdata[1]:.0%}})<extra></extra>"
        draw_line(figure, one.look, one.times, one.share, (one.low, one.high), hover, "hv", len(data.series))
    last = max(one.times[-1] for one in data.series)
    words = {"left": "left", "reached": "at the target"}
    figure.update_xaxes(title=UNIT_LABELS[data.unit], range=[0, last or 1])
    figure.update_yaxes(title=f"share of the {data.what} {words[data.kind]}", tickformat=".0%", range=[-0.02, 1.03])
    if len(data.series) == 1:
        return theme.finish(figure, height=340).update_layout(showlegend=False, margin_t=20)
    return theme.finish(figure, height=380)
