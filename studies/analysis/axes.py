"""The searched hyperparameters as axes: rates of decay are seen as 1−β, logarithms are those of the search."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studies.analysis.estimates import FloatArray
from studies.parameters import PARAMETERS, Parameter
from studies.search_space import Range
from studies.spec import StudySpec


@dataclass(frozen=True)
class Axis:
    """A searched hyperparameter; a coordinate is its value, or 1−β for a rate of decay, or 0 or 1."""

    parameter: Parameter
    is_log: bool
    low: float  #: least coordinate of the search space
    high: float  #: greatest
    choices: tuple[float, ...] | None  #: ascending coordinates of a list; None for a range

    @property
    def label(self) -> str:
        """The axis title."""
        symbol = f"1 − {self.parameter.symbol}" if self.parameter.is_decay else self.parameter.symbol
        return f"{symbol} (log)" if self.is_log else symbol

    def text(self, coordinate: float) -> str:
        """Return a coordinate as its axis shows it."""
        return self.parameter.text(coordinate) if self.parameter.is_boolean else f"{coordinate:g}"

    def coordinates(self, values: Sequence[float] | FloatArray) -> FloatArray:
        """Return the coordinates of values [N] of the hyperparameter, [N]."""
        return np.array([self.parameter.coordinate(float(value)) for value in values], dtype=np.float64)

    def positions(self, coordinates: FloatArray) -> FloatArray:
        """Return where coordinates [N] lie between the ends of the axis on its scale, from 0 to 1; lists by rank."""
        if self.choices is not None:
            return np.searchsorted(self.choices, coordinates).astype(np.float64) / max(1, len(self.choices) - 1)
        low, high, inner = self.low, self.high, coordinates
        if self.is_log:
            low, high, inner = np.log(low), np.log(high), np.log(coordinates)
        return (inner - low) / (high - low)

    def at(self, positions: FloatArray) -> FloatArray:
        """Return the coordinates of positions [N], [N]: the inverse of `positions`; those of a list are the nearest."""
        if self.choices is not None:
            return np.array(self.choices)[np.rint(positions * (len(self.choices) - 1)).astype(np.int64)]
        if self.is_log:
            return self.low * (self.high / self.low) ** positions
        return self.low + positions * (self.high - self.low)


def searched_axes(spec: StudySpec) -> tuple[Axis, ...]:
    """Return an axis for every hyperparameter that is a range, or a list of more than one value."""
    axes = []
    for name, dimension in spec.search_space.items():
        parameter = PARAMETERS[name]
        if isinstance(dimension, Range):
            low, high = sorted(parameter.coordinate(bound) for bound in (dimension.low, dimension.high))
            axes.append(Axis(parameter, dimension.scale != "linear", low, high, None))
        elif isinstance(dimension, tuple) and len(dimension) > 1:
            choices = tuple(sorted(float(parameter.coordinate(value)) for value in dimension))
            axes.append(Axis(parameter, False, choices[0], choices[-1], choices))
    return tuple(axes)
