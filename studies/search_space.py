"""Search spaces: what a spec says of each hyperparameter, and what Optuna draws from.

Optuna sees 1−β instead of β: a rate of decay is searched by its distance from 1, and 1−β keeps every digit of it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, StrictBool, Tag

from studies.parameters import PARAMETERS


def _refuse_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _value_kind(value: object) -> str:
    return "truth" if isinstance(value, bool) else "number"


Number = Annotated[float, BeforeValidator(_refuse_bool), Field(allow_inf_nan=False)]
_AnyValue = Annotated[Number, Tag("number")] | Annotated[StrictBool, Tag("truth")]
Value = Annotated[_AnyValue, Discriminator(_value_kind)]


def _refuse_repeats(values: tuple[float, ...]) -> tuple[float, ...]:
    if len(set(values)) < len(values):
        raise ValueError("must not name a value twice")
    return values


class Range(BaseModel):
    """An interval to search on a scale: linear, log, or log1m (the logarithm of 1 minus the value)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: Number
    high: Number
    scale: Literal["linear", "log", "log1m"] | None = None


def _kind(value: object) -> str:
    if isinstance(value, Range | Mapping):
        return "range"
    return "list" if isinstance(value, list | tuple) else _value_kind(value)


Dimension = Annotated[
    Annotated[Range, Tag("range")]
    | Annotated[tuple[Value, ...], Field(min_length=1), AfterValidator(_refuse_repeats), Tag("list")]
    | _AnyValue,
    Discriminator(_kind),
]
SearchSpace = dict[str, Dimension]


def is_searched(dimension: Dimension) -> bool:
    """Return whether Optuna draws the parameter: it is a range or a list."""
    return isinstance(dimension, Range | tuple)


def complete(name: str, dimension: Dimension) -> Dimension:
    """Return the dimension of this parameter with its scale filled in.

    Raises:
        ValueError: a value, bound or scale that the parameter does not allow.
    """
    parameter = PARAMETERS[name]
    if not isinstance(dimension, Range):
        for value in dimension if isinstance(dimension, tuple) else (dimension,):
            if problem := parameter.check(value):
                raise ValueError(f"{problem}, got {shown(value)}")
        return dimension
    if parameter.is_boolean:
        raise ValueError("must be true, false or a list of them, got a range")
    for key, bound in (("low", dimension.low), ("high", dimension.high)):
        if problem := parameter.check(bound):
            raise ValueError(f"{key} {problem}, got {bound:g}")
    if dimension.low >= dimension.high:
        raise ValueError(f"low must be less than high, got {dimension.low:g} and {dimension.high:g}")
    scale = dimension.scale or parameter.scales[0]
    if scale not in parameter.scales:
        raise ValueError(f"scale must be one of {', '.join(parameter.scales)}, got {scale!r}")
    if scale == "log" and dimension.low <= 0:
        raise ValueError(f"low must be greater than 0 on a log scale, got {dimension.low:g}")
    if scale == "log1m" and dimension.high >= 1:
        raise ValueError(f"high must be less than 1 on a log1m scale, got {dimension.high:g}")
    return Range(low=dimension.low, high=dimension.high, scale=scale)


def shown(value: float) -> str:
    """Return a value as messages show it."""
    return str(value) if isinstance(value, bool) else f"{value:g}"


def distributions(space: Mapping[str, Dimension]) -> dict[str, BaseDistribution]:
    """Return Optuna's distribution of every searched parameter, by Optuna's names; constants are left out."""
    found: dict[str, BaseDistribution] = {}
    for name, dimension in space.items():
        parameter = PARAMETERS[name]
        if isinstance(dimension, Range):
            low, high = sorted(parameter.coordinate(bound) for bound in (dimension.low, dimension.high))
            found[parameter.optuna_name] = FloatDistribution(low, high, log=dimension.scale != "linear")
        elif isinstance(dimension, tuple):
            found[parameter.optuna_name] = CategoricalDistribution([parameter.coordinate(value) for value in dimension])
    return found


def to_optuna(space: Mapping[str, Dimension], setting: Mapping[str, float]) -> dict[str, float]:
    """Return Optuna's parameters for a setting {alpha: ..., beta1: ...}; constants are left out."""
    searched = (PARAMETERS[name] for name, dimension in space.items() if is_searched(dimension))
    return {parameter.optuna_name: parameter.coordinate(setting[parameter.name]) for parameter in searched}


def from_optuna(space: Mapping[str, Dimension], params: Mapping[str, Any]) -> dict[str, float]:
    """Return the setting {alpha: ..., beta1: ...} that Optuna's parameters and the space's constants make."""
    found: dict[str, float] = {}
    for name, dimension in space.items():
        parameter = PARAMETERS[name]
        if isinstance(dimension, Range | tuple):
            value = params[parameter.optuna_name]
            found[name] = bool(value) if parameter.is_boolean else parameter.coordinate(float(value))
        else:
            found[name] = dimension
    return found


def contains(space: Mapping[str, Dimension], setting: Mapping[str, float]) -> str | None:
    """Return the first parameter whose value lies outside the space; None if all lie inside."""
    for name, dimension in space.items():
        value = setting[name]
        if isinstance(dimension, Range):
            inside = dimension.low <= value <= dimension.high
        else:
            inside = value in dimension if isinstance(dimension, tuple) else value == dimension
        if not inside:
            return name
    return None


def grid_size(space: Mapping[str, Dimension]) -> int:
    """Return the number of points of a grid over the space's lists."""
    size = 1
    for dimension in space.values():
        size *= len(dimension) if isinstance(dimension, tuple) else 1
    return size
