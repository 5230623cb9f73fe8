"""AdaDelta as a drop-in optimizer."""

from __future__ import annotations

from torch import Tensor
from torch.optim.optimizer import ParamsT

from adam_core.optimizers.base import RuleOptimizer
from adam_core.optimizers.settings import Averaging


class AdaDelta(RuleOptimizer):
    """AdaDelta as `torch.optim.Adadelta`, whose argument names, state names and state_dict it shares.

    Source: Zeiler 2012, "ADADELTA: An Adaptive Learning Rate Method", Algorithm 1.

    Args:
        params: parameters, named parameters or parameter groups; float32 or float64.
        lr: factor of the update; the source has 1.
        rho: smoothing constant of the mean squares, in [0, 1).
        eps: epsilon, inside both roots.
        weight_decay: L2 penalty, added to the gradient as weight_decay * parameter.
        maximize: go up the gradient.
        decoupled_weight_decay: multiply the parameter by 1 - lr * weight_decay instead, as `torch.optim.AdamW`.
        averaging: "polyak" or "exponential" keeps a mean of the parameters, of section 7.2 of Kingma & Ba 2015, beside
            them; `averaged_parameters` puts it in their place.
        averaging_beta: the beta2 of the exponential mean, in [0, 1).
        unsupported: torch's other arguments, accepted where they ask for nothing.

    Raises:
        ValueError: an argument is outside of its range or not supported, or a parameter is of another dtype.
    """

    _optimizer = "adadelta"

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        averaging: Averaging = "none",
        averaging_beta: float = 0.999,
        **unsupported: object,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
            "averaging": averaging,
            "averaging_beta": averaging_beta,
        }
        super().__init__(params, defaults, unsupported)
