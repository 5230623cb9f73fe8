"""SGD with momentum (Polyak 1964) for K lanes, in the form of `torch.optim.SGD`."""

from __future__ import annotations

import torch
from torch import Tensor

from adam_core.hyperparameters import as_lanes
from adam_core.rules.rule import Hyperparameters, Rule, coefficient_table


class MomentumRule(Rule):
    """b <- mu b + g, theta <- theta - alpha b; alpha stands outside of b, so a change of alpha acts at once."""

    parameters = ("momentum",)
    state_names = ("b",)

    def __init__(self, hyperparameters: Hyperparameters) -> None:
        super().__init__(hyperparameters)
        (self.momentum,) = as_lanes(hyperparameters, "momentum")

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """Alpha and mu of T steps: [T, 2, K] float64."""
        return coefficient_table(alpha, self.momentum)

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step, in place, of theta and the state (b)."""
        alpha, mu = coefficients.unbind()
        (b,) = state
        b.mul_(mu).add_(grad)
        theta.sub_(torch.mul(b, alpha, out=self._scratch.like(theta)))
