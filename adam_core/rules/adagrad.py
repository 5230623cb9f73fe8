"""AdaGrad (Duchi et al. 2011), as section 5 of Kingma & Ba 2015 has it, for K lanes."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from adam_core.hyperparameters import as_lanes
from adam_core.rules.rule import COMMON_OPTIONS, SMALLEST_EPSILON, Hyperparameters, Rule, coefficient_table
from adam_core.rules.square_root import square_root

EpsilonMode = Literal["outside", "root"]


class AdaGradRule(Rule):
    """s <- s + g^2; theta <- theta - alpha g / (sqrt(s) + epsilon), "root": alpha g / sqrt(s + epsilon).

    "outside" is `torch.optim.Adagrad`, "root" Keras and Lasagne. Where epsilon and s are 0, the update is 0.
    """

    parameters = ("epsilon",)
    options = {"epsilon_mode": get_args(EpsilonMode)} | COMMON_OPTIONS
    state_names = ("s",)

    def __init__(self, hyperparameters: Hyperparameters, *, epsilon_mode: EpsilonMode) -> None:
        super().__init__(hyperparameters)
        (self.epsilon,) = as_lanes(hyperparameters, "epsilon")
        self.epsilon_mode = epsilon_mode

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """Alpha and epsilon of T steps: [T, 2, K] float64."""
        return coefficient_table(alpha, self.epsilon.clamp_min(SMALLEST_EPSILON))

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step, in place, of theta and the state (s)."""
        alpha, epsilon = coefficients.unbind()
        (s,) = state
        scratch = self._scratch.like(theta)
        s.add_(torch.mul(grad, grad, out=scratch))
        if self.epsilon_mode == "root":
            square_root(torch.add(s, epsilon, out=scratch), scratch)
        else:
            square_root(s, scratch).add_(epsilon)
        # so divided, alpha = 0 gives 0 and never inf * 0
        theta.sub_(torch.div(grad, scratch.div_(alpha), out=scratch))
