"""Sobol indices as bars: what each hyperparameter explains alone, and with its interactions."""

from dataclasses import dataclass

import plotly.graph_objects as go

from studies.analysis.sensitivity import Sensitivity
from studies.figures import theme
from studies.figures.bars import Bars, bar_trace, bars_of, finish_bars
from studies.parameters import PARAMETERS
from studies.spec import StudySpec


@dataclass(frozen=True)
class VarianceData:
    """What the figure shows: shares from 0 to 1, greatest total first."""

    optimizer: str
    first: Bars
    total: Bars
    title: str  #: of the axis
    message: str | None  #: what to say in place of bars


def variance_data(spec: StudySpec, found: Sensitivity) -> VarianceData:
    """Return the bars of the shares of the variance."""
    values = found.variance.values
    labels = [PARAMETERS[one.parameter].symbol for one in values]
    explained = "steps to the target" if found.quantity == "steps_to_target" else "objective"
    quantity = f"log {explained}" if found.is_log else explained
    return VarianceData(
        optimizer=spec.optimizer,
        first=bars_of(labels, [one.first for one in values]),
        total=bars_of(labels, [one.total for one in values]),
        title=f"share of the variance of the {quantity}, 95 % interval",
        message=found.variance.message,
    )


def variance_figure(data: VarianceData) -> go.Figure:
    """Draw two bars for each hyperparameter with their 95 % intervals."""
    if data.message is not None:
        return theme.say(go.Figure(), data.message)
    colour = theme.OPTIMIZER_COLOURS.get(data.optimizer, theme.NEUTRAL_COLOUR)
    first = bar_trace(data.first, colour, ".0%", name="alone (first order)")
    total = bar_trace(data.total, colour, ".0%", name="with interactions (total)")
    total.marker.pattern.shape = "/"
    figure = go.Figure([first, total])
    figure.update_xaxes(title=data.title, range=[0, 1], tickformat=".0%")
    return finish_bars(figure, len(data.first.labels)).update_layout(barmode="group")
