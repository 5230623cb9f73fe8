"""RMSProp (Tieleman & Hinton 2012) for K lanes: plain, with momentum on the rescaled gradient, and centered."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from adam_core.hyperparameters import as_lanes
from adam_core.rules.rule import COMMON_OPTIONS, SMALLEST_EPSILON, Hyperparameters, Rule, coefficient_table
from adam_core.rules.square_root import square_root

EpsilonMode = Literal["outside", "root"]


class RMSPropRule(Rule):
    """r <- rho r + (1 - rho) g^2; b <- mu b + g / (sqrt(r) + epsilon); theta <- theta - alpha b.

    The plain rule is momentum mu = 0. "outside" is `torch.optim.RMSprop`; "root", sqrt(r + epsilon), is Keras.
    Centered, as Graves 2013 ("Generating Sequences With Recurrent Neural Networks", eqs. 38-45, epsilon in the root),
    r - g_bar^2 stands for r, where g_bar <- rho g_bar + (1 - rho) g; where rounding makes it negative, 0 does.
    """

    parameters = ("rho", "epsilon", "momentum")
    options = {"epsilon_mode": get_args(EpsilonMode), "centered": (False, True)} | COMMON_OPTIONS
    state_names: tuple[str, ...] = ("r", "b")

    def __init__(self, hyperparameters: Hyperparameters, *, epsilon_mode: EpsilonMode, centered: bool) -> None:
        super().__init__(hyperparameters)
        self.rho, self.epsilon, self.momentum = as_lanes(hyperparameters, "rho", "epsilon", momentum=0.0)
        self.epsilon_mode = epsilon_mode
        self.centered = centered
        if centered:
            self.state_names = ("r", "b", "g_bar")

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """Alpha, epsilon, mu, rho and 1 - rho of T steps: [T, 5, K] float64."""
        epsilon = self.epsilon.clamp_min(SMALLEST_EPSILON)
        return coefficient_table(alpha, epsilon, self.momentum, self.rho, 1.0 - self.rho)

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step, in place, of theta and the state (r, b and, centered, g_bar)."""
        alpha, epsilon, mu, rho, one_minus_rho = coefficients.unbind()
        r, b, *g_bar = state
        scratch = self._scratch.like(theta)
        # r <- rho r + (1 - rho) g^2
        r.mul_(rho).add_(torch.mul(grad, one_minus_rho, out=scratch).mul_(grad))
        second = r
        if self.centered:
            # g_bar <- rho g_bar + (1 - rho) g, and r - g_bar^2 for r
            mean = g_bar[0].mul_(rho).add_(torch.mul(grad, one_minus_rho, out=scratch))
            second = torch.sub(r, torch.mul(mean, mean, out=scratch), out=scratch).clamp_min_(0.0)
        if self.epsilon_mode == "root":
            square_root(torch.add(second, epsilon, out=scratch), scratch)
        else:
            square_root(second, scratch).add_(epsilon)
        # b <- mu b + g / (sqrt(r) + epsilon)
        b.mul_(mu).add_(torch.div(grad, scratch, out=scratch))
        theta.sub_(torch.mul(b, alpha, out=scratch))
