"""Search spaces: what a spec says of each hyperparameter, and what Optuna draws from.

Optuna sees 1−β instead of β: an averaging rate is searched by its distance from 1, and 1−β keeps every digit of it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from studies.optimizers import PARAMETERS


def _refuse_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


Number = Annotated[float, BeforeValidator(_refuse_bool), Field(allow_inf_nan=False)]


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
    return "list" if isinstance(value, list | tuple) else "constant"


Dimension = Annotated[
    Annotated[Range, Tag("range")]
    | Annotated[tuple[Number, ...], Field(min_length=1), AfterValidator(_refuse_repeats), Tag("list")]
    | Annotated[Number, Tag("constant")],
    Discriminator(_kind),
]
SearchSpace = dict[str, Dimension]


def complement(value: float) -> float:
    """Return 1 − value, rounded once from the decimal digits that people write: 0.999 gives 0.001 and back."""
    return float(1 - Decimal(repr(value)))


def complete(name: str, dimension: Dimension) -> Dimension:
    """Return the dimension of this parameter with its scale filled in.

    Raises:
        ValueError: a value, bound or scale that the parameter does not allow.
    """
    parameter = PARAMETERS[name]
    if not isinstance(dimension, Range):
        for value in dimension if isinstance(dimension, tuple) else (dimension,):
            if problem := parameter.check(value):
                raise ValueError(f"{problem}, got {value:g}")
        return dimension
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
    return Range(low=dimension.low, high=dimension.high, scale=scale)


def distributions(space: Mapping[str, Dimension]) -> dict[str, BaseDistribution]:
    """Return Optuna's distribution of every searched parameter, by Optuna's names; constants are left out."""
    found: dict[str, BaseDistribution] = {}
    for name, dimension in space.items():
        parameter = PARAMETERS[name]
        if isinstance(dimension, Range):
            low, high = dimension.low, dimension.high
            if parameter.is_decay:
                low, high = complement(high), complement(low)
            found[parameter.optuna_name] = FloatDistribution(low, high, log=dimension.scale != "linear")
        elif isinstance(dimension, tuple):
            choices = [complement(value) if parameter.is_decay else value for value in dimension]
            found[parameter.optuna_name] = CategoricalDistribution(choices)
    return found


def to_optuna(space: Mapping[str, Dimension], setting: Mapping[str, float]) -> dict[str, float]:
    """Return Optuna's parameters for a setting {alpha: ..., beta1: ...}; constants are left out."""
    found = {}
    for name, dimension in space.items():
        if isinstance(dimension, Range | tuple):
            parameter = PARAMETERS[name]
            found[parameter.optuna_name] = complement(setting[name]) if parameter.is_decay else setting[name]
    return found


def from_optuna(space: Mapping[str, Dimension], params: Mapping[str, Any]) -> dict[str, float]:
    """Return the setting {alpha: ..., beta1: ...} that Optuna's parameters and the space's constants make."""
    found = {}
    for name, dimension in space.items():
        parameter = PARAMETERS[name]
        if isinstance(dimension, Range | tuple):
            value = float(params[parameter.optuna_name])
            found[name] = complement(value) if parameter.is_decay else value
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
