"""Tunability as bars: what tuning each hyperparameter alone, two of them, or all gains over the default."""

from dataclasses import dataclass

import plotly.graph_objects as go

from studies.analysis.sensitivity import Sensitivity
from studies.analysis.tunability import Tuned
from studies.figures import theme
from studies.figures.bars import Bars, bar_trace, bars_of, finish_bars
from studies.parameters import PARAMETERS
from studies.spec import StudySpec

MAX_PAIRS = 4  #: drawn, those that gain most


@dataclass(frozen=True)
class TunabilityData:
    """What the figure shows: gains in the unit of the objective."""

    optimizer: str
    label: str  #: of the objective
    bars: Bars
    message: str | None  #: what to say in place of bars


def tunability_data(spec: StudySpec, sensitivity: Sensitivity) -> TunabilityData:
    """Return the bars of a study's tunability: each alone, the pairs that gain most, all."""
    found = sensitivity.tunability
    tuned = [*found.alone, *found.pairs[:MAX_PAIRS]]
    if found.all is not None and len(found.alone) > 2:
        tuned.append(found.all)
    labels = [_label(one, len(found.alone)) for one in tuned]
    bars = bars_of(labels, [one.gain for one in tuned])
    label = theme.quantity_label(sensitivity.quantity, spec.known_workload)
    return TunabilityData(spec.optimizer, label, bars, found.message)


def _label(tuned: Tuned, n_axes: int) -> str:
    if len(tuned.parameters) == n_axes > 2:
        return f"all {n_axes}"
    return ", ".join(PARAMETERS[name].symbol for name in tuned.parameters)


def tunability_figure(data: TunabilityData) -> go.Figure:
    """Draw a bar for each choice of what to tune, with its 95 % interval."""
    if data.message is not None:
        return theme.say(go.Figure(), data.message)
    colour = theme.OPTIMIZER_COLOURS.get(data.optimizer, theme.NEUTRAL_COLOUR)
    figure = go.Figure(bar_trace(data.bars, colour, ".4g"))
    title = f"gain over the default: {data.label} (95 % interval)"
    figure.update_xaxes(title=title, rangemode="tozero")
    return finish_bars(figure, len(data.bars.labels))
