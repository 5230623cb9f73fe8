"""SGD: theta <- theta - alpha g, for K lanes."""

from __future__ import annotations

import torch
from torch import Tensor

from adam_core.rules.rule import Rule


class SGDRule(Rule):
    """Stochastic gradient descent, as `torch.optim.SGD`."""

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """Alpha of T steps: [T, 1, K] float64."""
        return alpha[:, None]

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step of theta, in place."""
        (alpha,) = coefficients.unbind()
        theta.sub_(torch.mul(grad, alpha, out=self._scratch.like(theta)))
