"""A preview of a search space: the settings that a study would try, along each hyperparameter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from studies.analysis.axes import Axis, searched_axes
from studies.analysis.estimates import FloatArray, IntArray
from studies.figures import places, theme
from studies.optimizers import find_optimizer
from studies.spec import StudySpec

MAX_SETTINGS = 500  #: drawn in a strip at most
STRIP_HEIGHT = 95  #: pixels, with the room for the ticks below
TICKS_HEIGHT = 50
LETTER_WIDTH = 7


@dataclass(frozen=True)
class SearchSpaceData:
    """What the preview shows."""

    optimizer: str
    axes: tuple[Axis, ...]
    coordinates: tuple[FloatArray, ...]  #: of the settings on each axis, [N]
    numbers: IntArray  #: [N], the trial that each setting is for
    defaults: tuple[float, ...] | None  #: coordinates of the default on each axis; None if outside the space
    n_settings: int


def search_space_data(spec: StudySpec, settings: Sequence[Mapping[str, float]]) -> SearchSpaceData:
    """Return the first settings of a study along each searched hyperparameter.

    Args:
        spec: the study's spec.
        settings: what the trials would try, in order; empty where the sampler draws them as results come in.
    """
    axes, default = searched_axes(spec), spec.default_setting
    shown = settings[:MAX_SETTINGS]
    return SearchSpaceData(
        optimizer=spec.optimizer,
        axes=axes,
        coordinates=tuple(axis.coordinates([setting[axis.parameter.name] for setting in shown]) for axis in axes),
        numbers=np.arange(len(shown)),
        defaults=None
        if default is None
        else tuple(float(axis.coordinates([default[axis.parameter.name]])[0]) for axis in axes),
        n_settings=len(settings),
    )


def search_space_figure(spec: StudySpec, settings: Sequence[Mapping[str, float]]) -> go.Figure:
    """Draw a strip for each searched hyperparameter on its scale, with the settings that would be tried."""
    data = search_space_data(spec, settings)
    if not data.axes:
        return theme.say(go.Figure(), "Every hyperparameter is constant: one setting is tried.")
    figure = make_subplots(len(data.axes), 1, vertical_spacing=TICKS_HEIGHT / (STRIP_HEIGHT * len(data.axes)))
    for row, axis in enumerate(data.axes, 1):
        figure.update_xaxes(places.x_axis(axis) | {"title": None}, row=row, col=1)
        place = {
            "x": 0,
            "xref": "paper",
            "xanchor": "right",
            "xshift": -12,
            "y": 0.5,
            "yref": f"y{row if row > 1 else ''} domain",
        }
        figure.add_annotation(text=axis.label, showarrow=False, **place)
        for trace in _traces(data, row - 1):
            figure.add_trace(trace.update(showlegend=row == 1, legendgroup=trace.name), row=row, col=1)
    figure.update_yaxes(visible=False, range=[-0.08, 1.08])
    margin = max(105, 15 + LETTER_WIDTH * max(len(axis.label) for axis in data.axes))
    return theme.finish(figure, height=70 + STRIP_HEIGHT * len(data.axes)).update_layout(margin_l=margin)


def _traces(data: SearchSpaceData, index: int) -> list[go.Scatter]:
    """Return the settings of a strip, the first at its foot, and the default half-way up."""
    axis, coordinates = data.axes[index], data.coordinates[index]
    n, colour = len(data.numbers), theme.OPTIMIZER_COLOURS.get(data.optimizer, theme.NEUTRAL_COLOUR)
    traces = []
    if n:
        dots = go.Scatter(x=places.spread_places(axis, coordinates, data.numbers), y=data.numbers / max(1, n - 1))
        name = f"{n:,} settings" if n == data.n_settings else f"the first {n:,} of {data.n_settings:,} settings"
        hover = f"trial %{{customdata}}: {axis.label} = %{{text}}<extra></extra>"
        dots.update(customdata=data.numbers, text=[axis.text(one) for one in coordinates], hovertemplate=hover)
        traces.append(dots.update(name=name, mode="markers", marker={"size": 6, "color": colour, "opacity": 0.6}))
    if data.defaults is not None:
        default = places.places(axis, np.array([data.defaults[index]]))
        optimizer = find_optimizer(data.optimizer)
        hover = f"{optimizer.defaults_from} default: {axis.label} = {axis.text(data.defaults[index])}<extra></extra>"
        mark = {"symbol": theme.DEFAULT_SYMBOL, "size": 14, "color": theme.DEFAULT_COLOUR, **theme.MARK_EDGE}
        diamond = go.Scatter(x=default, y=[0.5], mode="markers", name=optimizer.default_label, marker=mark)
        traces.append(diamond.update(hovertemplate=hover))
    return traces
