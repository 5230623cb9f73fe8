"""AdaGrad as a drop-in optimizer."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.optim.optimizer import ParamsT

from adam_core.optimizers.base import RuleOptimizer
from adam_core.optimizers.settings import Averaging, Settings
from adam_core.rules.adagrad import EpsilonMode


class AdaGrad(RuleOptimizer):
    """AdaGrad as `torch.optim.Adagrad`, whose argument names, state names and state_dict it shares.

    Source: Duchi, Hazan & Singer 2011, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization".

    Args:
        params: parameters, named parameters or parameter groups; float32 or float64.
        lr: the learning rate alpha.
        weight_decay: L2 penalty, added to the gradient as weight_decay * parameter.
        eps: epsilon; 0 is allowed, and makes the update 0 where no gradient has come yet.
        maximize: go up the gradient.
        decoupled_weight_decay: multiply the parameter by 1 - lr * weight_decay instead, as `torch.optim.AdamW`.
        epsilon_mode: "outside" as torch, g / (sqrt(sum) + eps); "root", g / sqrt(sum + eps).
        averaging: "polyak" or "exponential" keeps a mean of the parameters, of section 7.2 of Kingma & Ba 2015, beside
            them; `averaged_parameters` puts it in their place.
        averaging_beta: the beta2 of the exponential mean, in [0, 1).
        unsupported: torch's other arguments, accepted where they ask for nothing; lr_decay and
            initial_accumulator_value must be 0.

    Raises:
        ValueError: an argument is outside of its range or not supported, or a parameter is of another dtype.
    """

    _optimizer = "adagrad"
    _fixed: ClassVar[Settings] = {"lr_decay": 0, "initial_accumulator_value": 0}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        *,
        weight_decay: float = 0.0,
        eps: float = 1e-10,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        epsilon_mode: EpsilonMode = "outside",
        averaging: Averaging = "none",
        averaging_beta: float = 0.999,
        **unsupported: object,
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "eps": eps,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
            "epsilon_mode": epsilon_mode,
            "averaging": averaging,
            "averaging_beta": averaging_beta,
        }
        super().__init__(params, defaults, unsupported)
