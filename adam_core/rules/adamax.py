"""AdaMax: Kingma & Ba 2015, Algorithm 2, for K lanes."""

from __future__ import annotations

from math import inf
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
from adam_core.schedules import bias_correction, decayed_beta

EpsilonMode = Literal["none", "in-max", "added"]


class AdaMaxRule(Rule):
    """AdaMax's update; where u = 0, and epsilon with it, the update is 0 (the paper leaves 0/0 open).

    Where epsilon stands is the epsilon_mode:

    - "none", Algorithm 2: u <- max(beta2 u, |g|), theta <- theta - alpha / (1 - beta1^t) m / u;
    - "in-max", `torch.optim.Adamax` and optax: u <- max(beta2 u, |g| + epsilon);
    - "added", Keras: u as in Algorithm 2, m / (u + epsilon).

    beta1_decay is the lambda of beta1_t = beta1 lambda^(t-1), as in Adam.
    """

    parameters: tuple[str, ...] = ("beta1", "beta2", "beta1_decay")
    options = {"epsilon_mode": get_args(EpsilonMode)} | COMMON_OPTIONS
    state_names = ("m", "u")

    def __init__(self, hyperparameters: Hyperparameters, *, epsilon_mode: EpsilonMode) -> None:
        super().__init__(hyperparameters)
        if epsilon_mode != "none":
            self.parameters = ("beta1", "beta2", "epsilon", "beta1_decay")
        names = [name for name in self.parameters if name != "beta1_decay"]
        self.beta1, self.beta2, *self._epsilon, self.beta1_decay = as_lanes(hyperparameters, *names, beta1_decay=1.0)
        self.epsilon_mode = epsilon_mode

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """alpha_t, beta1_t, 1 - beta1_t, beta2 and, where there is one, epsilon of T steps: [T, 4 or 5, K] float64.

        alpha_t = alpha / (1 - beta1^t); u needs no correction.
        """
        n_steps = len(alpha)
        beta1 = decayed_beta(self.beta1, self.beta1_decay, first_step, n_steps)
        alpha_t = alpha / bias_correction(self.beta1, first_step, n_steps)
        smallest = SMALLEST_EPSILON if self.epsilon_mode == "added" else 0.0
        epsilon = [values.clamp_min(smallest) for values in self._epsilon]
        return coefficient_table(alpha_t, beta1, 1.0 - beta1, self.beta2, *epsilon)

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step, in place, of theta and the state (m, u)."""
        m, u = state
        if kernels.adamax_(theta, grad, m, u, coefficients, self.epsilon_mode):
            return
        alpha_t, beta1, one_minus_beta1, beta2, *epsilon = coefficients.unbind()
        scratch = self._scratch.like(theta)
        # m <- beta1 m + (1 - beta1) g
        m.mul_(beta1).add_(torch.mul(grad, one_minus_beta1, out=scratch))
        # u <- max(beta2 u, |g|), "in-max" max(beta2 u, |g| + epsilon)
        torch.abs(grad, out=scratch)
        if self.epsilon_mode == "in-max":
            scratch.add_(epsilon[0])
        torch.maximum(u.mul_(beta2), scratch, out=u)
        # theta <- theta - m / (u / alpha_t), with infinity for u = 0; so divided, alpha_t = 0 gives 0 and never inf * 0
        if self.epsilon_mode == "added":
            torch.add(u, epsilon[0], out=scratch)
        else:
            torch.threshold(u, 0.0, inf, out=scratch)
        theta.sub_(torch.div(m, scratch.div_(alpha_t), out=scratch))

    def signal(self, state: tuple[Tensor, ...], coefficients: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor] | None:
        """|m_hat| / u, and whether epsilon exceeds u ("in-max": what is left of u without it)."""
        alpha_t = coefficients[0]
        m, u = state[:2]
        dominated = torch.zeros_like(u, dtype=torch.bool)
        if self.epsilon_mode != "none":
            dominated = coefficients[4] > (u / 2 if self.epsilon_mode == "in-max" else u)
        return signal_to_noise(m, u, alpha_t / alpha), dominated
