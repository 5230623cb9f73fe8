"""Adam and AdaMax as drop-in `torch.optim.Optimizer` classes, over the same update rules as the trial arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, overload

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT

from adam_core.adamax import EpsilonMode
from adam_core.hyperparameters import UPPER_ENDS, require_in_range
from adam_core.rules import Rule, make_rule

_OTHER_RULES = ("amsgrad", "decoupled_weight_decay")
_OTHER_IMPLEMENTATIONS = ("foreach", "fused", "capturable", "differentiable")

Coefficients = tuple[Tensor, ...]


class _RuleOptimizer(Optimizer):
    """What Adam and AdaMax share: one lane of a rule per parameter group."""

    _optimizer: ClassVar[str]
    _option: ClassVar[str]
    _state_names: ClassVar[tuple[str, ...]]

    def __init__(self, params: ParamsT, defaults: dict[str, Any], unsupported: Mapping[str, object]) -> None:
        for name in unsupported:
            if name not in _OTHER_RULES + _OTHER_IMPLEMENTATIONS:
                raise TypeError(f"{type(self).__name__} got an unexpected argument {name!r}")
        _refuse_unsupported(unsupported)
        self._rules: dict[int, tuple[object, Rule]] = {}
        super().__init__(params, defaults)

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
            for name in _OTHER_IMPLEMENTATIONS:  # they change how torch computes, not what
                group.pop(name, None)
            self._check_group(group)
        for held in state["state"].values():
            if not set(held) >= {"step", *self._state_names}:
                raise ValueError(f"state must hold step, {', '.join(self._state_names)}, got {', '.join(held)}")
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
            RuntimeError: a gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for index, group in enumerate(self.param_groups):
            rule = self._rule(index, group)
            prepared: dict[tuple[int, torch.dtype], Coefficients] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group, rule, prepared)
        return loss

    def _update(
        self, theta: Tensor, group: Mapping[str, Any], rule: Rule, prepared: dict[tuple[int, torch.dtype], Coefficients]
    ) -> None:
        grad = theta.grad
        assert grad is not None
        if grad.layout != torch.strided:
            raise RuntimeError(f"{type(self).__name__} does not support sparse gradients, got {grad.layout}")
        state = self.state[theta]
        if not state:
            state["step"] = 0
            state.update(zip(self._state_names, rule.init(theta), strict=True))
        state["step"] = step = int(state["step"]) + 1  # torch's own classes hold a tensor here
        if (step, theta.dtype) not in prepared:
            alpha = torch.tensor([[float(group["lr"])]], dtype=torch.float64)
            prepared[step, theta.dtype] = rule.coefficients(step, alpha)[0, :, 0].to(theta.dtype).unbind()
        if group["maximize"]:
            grad = grad.neg()
        if group["weight_decay"] != 0:
            grad = grad.add(theta, alpha=group["weight_decay"])
        moments = tuple(state[name] for name in self._state_names)
        rule.update_(theta, grad, moments, prepared[step, theta.dtype])

    def _rule(self, index: int, group: Mapping[str, Any]) -> Rule:
        """The rule of a group, made anew when its settings changed (OneCycleLR changes betas at each step)."""
        settings = (*group["betas"], group["eps"], group[self._option])
        if index not in self._rules or self._rules[index][0] != settings:
            self._rules[index] = settings, self._make_rule(group)
        return self._rules[index][1]

    def _make_rule(self, group: Mapping[str, Any]) -> Rule:
        beta1, beta2 = group["betas"]
        settings = {"beta1": beta1, "beta2": beta2, "epsilon": group["eps"] or 0.0}
        lanes = {name: torch.tensor([float(value)], dtype=torch.float64) for name, value in settings.items()}
        return make_rule(self._optimizer, lanes, **{self._option: group[self._option]})

    def _check_group(self, group: Mapping[str, Any]) -> None:
        """Raise ValueError, in torch's words for the settings, unless the group can be trained."""
        _refuse_unsupported(group)
        require_in_range("lr", group["lr"])
        require_in_range("weight_decay", group["weight_decay"])
        betas = group["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"betas must be two numbers in [0, 1), got {betas!r}")
        for i, beta in enumerate(betas):
            require_in_range(f"betas[{i}]", beta, UPPER_ENDS[f"beta{i + 1}"])
        for parameter in group["params"]:
            if parameter.dtype not in (torch.float32, torch.float64):
                raise ValueError(f"parameters must be float32 or float64, got {parameter.dtype}")
        self._make_rule(group)


class Adam(_RuleOptimizer):
    """Adam as in the paper and in `torch.optim.Adam`, whose argument names, state names and state_dict it shares.

    Source: Kingma & Ba 2015, Algorithm 1.
    """

    _optimizer = "adam"
    _option = "bias_correction"
    _state_names = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        bias_correction: bool = True,
        **unsupported: object,
    ) -> None:
        """Check and take the settings.

        Args:
            params: parameters, named parameters or parameter groups; float32 or float64.
            lr: the paper's alpha.
            betas: the paper's beta1 and beta2, in [0, 1).
            eps: the paper's epsilon; 0 is allowed, and makes the update 0 where no gradient has come yet.
            weight_decay: L2 penalty, added to the gradient as weight_decay * parameter.
            maximize: go up the gradient.
            bias_correction: False gives the paper's section 6.4 without the correction: alpha m / (sqrt(v) + epsilon).
            unsupported: torch's other arguments, accepted where they ask for nothing (False or None).

        Raises:
            ValueError: an argument is outside of its range or not supported, or a parameter is of another dtype.
        """
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, {**defaults, "bias_correction": bias_correction}, unsupported)

    def _check_group(self, group: Mapping[str, Any]) -> None:
        require_in_range("eps", group["eps"])
        super()._check_group(group)


