"""What the drop-in `torch.optim.Optimizer` classes share: one lane of a rule for each parameter group."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, overload

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT

from adam_core.optimizers.settings import (
    IMPLEMENTATIONS,
    Settings,
    require_allowed,
    require_fixed,
    rule_of,
    rule_settings,
)
from adam_core.rules import Rule

#: Torch's names of the tensors of a rule's state; param_avg is of ours alone.
_STATE_NAMES: Mapping[str, str] = {
    "m": "exp_avg",
    "v": "exp_avg_sq",
    "v_max": "max_exp_avg_sq",
    "u": "exp_inf",
    "b": "momentum_buffer",
    "s": "sum",
    "r": "square_avg",
    "g_bar": "grad_avg",
    "e": "square_avg",
    "x": "acc_delta",
    "theta_bar": "param_avg",
}


class RuleOptimizer(Optimizer):
    """A rule behind the interface of `torch.optim.Optimizer`; a subclass names the rule and takes the settings.

    Args:
        params: parameters, named parameters or parameter groups; float32 or float64.
        defaults: settings of the groups that do not say otherwise.
        unsupported: further arguments of torch's class, which must ask for nothing.

    Raises:
        ValueError: a setting is outside of its range or not supported, or a parameter is of another dtype.
        TypeError: an argument that torch's class has not.
    """

    #: A key of `adam_core.rules.RULES`.
    _optimizer: ClassVar[str]
    #: Settings of torch's class that the rule has one value for; groups hold them, as torch's class looks for them.
    _fixed: ClassVar[Settings] = {}
    #: What a parameter's state may lack, if torch's class leaves it out: it is then as before the first step.
    _may_lack: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, params: ParamsT, defaults: dict[str, Any], unsupported: Mapping[str, object]) -> None:
        for name in unsupported:
            if name not in (*IMPLEMENTATIONS, *self._fixed):
                raise TypeError(f"{type(self).__name__} got an unexpected argument {name!r}")
        require_fixed(unsupported, self._fixed)
        self._rules: dict[int, tuple[object, Rule]] = {}
        super().__init__(params, {**defaults, **self._fixed})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group with settings of its own, as `torch.optim.Optimizer.add_param_group`.

        Raises:
            ValueError: a setting is outside of its range or not supported, or a parameter is not float32 or float64.
        """
        super().add_param_group(param_group)
        try:
            self._check_group(self.param_groups[-1])
        except ValueError:
            self.param_groups.pop()
            raise

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a state of ours or of torch's class, from `load_state_dict`, a pickle or a deep copy."""
        for group in state["param_groups"]:
            for name, value in (state.get("defaults") or self.defaults).items():
                group.setdefault(name, value)
            for name in IMPLEMENTATIONS:
                group.pop(name, None)
            self._check_group(group)
            expected = ("step", *_names(rule_of(*self._rule_settings(group))))
            for parameter in group["params"]:
                held = state["state"].get(parameter)
                if held and not set(expected) - self._may_lack <= set(held) <= self._may_lack.union(expected):
                    raise ValueError(f"state must hold {', '.join(expected)}, got {', '.join(held)}")
        super().__setstate__(state)
        self._rules = {}

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update every parameter that has a gradient.

        Args:
            closure: reevaluates the model and returns its loss; called once, first, with gradients enabled.

        Returns:
            The closure's loss, if there is a closure.

        Raises:
            RuntimeError: a gradient is sparse, or of another dtype than its parameter; nothing is updated then.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        trained = [[p for p in group["params"] if p.grad is not None] for group in self.param_groups]
        for parameter in itertools.chain.from_iterable(trained):  # before any is updated
            self._check_gradient(parameter)
        for index, group in enumerate(self.param_groups):
            rule = self._rule(index, group)
            prepared: dict[object, Tensor] = {}
            for parameter in trained[index]:
                self._update(parameter, group, rule, prepared)
        return loss

    @contextmanager
    def averaged_parameters(self) -> Iterator[None]:
        """A context in which the parameters have their averaged values, to evaluate or save the model with.

        Afterwards they have the values that training goes on from. Parameters of a group with averaging "none", and
        those that had no gradient yet, stay as they are. Buffers are not averaged: for batch normalization's running
        statistics call `torch.optim.swa_utils.update_bn` inside.

        Source: Kingma & Ba 2015, section 7.2.
        """
        held: list[tuple[Tensor, Tensor]] = []
        try:
            with torch.no_grad():
                for index, group in enumerate(self.param_groups):
                    if group["averaging"] != "none":
                        for theta in (p for p in group["params"] if p in self.state):
                            held.append((theta, theta.clone()))
                            theta.copy_(self._average(theta, group, self._rule(index, group)))
            yield
        finally:
            with torch.no_grad():
                for theta, value in held:
                    theta.copy_(value)

    def _average(self, theta: Tensor, group: Settings, rule: Rule) -> Tensor:
        state = self.state[theta]
        coefficients = _coefficients(rule, group, int(state["step"]), theta)
        return rule.evaluated(theta, _tensors(rule, state), coefficients)

    def _check_gradient(self, theta: Tensor) -> None:
        grad = theta.grad
        assert grad is not None, "the parameter is trained"
        if grad.layout != torch.strided:
            raise RuntimeError(f"{type(self).__name__} does not support sparse gradients, got {grad.layout}")
        if grad.dtype != theta.dtype:
            raise RuntimeError(f"gradients must have the dtype of their parameters, {theta.dtype}, got {grad.dtype}")

    def _update(self, theta: Tensor, group: Settings, rule: Rule, prepared: dict[object, Tensor]) -> None:
        grad = theta.grad
        assert grad is not None, "the parameter is trained"
        state = self.state[theta]
        if not {"step", *_names(rule)} <= state.keys():
            initial = {"step": 0, **dict(zip(_names(rule), rule.init(theta), strict=True))}
            lacking = self._may_lack - state.keys() if state else initial.keys()
            state.update({name: value for name, value in initial.items() if name in lacking})
        state["step"] = step = int(state["step"]) + 1  # torch's own classes hold a tensor here
        key = step, theta.dtype, theta.device
        if key not in prepared:
            prepared[key] = _coefficients(rule, group, step, theta)
        rule.update_(theta, grad.neg() if group["maximize"] else grad, _tensors(rule, state), prepared[key])

    def _rule(self, index: int, group: Settings) -> Rule:
        """The rule of a group, made anew when its settings changed (OneCycleLR changes betas at each step)."""
        settings = self._rule_settings(group)
        if index not in self._rules or self._rules[index][0] != settings:
            self._rules[index] = settings, rule_of(*settings)
        return self._rules[index][1]

    def _rule_settings(self, group: Settings) -> tuple[str, dict[str, float], dict[str, Any]]:
        return rule_settings(self._optimizer, group)

    def _check_group(self, group: Settings) -> None:
        """Raise ValueError, in torch's words for the settings, unless the group can be trained."""
        require_fixed(group, self._fixed)
        require_allowed(group)
        for parameter in group["params"]:
            if parameter.dtype not in (torch.float32, torch.float64):
                raise ValueError(f"parameters must be float32 or float64, got {parameter.dtype}")
        rule_of(*self._rule_settings(group))


def _names(rule: Rule) -> tuple[str, ...]:
    """The names of the rule's state tensors in a parameter's state, in the rule's order."""
    return tuple(_STATE_NAMES[symbol] for symbol in rule.state_names)


def _tensors(rule: Rule, state: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """A parameter's state as the rule takes it."""
    return tuple(state[name] for name in _names(rule))


def _coefficients(rule: Rule, group: Settings, step: int, theta: Tensor) -> Tensor:
    """The scalars of one step, [C], in the parameter's dtype and on its device."""
    alpha = torch.tensor([[float(group["lr"])]], dtype=torch.float64)
    return rule.coefficients(step, alpha)[0, :, 0].to(theta.dtype).to(theta.device)
