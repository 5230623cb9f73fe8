"""RMSProp as a drop-in optimizer."""

from __future__ import annotations

from torch import Tensor
from torch.optim.optimizer import ParamsT

from adam_core.optimizers.base import RuleOptimizer
from adam_core.optimizers.settings import Averaging
from adam_core.rules.rmsprop import EpsilonMode


class RMSProp(RuleOptimizer):
    """RMSProp as `torch.optim.RMSprop`, whose argument names, state names and state_dict it shares.

    Source: Tieleman & Hinton 2012, lecture 6.5; centered, Graves 2013, eqs. 38-45.

    Args:
        params: parameters, named parameters or parameter groups; float32 or float64.
        lr: the learning rate.
        alpha: the smoothing constant rho of the mean square, in [0, 1).
        eps: epsilon; 0 is allowed, and makes the update 0 where no gradient has come yet.
        weight_decay: L2 penalty, added to the gradient as weight_decay * parameter.
        momentum: on the rescaled gradient, in [0, 1).
        centered: divide by the standard deviation instead of the root mean square.
        maximize: go up the gradient.
        decoupled_weight_decay: multiply the parameter by 1 - lr * weight_decay instead, as `torch.optim.AdamW`.
        epsilon_mode: "outside" as torch, g / (sqrt(square) + eps); "root", g / sqrt(square + eps).
        averaging: "polyak" or "exponential" keeps a mean of the parameters, of section 7.2 of Kingma & Ba 2015, beside
            them; `averaged_parameters` puts it in their place.
        averaging_beta: the beta2 of the exponential mean, in [0, 1).
        unsupported: torch's other arguments, accepted where they ask for nothing.

    Raises:
        ValueError: an argument is outside of its range or not supported, or a parameter is of another dtype.
    """

    _optimizer = "rmsprop"
    _may_lack = frozenset({"momentum_buffer"})

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        epsilon_mode: EpsilonMode = "outside",
        averaging: Averaging = "none",
        averaging_beta: float = 0.999,
        **unsupported: object,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
            "epsilon_mode": epsilon_mode,
            "averaging": averaging,
            "averaging_beta": averaging_beta,
        }
        super().__init__(params, defaults, unsupported)
