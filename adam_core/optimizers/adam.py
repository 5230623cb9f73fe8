"""Adam as a drop-in optimizer."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.optim.optimizer import ParamsT

from adam_core.optimizers.base import RuleOptimizer
from adam_core.optimizers.settings import Averaging, Settings
from adam_core.rules.adam import EpsilonMode


class Adam(RuleOptimizer):
    """Adam as in the paper and in `torch.optim.Adam`, whose argument names, state names and state_dict it shares.

    Source: Kingma & Ba 2015, Algorithm 1.

    Args:
        params: parameters, named parameters or parameter groups; float32 or float64.
        lr: the paper's alpha.
        betas: the paper's beta1 and beta2, in [0, 1).
        eps: the paper's epsilon; 0 is allowed, and makes the update 0 where no gradient has come yet.
        weight_decay: L2 penalty, added to the gradient as weight_decay * parameter.
        maximize: go up the gradient.
        decoupled_weight_decay: multiply the parameter by 1 - lr * weight_decay instead, as `torch.optim.AdamW`.
        epsilon_mode: "outside" as in Algorithm 1 and torch, "hat" for a constant epsilon hat, "root" for
            sqrt(v hat + epsilon).
        bias_correction: False gives the paper's section 6.4 without the correction: alpha m / (sqrt(v) + epsilon).
        beta1_decay: the paper's lambda of beta1_t = beta1 lambda^(t-1), in (0, 1].
        averaging: "polyak" or "exponential" (with beta2) keeps a mean of the parameters, of section 7.2, beside them;
            `averaged_parameters` puts it in their place.
        unsupported: torch's other arguments, accepted where they ask for nothing; amsgrad is the class AMSGrad.

    Raises:
        ValueError: an argument is outside of its range or not supported, or a parameter is of another dtype.
    """

    _optimizer = "adam"
    _fixed: ClassVar[Settings] = {"amsgrad": False}

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
        epsilon_mode: EpsilonMode = "outside",
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
            "epsilon_mode": epsilon_mode,
            "bias_correction": bias_correction,
            "beta1_decay": beta1_decay,
            "averaging": averaging,
        }
        super().__init__(params, defaults, unsupported)
