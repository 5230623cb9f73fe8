"""AMSGrad (Reddi, Kale & Kumar 2018, "On the Convergence of Adam and Beyond", Algorithm 2) for K lanes."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from adam_core.hyperparameters import as_lanes
from adam_core.rules.rule import (
    COMMON_OPTIONS,
    SMALLEST_EPSILON,
    Hyperparameters,
    Rule,
    coefficient_table,
    signal_to_noise,
)
from adam_core.rules.square_root import square_root
from adam_core.schedules import bias_correction, decayed_beta

MaximumOf = Literal["v", "v_hat"]


class AMSGradRule(Rule):
    """Adam with the largest second moment so far, v_max, in place of the last one.

    What the maximum is of is maximum_of:

    - "v", `torch.optim.Adam(amsgrad=True)` and Keras: v_max <- max(v_max, v), corrected afterwards:
      alpha m_hat / (sqrt(v_max / (1 - beta2^t)) + epsilon);
    - "v_hat", optax: v_max <- max(v_max, v_hat), alpha m_hat / (sqrt(v_max) + epsilon).

    The source has no bias correction, which is a lane's bias_correction = 0: alpha m / (sqrt(v_max) + epsilon).
    beta1_decay is the lambda of its beta1_t = beta1 lambda^(t-1). Where epsilon, m and v_max are 0, the update is 0.
    """

    parameters = ("beta1", "beta2", "epsilon", "bias_correction", "beta1_decay")
    options = {"maximum_of": get_args(MaximumOf)} | COMMON_OPTIONS
    state_names = ("m", "v", "v_max")

    def __init__(self, hyperparameters: Hyperparameters, *, maximum_of: MaximumOf) -> None:
        super().__init__(hyperparameters)
        self.beta1, self.beta2, self.epsilon, self.corrected, self.beta1_decay = as_lanes(
            hyperparameters, "beta1", "beta2", "epsilon", bias_correction=1.0, beta1_decay=1.0
        )
        self.maximum_of = maximum_of

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """alpha_t, epsilon_hat_t, beta1_t, 1 - beta1_t, beta2, 1 - beta2 of T steps: [T, 6, K] float64.

        alpha_t and epsilon_hat_t are those of Adam; for "v_hat", alpha / (1 - beta1^t) and epsilon, with a seventh
        scalar, 1 - beta2^t.
        """
        n_steps = len(alpha)
        beta1 = decayed_beta(self.beta1, self.beta1_decay, first_step, n_steps)
        first = bias_correction(self.beta1, first_step, n_steps, self.corrected)
        second = bias_correction(self.beta2, first_step, n_steps, self.corrected)
        rest = 1.0 - beta1, self.beta2, 1.0 - self.beta2
        if self.maximum_of == "v_hat":
            epsilon = self.epsilon.clamp_min(SMALLEST_EPSILON)
            return coefficient_table(alpha / first, epsilon, beta1, *rest, second)
        root = square_root(second, torch.empty_like(second))
        epsilon_hat = (self.epsilon * root).clamp_min(SMALLEST_EPSILON)
        return coefficient_table(alpha * root / first, epsilon_hat, beta1, *rest)

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step, in place, of theta and the state (m, v, v_max)."""
        alpha_t, epsilon_hat, beta1, one_minus_beta1, beta2, one_minus_beta2, *correction = coefficients.unbind()
        m, v, v_max = state
        scratch = self._scratch.like(theta)
        # m <- beta1 m + (1 - beta1) g
        m.mul_(beta1).add_(torch.mul(grad, one_minus_beta1, out=scratch))
        # v <- beta2 v + (1 - beta2) g^2
        v.mul_(beta2).add_(torch.mul(grad, one_minus_beta2, out=scratch).mul_(grad))
        # v_max <- max(v_max, v), "v_hat" max(v_max, v / (1 - beta2^t))
        second = torch.div(v, correction[0], out=scratch) if self.maximum_of == "v_hat" else v
        torch.maximum(v_max, second, out=v_max)
        # theta <- theta - m / ((sqrt(v_max) + epsilon_hat) / alpha_t), as in Adam
        square_root(v_max, scratch).add_(epsilon_hat)
        theta.sub_(torch.div(m, scratch.div_(alpha_t), out=scratch))

    def signal(self, state: tuple[Tensor, ...], coefficients: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor] | None:
        """|m_hat| / sqrt(v_max), v_max corrected for "v", and whether epsilon exceeds that root."""
        alpha_t, epsilon_hat = coefficients[0], coefficients[1]
        m, _, v_max = state[:3]
        root = square_root(v_max, torch.empty_like(v_max))
        return signal_to_noise(m, root, alpha_t / alpha), epsilon_hat > root
