"""Temporal averaging of the iterates around any rule, Kingma & Ba 2015, section 7.2; metrics are of the average."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from adam_core.hyperparameters import as_lanes
from adam_core.rules.rule import Hyperparameters, Rule
from adam_core.rules.wrapper import Wrapper
from adam_core.schedules import bias_correction


class TemporalAverage(Wrapper):
    """theta_bar <- theta_bar + w_t (theta - theta_bar), where w_1 = 1, so that theta_bar_1 = theta_1."""

    state_names = ("theta_bar",)

    @abstractmethod
    def weights(self, first_step: int, alpha: Tensor) -> Tensor:
        """w_t of the steps that alpha, [T, K], is of: [T, K] float64."""

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """The rule's and w_t."""
        own = self.weights(first_step, alpha)[:, None]
        return torch.cat((self._rule.coefficients(first_step, alpha), own), dim=1)

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step, in place, of theta, the rule's state and theta_bar."""
        self._rule.update_(theta, grad, state[:-1], coefficients[:-1])
        theta_bar, weight = state[-1], coefficients[-1]
        theta_bar.add_(torch.sub(theta, theta_bar, out=self._scratch.like(theta)).mul_(weight))

    def evaluated(self, theta: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> Tensor:
        """theta_bar."""
        return state[-1]


class PolyakAverage(TemporalAverage):
    """The mean of theta_1 ... theta_t (Polyak-Ruppert): w_t = 1 / t."""

    def weights(self, first_step: int, alpha: Tensor) -> Tensor:
        """1 / t."""
        steps = torch.arange(first_step, first_step + len(alpha), dtype=torch.float64)
        return (1.0 / steps)[:, None].expand_as(alpha)


class ExponentialAverage(TemporalAverage):
    """The paper's theta_bar_t / (1 - beta2^t) of theta_bar_t = beta2 theta_bar_(t-1) + (1 - beta2) theta_t from 0.

    Written so, w_t = (1 - beta2) / (1 - beta2^t): in float32, beta2 = 0.9999 is 2e-8 off, which the paper's form turns
    into 2e-4 of theta_bar.
    """

    parameters = ("beta2",)

    def __init__(self, rule: Rule, hyperparameters: Hyperparameters) -> None:
        super().__init__(rule, hyperparameters)
        (self.beta2,) = as_lanes(hyperparameters, "beta2")

    def weights(self, first_step: int, alpha: Tensor) -> Tensor:
        """(1 - beta2) / (1 - beta2^t)."""
        return (1.0 - self.beta2) / bias_correction(self.beta2, first_step, len(alpha))