class AdaMax(_RuleOptimizer):
    """AdaMax as in the paper; with epsilon_mode "in-max" as in `torch.optim.Adamax`, whose state_dict it then shares.

    Source: Kingma & Ba 2015, Algorithm 2.
    """

    _optimizer = "adamax"
    _option = "epsilon_mode"
    _state_names = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: ParamsT,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float | None = None,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        epsilon_mode: EpsilonMode = "none",
        **unsupported: object,
    ) -> None:
        """Check and take the settings.

        Args:
            params: parameters, named parameters or parameter groups; float32 or float64.
            lr: the paper's alpha.
            betas: the paper's beta1 and beta2, in [0, 1).
            eps: for "in-max" only, 1e-8 unless given: Algorithm 2 has no epsilon.
            weight_decay: L2 penalty, added to the gradient as weight_decay * parameter.
            maximize: go up the gradient.
            epsilon_mode: "none" for u = max(beta2 u, |g|), the update being 0 where u = 0; "in-max" for
                u = max(beta2 u, |g| + eps).
            unsupported: torch's other arguments, accepted where they ask for nothing (False or None).

        Raises:
            ValueError: an argument is outside of its range or not supported, or a parameter is of another dtype.
        """
        if eps is None and epsilon_mode == "in-max":
            eps = 1e-8
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, {**defaults, "epsilon_mode": epsilon_mode}, unsupported)

    def _check_group(self, group: Mapping[str, Any]) -> None:
        if group["epsilon_mode"] == "in-max":
            require_in_range("eps", group["eps"])
        elif group["epsilon_mode"] == "none" and group["eps"] is not None:
            raise ValueError(
                f"eps must be None with epsilon_mode 'none' (Algorithm 2 has no epsilon), got {group['eps']}; "
                "torch.optim.Adamax is epsilon_mode 'in-max'"
            )
        super()._check_group(group)


def _refuse_unsupported(settings: Mapping[str, object]) -> None:
    for name in _OTHER_RULES + _OTHER_IMPLEMENTATIONS:
        if settings.get(name):
            raise ValueError(f"{name} is not supported: it must be False or left out, got {settings[name]!r}")
