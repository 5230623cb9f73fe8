"""Adam: Kingma & Ba 2015, Algorithm 1, for K lanes."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from adam_core import kernels
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

EpsilonMode = Literal["outside", "hat", "root"]


class AdamRule(Rule):
    """Adam's update in the efficient order of section 2: Algorithm 1 with its scalars gathered.

    Where epsilon stands is the epsilon_mode:

    - "outside", Algorithm 1 and `torch.optim.Adam`: alpha m_hat / (sqrt(v_hat) + epsilon);
    - "hat", the end of section 2, Keras and Lasagne: alpha_t m / (sqrt(v) + epsilon), a constant epsilon_hat, which
      acts as "outside" with epsilon / sqrt(1 - beta2^t);
    - "root", optax's eps_root: alpha m_hat / sqrt(v_hat + epsilon).

    A lane's bias_correction = 0 takes m and v for m_hat and v_hat, as section 6.4 does. beta1_decay is the lambda of
    beta1_t = beta1 lambda^(t-1), Theorem 4.1; the correction stays 1 - beta1^t, as in the paper's appendix. Where
    epsilon, m and v are all 0, the update is 0.
    """

    parameters = ("beta1", "beta2", "epsilon", "bias_correction", "beta1_decay")
    options = {"epsilon_mode": get_args(EpsilonMode)} | COMMON_OPTIONS
    state_names = ("m", "v")

    def __init__(self, hyperparameters: Hyperparameters, *, epsilon_mode: EpsilonMode) -> None:
        super().__init__(hyperparameters)
        self.beta1, self.beta2, self.epsilon, self.corrected, self.beta1_decay = as_lanes(
            hyperparameters, "beta1", "beta2", "epsilon", bias_correction=1.0, beta1_decay=1.0
        )
        self.epsilon_mode = epsilon_mode

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """alpha_t, epsilon_hat_t, beta1_t, 1 - beta1_t, beta2, 1 - beta2 of T steps: [T, 6, K] float64.

        alpha_t = alpha sqrt(1 - beta2^t) / (1 - beta1^t); epsilon_hat_t is epsilon sqrt(1 - beta2^t) "outside",
        epsilon "hat", and epsilon (1 - beta2^t) "root".
        """
        n_steps = len(alpha)
        beta1 = decayed_beta(self.beta1, self.beta1_decay, first_step, n_steps)
        first = bias_correction(self.beta1, first_step, n_steps, self.corrected)
        second = bias_correction(self.beta2, first_step, n_steps, self.corrected)
        root = square_root(second, torch.empty_like(second))
        alpha_t = alpha * root / first
        factors = {"outside": root, "hat": torch.ones_like(second), "root": second}
        epsilon_hat = (self.epsilon * factors[self.epsilon_mode]).clamp_min(SMALLEST_EPSILON)
        return coefficient_table(alpha_t, epsilon_hat, beta1, 1.0 - beta1, self.beta2, 1.0 - self.beta2)

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step, in place, of theta and the state (m, v)."""
        m, v = state
        if kernels.adam_(theta, grad, m, v, coefficients, self.epsilon_mode == "root"):
            return
        alpha_t, epsilon_hat, beta1, one_minus_beta1, beta2, one_minus_beta2 = coefficients.unbind()
        scratch = self._scratch.like(theta)
        # m <- beta1 m + (1 - beta1) g
        m.mul_(beta1).add_(torch.mul(grad, one_minus_beta1, out=scratch))
        # v <- beta2 v + (1 - beta2) g^2
        v.mul_(beta2).add_(torch.mul(grad, one_minus_beta2, out=scratch).mul_(grad))
        if self.epsilon_mode == "root":
            square_root(torch.add(v, epsilon_hat, out=scratch), scratch)
        else:
            square_root(v, scratch).add_(epsilon_hat)
        # theta <- theta - m / ((sqrt(v) + epsilon_hat) / alpha_t): so divided, alpha_t = 0 gives 0 and never inf * 0
        theta.sub_(torch.div(m, scratch.div_(alpha_t), out=scratch))

    def signal(self, state: tuple[Tensor, ...], coefficients: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor] | None:
        """|m_hat| / sqrt(v_hat), and whether epsilon exceeds sqrt(v_hat) ("root": v_hat)."""
        alpha_t, epsilon_hat = coefficients[0], coefficients[1]
        m, v = state[:2]
        root = square_root(v, torch.empty_like(v))
        dominated = epsilon_hat > (v if self.epsilon_mode == "root" else root)
        return signal_to_noise(m, root, alpha_t / alpha), dominated
