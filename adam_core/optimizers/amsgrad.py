"""AMSGrad as a drop-in optimizer."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.optim.optimizer import ParamsT

from adam_core.optimizers.base import RuleOptimizer
from adam_core.optimizers.settings import Averaging, Settings
from adam_core.rules.amsgrad import MaximumOf


class AMSGrad(RuleOptimizer):
    """AMSGrad as `torch.optim.Adam(amsgrad=True)`, whose argument names, state names and state_dict it shares.

    Source: Reddi, Kale & Kumar 2018, "On the Convergence of Adam and Beyond", Algorithm 2.

    Args:
        params: parameters, named parameters or parameter groups; float32 or float64.
        lr: the learning rate alpha.
        betas: beta1 and beta2, in [0, 1).
        eps: epsilon; 0 is allowed, and makes the update 0 where no gradient has come yet.
        weight_decay: L2 penalty, added to the gradient as weight_decay * parameter.
        maximize: go up the gradient.
        decoupled_weight_decay: multiply the parameter by 1 - lr * weight_decay instead, as `torch.optim.AdamW`.
        maximum_of: "v" as torch, the largest v, corrected afterwards; "v_hat", the largest corrected v.
        bias_correction: False is the source's rule.
        beta1_decay: lambda of beta1_t = beta1 lambda^(t-1), in (0, 1].
        averaging: "polyak" or "exponential" (with beta2) keeps a mean of the parameters beside them;
            `averaged_parameters` puts it in their place.
        unsupported: torch's other arguments, accepted where they ask for nothing.

    Raises:
        ValueError: an argument is outside of its range or not supported, or a parameter is of another dtype.
    """

    _optimizer = "amsgrad"
    _fixed: ClassVar[Settings] = {"amsgrad": True}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        maximum_of: MaximumOf = "v",
        bias_correction: bool = True,
        beta1_decay: float = 1.0,
        averaging: Averaging = "none",
        **unsupported: object,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximum_of": maximum_of,
            "bias_correction": bias_correction,
            "beta1_decay": beta1_decay,
            "averaging": averaging,
        }
        super().__init__(params, defaults, unsupported)
