"""Importances as bars with their intervals."""

from dataclasses import dataclass

import plotly.graph_objects as go

from studies.analysis.importance import Importances
from studies.figures import theme
from studies.figures.bars import Bars, bar_trace, finish_bars
from studies.parameters import PARAMETERS
from studies.spec import StudySpec


@dataclass(frozen=True)
class ImportanceData:
    """What the importance figure shows: shares from 0 to 1, greatest first."""

    optimizer: str
    labels: tuple[str, ...]
    shares: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    message: str | None  #: what to say in place of bars


def importance_data(spec: StudySpec, importances: Importances) -> ImportanceData:
    """Return the bars of a study's importances."""
    shares = [one.share for one in importances.values]
    return ImportanceData(
        optimizer=spec.optimizer,
        labels=tuple(PARAMETERS[one.parameter].symbol for one in importances.values),
        shares=tuple(share.value for share in shares),
        lows=tuple(share.value if share.low is None else share.low for share in shares),
        highs=tuple(share.value if share.high is None else share.high for share in shares),
        message=importances.message,
    )


def importance_figure(data: ImportanceData) -> go.Figure:
    """Draw a bar for each hyperparameter with its 95 % interval."""
    if data.message is not None:
        return theme.say(go.Figure(), data.message)
    colour = theme.OPTIMIZER_COLOURS.get(data.optimizer, theme.NEUTRAL_COLOUR)
    figure = go.Figure(bar_trace(Bars(data.labels, data.shares, data.lows, data.highs), colour, ".0%"))
    figure.update_xaxes(title="share of the importance (PED-ANOVA, 95 % interval)", range=[0, 1], tickformat=".0%")
    return finish_bars(figure, len(data.labels))
