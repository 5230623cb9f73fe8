"""A rule around another rule."""

from __future__ import annotations

from torch import Tensor

from adam_core.rules.rule import Hyperparameters, Rule


class Wrapper(Rule):
    """A rule around another, whose coefficients and state come first: its own are the last ones."""

    def __init__(self, rule: Rule, hyperparameters: Hyperparameters) -> None:
        super().__init__(hyperparameters)
        self._rule = rule
        self.parameters = tuple(dict.fromkeys((*rule.parameters, *self.parameters)))
        self.state_names = (*rule.state_names, *self.state_names)
        self.options = rule.options

    def signal(self, state: tuple[Tensor, ...], coefficients: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor] | None:
        """The rule's."""
        return self._rule.signal(state, coefficients, alpha)
