"""Steps of a rule over an array of lanes, as its callers make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from adam_core import Rule

F64 = torch.float64
Gradient = Callable[[Tensor, int], Tensor]

#: Lanes of different settings: the paper's default, its section 6.4, the corners of the search space, beta = 0.
SETTINGS: Sequence[Mapping[str, float]] = (
    {"alpha": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    {"alpha": 2e-2, "beta1": 0.0, "beta2": 0.9999, "epsilon": 1e-3},
    {"alpha": 1e-1, "beta1": 0.999, "beta2": 0.9, "epsilon": 1.0},
    {"alpha": 1e-5, "beta1": 0.5, "beta2": 0.0, "epsilon": 1e-6},
    {"alpha": 3e-3, "beta1": 0.99, "beta2": 1 - 1e-8, "epsilon": 1e-10},
)


def stack(settings: Sequence[Mapping[str, float]]) -> dict[str, Tensor]:
    """[K] float64 tensors of the settings of K lanes."""
    return {name: torch.tensor([setting[name] for setting in settings], dtype=F64) for name in settings[0]}


def broadcast(coefficients: Tensor, theta: Tensor, lane_axis: int = 0) -> list[Tensor]:
    """One step's [C, K] as C tensors in theta's dtype that broadcast against theta."""
    shape = [1] * theta.dim()
    shape[lane_axis] = -1
    return [row.to(theta.dtype).reshape(shape) for row in coefficients]


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
) -> Tensor:
    """theta after each step, [T + 1, *theta.shape]; alpha is [T, K]; theta and its copies keep their memory layout."""
    theta = theta.clone()
    state = rule.init(theta)
    path = [theta.clone()]
    for i, row in enumerate(rule.coefficients(first_step, alpha)):
        rule.update_(theta, gradient(theta, i + 1), state, broadcast(row, theta, lane_axis))
        path.append(theta.clone())
    return torch.stack(path)


def relative_gap(left: Tensor, right: Tensor) -> float:
    """The largest gap, relative to the larger of 1 and the magnitude."""
    return float(((left - right).abs() / right.abs().clamp_min(1.0)).max())
