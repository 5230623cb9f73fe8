"""Weight decay around any rule: as an L2 penalty of the loss, and decoupled from it."""

from __future__ import annotations

import torch
from torch import Tensor

from adam_core.hyperparameters import as_lanes
from adam_core.rules.rule import Hyperparameters, Rule
from adam_core.rules.wrapper import Wrapper


class L2Penalty(Wrapper):
    """The rule on the gradient of the loss + weight_decay/2 |theta|^2, as `weight_decay` of torch's optimizers."""

    parameters = ("weight_decay",)

    def __init__(self, rule: Rule, hyperparameters: Hyperparameters) -> None:
        super().__init__(rule, hyperparameters)
        (self.weight_decay,) = as_lanes(hyperparameters, "weight_decay")

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """The rule's and weight_decay."""
        own = self.weight_decay.expand_as(alpha)[:, None]
        return torch.cat((self._rule.coefficients(first_step, alpha), own), dim=1)

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step, in place, of theta and the rule's state, with g + weight_decay theta for g."""
        penalized = torch.mul(theta, coefficients[-1], out=self._scratch.like(theta)).add_(grad)
        self._rule.update_(theta, penalized, state, coefficients[:-1])


class DecoupledWeightDecay(Wrapper):
    """theta <- (1 - alpha weight_decay) theta, then the rule, as `torch.optim.AdamW`; alpha with its schedule.

    Source: Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", in torch's form, which has alpha in it.
    """

    parameters = ("weight_decay",)

    def __init__(self, rule: Rule, hyperparameters: Hyperparameters) -> None:
        super().__init__(rule, hyperparameters)
        (self.weight_decay,) = as_lanes(hyperparameters, "weight_decay")

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """The rule's and 1 - alpha weight_decay."""
        own = (1.0 - alpha * self.weight_decay)[:, None]
        return torch.cat((self._rule.coefficients(first_step, alpha), own), dim=1)

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step, in place, of theta and the rule's state."""
        theta.mul_(coefficients[-1])
        self._rule.update_(theta, grad, state, coefficients[:-1])
