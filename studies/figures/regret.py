"""Regret of online problems: R(T)/T, which the paper says falls like 1/√T, and R(T)/√T, which then stays bounded."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from studies.analysis.estimates import FloatArray
from studies.analysis.trials import floats
from studies.db.records import StudyRecord
from studies.figures import theme
from studies.figures.picks import Pick, line, picks


@dataclass(frozen=True)
class RegretSeries:
    """The average regret of a trial, the mean over its seeds."""

    pick: Pick
    steps: FloatArray  #: T, [N]
    average: FloatArray  #: R(T)/T, [N]

    @property
    def over_root(self) -> FloatArray:
        """R(T)/√T, [N]."""
        return self.average * np.sqrt(self.steps)


@dataclass(frozen=True)
class RegretData:
    """What the figure of the regret shows."""

    optimizer: str
    series: tuple[RegretSeries, ...]


def regret_data(record: StudyRecord, trials: pd.DataFrame, curves: pd.DataFrame) -> RegretData:
    """Return the regret of the best trial, the default and the median one after each pass over the sequence.

    Args:
        record: a study of an online problem.
        trials: a frame with the columns of the view `results`.
        curves: a frame with the columns of the view `curves`.
    """
    played = curves[(curves["steps"] > 0) & curves["train_loss"].notna()]
    found = []
    for pick in picks(record, trials):
        means = played[played["trial"] == pick.trial].groupby("steps")["train_loss"].mean()
        found.append(RegretSeries(pick, means.index.to_numpy(np.float64), floats(means)))
    return RegretData(record.spec.optimizer, tuple(series for series in found if len(series.steps)))


def regret_figure(data: RegretData) -> go.Figure:
    """Draw R(T)/T and R(T)/√T against T, side by side, on logarithmic axes where no regret is below 0."""
    if not data.series:
        return theme.say(go.Figure(), "No trial is complete yet.")
    figure = make_subplots(1, 2, horizontal_spacing=0.12)
    panels = (("R(T)/T", [one.average for one in data.series]), ("R(T)/√T", [one.over_root for one in data.series]))
    for column, (title, values) in enumerate(panels, 1):
        for series, regret in zip(data.series, values, strict=True):
            figure.add_scatter(
                x=series.steps,
                y=regret,
                mode="lines",
                line=line(series.pick.role, data.optimizer),
                name=series.pick.label,
                legendgroup=series.pick.role,
                showlegend=column == 1,
                hovertemplate="T = %{x:,d}: %{y:.4g}",
                row=1,
                col=column,
            )
        shown = np.concatenate([*values, _rate(data.series[0])] if column == 1 else values)
        figure.update_yaxes(title=title, **theme.value_axis(shown, bool(shown.min() > 0), False), row=1, col=column)
    steps = np.concatenate([one.steps for one in data.series])
    first = data.series[0]
    rate = go.Scatter(x=first.steps, y=_rate(first), mode="lines", name="1/√T", hoverinfo="skip")
    rate.update(line={"color": theme.NEUTRAL_COLOUR, "width": 1.5, "dash": "longdash"})
    figure.add_trace(rate, row=1, col=1)
    figure.update_xaxes(title="T (steps)", **theme.log_axis(float(steps.min()), float(steps.max())))
    return theme.finish(figure, height=400)


def _rate(series: RegretSeries) -> FloatArray:
    """Return 1/√T through the first point of a series, [N]."""
    rate: FloatArray = series.average[0] * np.sqrt(series.steps[0] / series.steps)
    return rate
