"""AdaMax: Kingma & Ba 2015, Algorithm 2, for K lanes.

As in `adam_core.adam`, every operation rounds once and alone, so that a lane's position does not change its numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from adam_core.hyperparameters import as_lanes
from adam_core.schedules import bias_correction
from adam_core.scratch import Scratch

EpsilonMode = Literal["none", "in-max"]


class AdaMaxRule:
    """AdaMax's update of K lanes; where u = 0, the update is 0 (the paper leaves 0/0 open)."""

    options: ClassVar[tuple[str, ...]] = ("epsilon_mode",)

    def __init__(self, hyperparameters: Mapping[str, Tensor], *, epsilon_mode: str = "none") -> None:
        """Check and take the settings.

        Args:
            hyperparameters: beta1, beta2 and, for "in-max", epsilon, [K] float64 each.
            epsilon_mode: "none" is Algorithm 2, which has no epsilon; "in-max" is torch.optim.Adamax,
                u = max(beta2 u, |g| + epsilon).

        Raises:
            ValueError: an unknown mode, or a hyperparameter that is missing or outside of its range.
        """
        if epsilon_mode not in get_args(EpsilonMode):
            raise ValueError(f"epsilon_mode must be one of {', '.join(get_args(EpsilonMode))}, got {epsilon_mode!r}")
        names = ("beta1", "beta2", "epsilon") if epsilon_mode == "in-max" else ("beta1", "beta2")
        self.beta1, beta2, *epsilon = as_lanes(hyperparameters, *names)
        self._constants = torch.stack((self.beta1, 1.0 - self.beta1, beta2, *epsilon))
        self._scratch = Scratch()

    def init(self, theta: Tensor) -> tuple[Tensor, ...]:
        """m_0 = u_0 = 0, like theta."""
        return torch.zeros_like(theta), torch.zeros_like(theta)

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """alpha_t, beta1, 1 - beta1, beta2 and, "in-max", epsilon of T steps: [T, 4 or 5, K] float64.

        Of alpha, [T, K], alpha_t = alpha / (1 - beta1^t); u needs no correction.
        """
        n_steps, n_lanes = alpha.shape
        alpha = alpha / bias_correction(self.beta1, first_step, n_steps)
        return torch.cat((alpha[:, None], self._constants.expand(n_steps, -1, n_lanes)), dim=1)

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Sequence[Tensor]) -> None:
        """One step, in place, of theta and the state (m, u).

        Args:
            theta: parameters, in any memory layout, without autograd (call under `torch.no_grad`).
            grad: gradient, of theta's shape and dtype; it is only read.
            state: (m, u), of theta's shape.
            coefficients: the four or five of one step, in theta's dtype, each to broadcast against theta.
        """
        alpha_t, beta1, one_minus_beta1, beta2, *epsilon = coefficients
        m, u = state
        scratch = self._scratch.like(theta)
        # m <- beta1 m + (1 - beta1) g
        torch.mul(grad, one_minus_beta1, out=scratch)
        m.mul_(beta1).add_(scratch)
        # u <- max(beta2 u, |g|), "in-max" max(beta2 u, |g| + epsilon)
        torch.abs(grad, out=scratch)
        for value in epsilon:
            scratch.add_(value)
        torch.maximum(u.mul_(beta2), scratch, out=u)
        # theta <- theta - m / (u / alpha_t), with infinity for u = 0; so divided, alpha_t = 0 gives 0 and never inf * 0
        torch.threshold(u, 0.0, inf, out=scratch).div_(alpha_t)
        theta.sub_(torch.div(m, scratch, out=scratch))
