"""Adam: Kingma & Ba 2015, Algorithm 1, for K lanes.

Every operation below rounds once and alone (no fused multiply-add), so that a lane's numbers are the same at every
position of an array: fused operations may differ between the vectorized part of a loop and its tail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from adam_core.hyperparameters import as_lanes
from adam_core.schedules import bias_correction
from adam_core.scratch import Scratch

#: Stands for epsilon = 0: it vanishes beside the square root of any v > 0 of float32, and turns 0/0 into 0.
SMALLEST_EPSILON = 1e-36


class AdamRule:
    """Adam's update of K lanes, in the efficient order of section 2 with epsilon_hat_t = epsilon sqrt(1 - beta2^t).

    That is Algorithm 1 with its scalars gathered. Where epsilon, m and v are all 0, the update is 0.
    """

    options: ClassVar[tuple[str, ...]] = ("bias_correction",)

    def __init__(self, hyperparameters: Mapping[str, Tensor], *, bias_correction: bool = True) -> None:
        """Check and take the settings.

        Args:
            hyperparameters: beta1, beta2 and epsilon, [K] float64 each.
            bias_correction: False leaves the correction out, as section 6.4 does: alpha m / (sqrt(v) + epsilon).

        Raises:
            ValueError: a hyperparameter is missing or outside of its range.
        """
        if not isinstance(bias_correction, bool):
            raise ValueError(f"bias_correction must be True or False, got {bias_correction!r}")
        self.beta1, self.beta2, self.epsilon = as_lanes(hyperparameters, "beta1", "beta2", "epsilon")
        self.bias_correction = bias_correction
        self._constants = torch.stack((self.beta1, 1.0 - self.beta1, self.beta2, 1.0 - self.beta2))
        self._scratch = Scratch()

    def init(self, theta: Tensor) -> tuple[Tensor, ...]:
        """m_0 = v_0 = 0, like theta."""
        return torch.zeros_like(theta), torch.zeros_like(theta)

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """alpha_t, epsilon_hat_t, beta1, 1 - beta1, beta2, 1 - beta2 of T steps: [T, 6, K] float64.

        Of alpha, [T, K], alpha_t = alpha sqrt(1 - beta2^t) / (1 - beta1^t).
        """
        n_steps, n_lanes = alpha.shape
        epsilon_hat = self.epsilon.expand_as(alpha)
        if self.bias_correction:
            root = bias_correction(self.beta2, first_step, n_steps).sqrt()
            alpha = alpha * root / bias_correction(self.beta1, first_step, n_steps)
            epsilon_hat = epsilon_hat * root
        changing = torch.stack((alpha, epsilon_hat.clamp_min(SMALLEST_EPSILON)), dim=1)
        return torch.cat((changing, self._constants.expand(n_steps, -1, n_lanes)), dim=1)

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Sequence[Tensor]) -> None:
        """One step, in place, of theta and the state (m, v).

        Args:
            theta: parameters, in any memory layout, without autograd (call under `torch.no_grad`).
            grad: gradient, of theta's shape and dtype; it is only read.
            state: (m, v), of theta's shape.
            coefficients: the six of one step, in theta's dtype, each to broadcast against theta.
        """
        alpha_t, epsilon_hat, beta1, one_minus_beta1, beta2, one_minus_beta2 = coefficients
        m, v = state
        scratch = self._scratch.like(theta)
        # m <- beta1 m + (1 - beta1) g
        torch.mul(grad, one_minus_beta1, out=scratch)
        m.mul_(beta1).add_(scratch)
        # v <- beta2 v + (1 - beta2) g^2
        torch.mul(grad, one_minus_beta2, out=scratch).mul_(grad)
        v.mul_(beta2).add_(scratch)
        # theta <- theta - m / ((sqrt(v) + epsilon_hat) / alpha_t): so divided, alpha_t = 0 gives 0 and never inf * 0
        torch.sqrt(v, out=scratch).add_(epsilon_hat).div_(alpha_t)
        theta.sub_(torch.div(m, scratch, out=scratch))
