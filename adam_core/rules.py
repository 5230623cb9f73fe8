"""What an update rule is, and how to make one by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor

from adam_core.adam import AdamRule
from adam_core.adamax import AdaMaxRule


class Rule(Protocol):
    """An update rule over K lanes, each with its own hyperparameters.

    Every operation is elementwise, so a lane's axis may be any axis of theta, and a lane that is not finite harms no
    other. A lane whose alpha is 0 and whose theta, gradient and state are finite keeps its theta exactly.
    """

    def init(self, theta: Tensor) -> tuple[Tensor, ...]:
        """The state before step 1: zeros in the shape, dtype and memory layout of theta."""

    def coefficients(self, first_step: int, alpha: Tensor) -> Tensor:
        """Every scalar that T updates need, in float64.

        Args:
            first_step: t of the first update, from 1.
            alpha: [T, K] float64, alpha of the steps first_step ... first_step + T - 1, its schedule applied.

        Returns:
            [T, C, K] float64; C is the rule's own. Cast to theta's dtype, so that each is rounded once.
        """

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Sequence[Tensor]) -> None:
        """One step, in place, of theta and the state; coefficients are the C of this step, made to broadcast."""


_RULES: Mapping[str, type[AdamRule] | type[AdaMaxRule]] = {"adam": AdamRule, "adamax": AdaMaxRule}


def make_rule(optimizer: str, hyperparameters: Mapping[str, Tensor], **options: Any) -> Rule:
    """An update rule by the name of its optimizer.

    Args:
        optimizer: "adam" or "adamax".
        hyperparameters: beta1, beta2 and epsilon, [K] float64 each. alpha is not the rule's: schedules apply it.
        options: bias_correction (adam: True or False) or epsilon_mode (adamax: "none" or "in-max").

    Raises:
        ValueError: an unknown optimizer or option, or a hyperparameter that is missing or outside of its range.
    """
    if optimizer not in _RULES:
        raise ValueError(f"optimizer must be one of {', '.join(_RULES)}, got {optimizer!r}")
    rule = _RULES[optimizer]
    for name in options:
        if name not in rule.options:
            raise ValueError(f"{optimizer} has no option {name}; it has {', '.join(rule.options)}")
    return rule(hyperparameters, **options)
