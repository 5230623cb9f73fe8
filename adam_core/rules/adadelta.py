"""AdaDelta (Zeiler 2012, Algorithm 1) for K lanes, with the alpha of `torch.optim.Adadelta` (the source has 1)."""

from __future__ import annotations

import torch
from torch import Tensor

from adam_core.hyperparameters import as_lanes
from adam_core.rules.rule import SMALLEST_EPSILON, Hyperparameters, Rule, coefficient_table
from adam_core.rules.scratch import Scratch
from adam_core.rules.square_root import square_root


class AdaDeltaRule(Rule):
    """e <- rho e + (1 - rho) g^2; d = sqrt(x + epsilon) / sqrt(e + epsilon) g; x <- rho x + (1 - rho) d^2.

    Then theta <- theta - alpha d. x sees d without alpha.
    """

    parameters = ("rho", "epsilon")
    state_names = ("e", "x")

    def __init__(self, hyperparameters: Hyperparameters) -> None:
        super().__init__(hyperparameters)
        self.rho, self.epsilon = as_lanes(hyperparameters, "rho", "epsilon")
        self._delta = Scratch()

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """Alpha, epsilon, rho and 1 - rho of T steps: [T, 4, K] float64."""
        epsilon = self.epsilon.clamp_min(SMALLEST_EPSILON)
        return coefficient_table(alpha, epsilon, self.rho, 1.0 - self.rho)

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step, in place, of theta and the state (e, x)."""
        alpha, epsilon, rho, one_minus_rho = coefficients.unbind()
        e, x = state
        scratch, delta = self._scratch.like(theta), self._delta.like(theta)
        # e <- rho e + (1 - rho) g^2
        e.mul_(rho).add_(torch.mul(grad, one_minus_rho, out=scratch).mul_(grad))
        # d = sqrt(x + epsilon) / sqrt(e + epsilon) g
        square_root(torch.add(e, epsilon, out=scratch), scratch)
        square_root(torch.add(x, epsilon, out=delta), delta).div_(scratch).mul_(grad)
        # x <- rho x + (1 - rho) d^2
        x.mul_(rho).add_(torch.mul(delta, one_minus_rho, out=scratch).mul_(delta))
        theta.sub_(delta.mul_(alpha))
