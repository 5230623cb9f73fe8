"""What an update rule over K lanes is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from adam_core.rules.scratch import Scratch

Hyperparameters = Mapping[str, Tensor]  #: [K] float64 each

#: Stands for epsilon = 0: it vanishes beside the square root of any v > 0 of float32, and turns 0/0 into 0 (in float32
#: for alpha_t up to 1e8; divided by more, it is 0).
SMALLEST_EPSILON = 1e-36

#: Modes of every rule: what make_rule wraps around it.
COMMON_OPTIONS: dict[str, tuple[Any, ...]] = {
    "weight_decay_mode": ("none", "l2", "decoupled"),
    "averaging": ("none", "polyak", "exponential"),
}


class Rule(ABC):
    """An update rule over K lanes, each with its own hyperparameters; `adam_core.rules.make_rule` makes one.

    Every operation is elementwise and rounds alone (no fused multiply-add), so that a lane's numbers are the same at
    every position and in every memory layout, and a lane that is not finite harms no other. A lane whose alpha is 0
    keeps its theta exactly while theta, the gradient and the state stay finite.

    Coefficients are the scalars of one step. Where an update takes them, they are one tensor [C, ...] whose rows
    broadcast against theta: [C, 1, W] for theta [R, W] with a scalar for each column, [C, R, 1] with one for each row,
    [C] for one lane's theta of any shape.

    Args:
        hyperparameters: those of `parameters`, [K] float64 each; others are ignored.
        options: a value for each of the rule's own options, checked by make_rule.

    Raises:
        ValueError: a hyperparameter is missing or outside of its range.
    """

    #: The hyperparameters that it takes, beside alpha.
    parameters: tuple[str, ...] = ()
    #: Its modes, each with the values allowed, the default first.
    options: dict[str, tuple[Any, ...]] = COMMON_OPTIONS
    #: The tensors of its state, by the symbols of its source.
    state_names: tuple[str, ...] = ()

    def __init__(self, hyperparameters: Hyperparameters, **options: Any) -> None:
        self._scratch = Scratch()

    def init(self, theta: Tensor) -> tuple[Tensor, ...]:
        """The state before step 1: zeros in the shape, dtype and memory layout of theta."""
        return tuple(torch.zeros_like(theta) for _ in self.state_names)

    @abstractmethod
    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """Every scalar that T updates need, in float64.

        Args:
            first_step: t of the first update, from 1.
            alpha: [T, K] float64, alpha of the steps first_step ... first_step + T - 1, its schedule applied.

        Returns:
            [T, C, K] float64; C is the rule's own. Cast to theta's dtype, so that each is rounded once.
        """

    @abstractmethod
    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step, in place, of theta and the state.

        Args:
            theta: parameters, in any memory layout, without autograd (call under `torch.no_grad`).
            grad: gradient, of theta's shape and dtype; it is only read.
            state: as `init` gives it.
            coefficients: of this step, in theta's dtype, to broadcast against theta.
        """

    def signal(self, state: tuple[Tensor, ...], coefficients: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor] | None:
        """The signal-to-noise ratio of each parameter, and whether epsilon is the larger part of what divides it.

        Args:
            state: the state after a step.
            coefficients: of that step.
            alpha: of that step, its schedule applied, to broadcast against theta.

        Returns:
            |m_hat| / sqrt(v_hat), 0 where v is 0, and truth values, both in theta's shape; None where the rule has no
            such moments.

        Source: Kingma & Ba 2015, section 2.1.
        """
        return None

    def evaluated(self, theta: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> Tensor:
        """The parameters that metrics are of: theta itself, unless the rule averages its iterates.

        Args:
            theta: parameters after a step.
            state: the state after it.
            coefficients: of that step.
        """
        return theta


def coefficient_table(alpha: Tensor, *others: Tensor) -> Tensor:
    """alpha_t, [T, K], and other scalars that broadcast against it, as `Rule.coefficients` gives them: [T, C, K]."""
    return torch.stack([alpha, *(values.expand_as(alpha) for values in others)], dim=1)


def signal_to_noise(m: Tensor, root: Tensor, correction: Tensor) -> Tensor:
    """|m| / root times the correction, 0 where root is 0."""
    return torch.where(root > 0.0, m.abs() / root * correction, 0.0)
