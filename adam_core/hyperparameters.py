"""Allowed ranges of the hyperparameters, and their validation, per lane and one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from numbers import Real

import torch
from torch import Tensor

#: Upper ends, exclusive, of the ranges [0, end). Kingma & Ba 2015, Algorithm 1: "beta1, beta2 in [0, 1)".
UPPER_ENDS: Mapping[str, float] = {
    "alpha": inf,
    "beta1": 1.0,
    "beta2": 1.0,
    "epsilon": inf,
    "momentum": 1.0,
    "rho": 1.0,
    "weight_decay": inf,
}


def require_in_range(name: str, value: object, upper_end: float = inf) -> float:
    """One number of a user's, checked to be in [0, upper_end).

    Args:
        name: what the error calls it.
        value: a real number or a tensor of one element.
        upper_end: exclusive.

    Raises:
        ValueError: the value is not a number or is outside of the range.
    """
    if not isinstance(value, (Real, Tensor)) or (isinstance(value, Tensor) and value.numel() != 1):
        raise ValueError(f"{name} must be a number in [0, {upper_end:g}), got {value!r}")
    number = float(value)
    if not 0.0 <= number < upper_end:
        raise ValueError(f"{name} must be in [0, {upper_end:g}), got {number}")
    return number


def as_lanes(hyperparameters: Mapping[str, Tensor], *names: str, **defaults: float) -> tuple[Tensor, ...]:
    """The named hyperparameters, [K] float64 each, checked; other entries are ignored.

    Float64 is demanded, not converted to: 1 - 0.9999 from a float32 is already off by 2e-4 of itself.

    Args:
        hyperparameters: of the lanes.
        names: those that must be there.
        defaults: those that may be missing, with the value that all lanes then have; they follow the others.

    Raises:
        ValueError: one is missing, not float64, not [K], of another K than the first, or outside of its range.
    """
    lanes = [_lanes(name, hyperparameters) for name in names]
    for name, value in defaults.items():
        lanes.append(_lanes(name, hyperparameters) if name in hyperparameters else torch.full_like(lanes[0], value))
    for name, values in zip((*names, *defaults), lanes, strict=True):
        if values.shape != lanes[0].shape:
            raise ValueError(f"{name} must have {lanes[0].shape[0]} lanes as {names[0]} has, got {values.shape[0]}")
    return tuple(lanes)


def _lanes(name: str, hyperparameters: Mapping[str, Tensor]) -> Tensor:
    if name not in hyperparameters:
        raise ValueError(f"{name} is missing from the hyperparameters, got {', '.join(hyperparameters) or 'none'}")
    values = hyperparameters[name]
    if values.dtype != torch.float64:
        raise ValueError(f"{name} must be float64, got {values.dtype}")
    if values.dim() != 1:
        raise ValueError(f"{name} must have the shape [K], got {list(values.shape)}")
    for lane, value in enumerate(values.tolist()):
        _require_allowed(name, name if values.numel() == 1 else f"{name} of lane {lane}", value)
    return values.cpu()


def _require_allowed(name: str, label: str, value: float) -> None:
    if name == "bias_correction":
        if value not in (0.0, 1.0):
            raise ValueError(f"{label} must be 0 or 1, got {value}")
    elif name == "beta1_decay":
        if not 0.0 < value <= 1.0:
            raise ValueError(f"{label} must be in (0, 1], got {value}")
    else:
        require_in_range(label, value, UPPER_ENDS[name])
