"""SGD, with or without momentum, as a drop-in optimizer."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor
from torch.optim.optimizer import ParamsT

from adam_core.optimizers.base import RuleOptimizer
from adam_core.optimizers.settings import Averaging, Settings, rule_settings


class SGD(RuleOptimizer):
    """SGD as `torch.optim.SGD`, whose argument names, state names and state_dict it shares.

    Args:
        params: parameters, named parameters or parameter groups; float32 or float64.
        lr: the learning rate alpha.
        momentum: mu of b <- mu b + g, in [0, 1); the parameter follows b.
        weight_decay: L2 penalty, added to the gradient as weight_decay * parameter.
        nesterov: follow g + mu b; momentum must be above 0.
        maximize: go up the gradient.
        decoupled_weight_decay: multiply the parameter by 1 - lr * weight_decay instead, as `torch.optim.AdamW`.
        averaging: "polyak" or "exponential" keeps a mean of the parameters, of section 7.2 of Kingma & Ba 2015, beside
            them; `averaged_parameters` puts it in their place.
        averaging_beta: the beta2 of the exponential mean, in [0, 1).
        unsupported: torch's other arguments, accepted where they ask for nothing; dampening must be 0.

    Raises:
        ValueError: an argument is outside of its range or not supported, or a parameter is of another dtype.
    """

    _optimizer = "sgd"
    _fixed: ClassVar[Settings] = {"dampening": 0}
    _may_lack = frozenset({"step", "momentum_buffer"})

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0.0,
        *,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        averaging: Averaging = "none",
        averaging_beta: float = 0.999,
        **unsupported: object,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
            "averaging": averaging,
            "averaging_beta": averaging_beta,
        }
        super().__init__(params, defaults, unsupported)

    def _rule_settings(self, group: Settings) -> tuple[str, dict[str, float], dict[str, Any]]:
        """Those of one of three rules; a scheduler may change the momentum from or to 0."""
        if group["momentum"] == 0:
            return rule_settings("sgd", group)
        return rule_settings("sgd-nesterov" if group["nesterov"] else "sgd-momentum", group)

    def _check_group(self, group: Settings) -> None:
        super()._check_group(group)
        if group["nesterov"] and group["momentum"] == 0:
            raise ValueError(f"momentum must be above 0 with nesterov, got {group['momentum']}")
