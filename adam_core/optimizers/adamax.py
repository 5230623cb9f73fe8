"""AdaMax as a drop-in optimizer."""

from __future__ import annotations

from torch import Tensor
from torch.optim.optimizer import ParamsT

from adam_core.optimizers.base import RuleOptimizer
from adam_core.optimizers.settings import Averaging, Settings
from adam_core.rules.adamax import EpsilonMode


class AdaMax(RuleOptimizer):
    """AdaMax as in the paper; with epsilon_mode "in-max" as in `torch.optim.Adamax`, whose state_dict it then shares.

    Source: Kingma & Ba 2015, Algorithm 2.

    Args:
        params: parameters, named parameters or parameter groups; float32 or float64.
        lr: the paper's alpha.
        betas: the paper's beta1 and beta2, in [0, 1).
        eps: for "in-max" and "added", 1e-8 unless given: Algorithm 2 has no epsilon.
        weight_decay: L2 penalty, added to the gradient as weight_decay * parameter.
        maximize: go up the gradient.
        decoupled_weight_decay: multiply the parameter by 1 - lr * weight_decay instead, as `torch.optim.AdamW`.
        epsilon_mode: "none" for u = max(beta2 u, |g|), the update being 0 where u = 0; "in-max" for
            u = max(beta2 u, |g| + eps); "added" for u + eps below the fraction, as in Keras.
        beta1_decay: the paper's lambda of beta1_t = beta1 lambda^(t-1), in (0, 1].
        averaging: "polyak" or "exponential" (with beta2) keeps a mean of the parameters, of section 7.2, beside them;
            `averaged_parameters` puts it in their place.
        unsupported: torch's other arguments, accepted where they ask for nothing.

    Raises:
        ValueError: an argument is outside of its range or not supported, or a parameter is of another dtype.
    """

    _optimizer = "adamax"

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float | None = None,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        epsilon_mode: EpsilonMode = "none",
        beta1_decay: float = 1.0,
        averaging: Averaging = "none",
        **unsupported: object,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": 1e-8 if eps is None and epsilon_mode != "none" else eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
            "epsilon_mode": epsilon_mode,
            "beta1_decay": beta1_decay,
            "averaging": averaging,
        }
        super().__init__(params, defaults, unsupported)

    def _check_group(self, group: Settings) -> None:
        if group["epsilon_mode"] == "none" and group["eps"] is not None:
            raise ValueError(
                f"eps must be None with epsilon_mode 'none' (Algorithm 2 has no epsilon), got {group['eps']}; "
                "torch.optim.Adamax is epsilon_mode 'in-max'"
            )
        super()._check_group(group)
