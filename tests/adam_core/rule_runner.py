"""Steps of a rule over an array of lanes, as its callers make them, and every rule with its modes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from adam_core import Rule, make_rule, reference
from adam_core.rules import RULES
from adam_core.rules.rule import COMMON_OPTIONS

F64 = torch.float64
Gradient = Callable[[Tensor, int], Tensor]
Lane = Mapping[str, float]
Case = tuple[str, dict[str, Any]]

#: Lanes of different settings: the paper's default, its section 6.4, the corners of the search space, beta = 0.
SETTINGS: Sequence[Lane] = tuple(
    dict(zip(("alpha", "beta1", "beta2", "epsilon", "momentum", "rho", "weight_decay"), values, strict=True))
    for values in (
        (1e-3, 0.9, 0.999, 1e-8, 0.99, 0.9, 1e-2),
        (2e-2, 0.0, 0.9999, 1e-3, 0.0, 0.99, 0.0),
        (1e-1, 0.999, 0.9, 1.0, 0.9, 0.95, 1e-3),
        (1e-5, 0.5, 0.0, 1e-6, 0.5, 0.5, 1.0),
        (3e-3, 0.99, 1 - 1e-8, 1e-10, 0.7, 0.999, 1e-1),
    )
)


def _modes(options: Mapping[str, tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(zip(options, values, strict=True)) for values in itertools.product(*options.values())]


#: Every optimizer in every mode of its own.
CASES: Sequence[Case] = tuple(
    (optimizer, mode)
    for optimizer, rule in RULES.items()
    for mode in _modes({name: values for name, values in rule.options.items() if name not in COMMON_OPTIONS})
)
#: Every optimizer in every mode and every wrapper.
WRAPPED_CASES: Sequence[Case] = tuple(
    (optimizer, {**mode, **wrappers}) for optimizer, mode in CASES for wrappers in _modes(COMMON_OPTIONS)
)


def case_id(value: object) -> str:
    """A short name of an optimizer or of its options, for pytest."""
    return "-".join(f"{key}={mode}" for key, mode in value.items()) if isinstance(value, dict) else str(value)


def stack(settings: Sequence[Lane]) -> dict[str, Tensor]:
    """[K] float64 tensors of the settings of K lanes."""
    return {name: torch.tensor([setting[name] for setting in settings], dtype=F64) for name in settings[0]}


def broadcast(coefficients: Tensor, theta: Tensor, lane_axis: int = 0) -> Tensor:
    """One step's [C, K] in theta's dtype, in a shape that broadcasts against theta."""
    shape = [1] * theta.dim()
    shape[lane_axis] = -1
    return coefficients.to(theta.dtype).reshape(len(coefficients), *shape)


def given_gradients(gradients: Tensor) -> Gradient:
    """Gradients [T, ...] that do not depend on theta, expanded to its shape."""
    return lambda theta, t: gradients[t - 1].expand(theta.shape)


def run(
    rule: Rule,
    theta: Tensor,
    gradient: Gradient,
    alpha: Tensor,
    lane_axis: int = 0,
    first_step: int = 1,
    evaluated: bool = False,
) -> Tensor:
    """theta after each step, [T + 1, *theta.shape]; alpha is [T, K]; theta and its copies keep their memory layout.

    `evaluated` takes the parameters that metrics are of in place of theta.
    """
    theta = theta.clone()
    state = rule.init(theta)
    path = [theta.clone()]
    for i, row in enumerate(rule.coefficients(first_step, alpha)):
        coefficients = broadcast(row, theta, lane_axis)
        rule.update_(theta, gradient(theta, i + 1), state, coefficients)
        path.append((rule.evaluated(theta, state, coefficients) if evaluated else theta).clone())
    return torch.stack(path)


def reference_path(
    case: Case, lane: Lane, theta: Tensor, gradient: reference.Gradient, alphas: Sequence[float]
) -> Tensor:
    """theta after each step of one lane, [T + 1, *theta.shape], by `reference.py`; the case has no wrapper."""
    optimizer, options = case
    parameters = make_rule(optimizer, stack([lane]), **options).parameters
    settings = {name: lane[name] for name in parameters if name in lane}
    path = getattr(reference, optimizer.replace("-", "_"))(theta.numpy(), gradient, alphas, **settings, **options)
    return torch.from_numpy(path)


def relative_gap(left: Tensor, right: Tensor) -> float:
    """The largest gap, relative to the larger of 1 and the magnitude."""
    return float(((left - right).abs() / right.abs().clamp_min(1.0)).max())
