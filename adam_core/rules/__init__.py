"""Update rules over K lanes, each in a file of its own that reads like its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adam_core.rules.adadelta import AdaDeltaRule
from adam_core.rules.adagrad import AdaGradRule
from adam_core.rules.adam import AdamRule
from adam_core.rules.adamax import AdaMaxRule
from adam_core.rules.amsgrad import AMSGradRule
from adam_core.rules.momentum import MomentumRule
from adam_core.rules.nesterov import NesterovRule
from adam_core.rules.rmsprop import RMSPropRule
from adam_core.rules.rule import Hyperparameters, Rule
from adam_core.rules.sgd import SGDRule
from adam_core.rules.temporal_averaging import ExponentialAverage, PolyakAverage
from adam_core.rules.weight_decay import DecoupledWeightDecay, L2Penalty
from adam_core.rules.wrapper import Wrapper

__all__ = ["RULES", "Rule", "make_rule"]

RULES: Mapping[str, type[Rule]] = {
    "adam": AdamRule,
    "adamax": AdaMaxRule,
    "amsgrad": AMSGradRule,
    "sgd": SGDRule,
    "sgd-momentum": MomentumRule,
    "sgd-nesterov": NesterovRule,
    "adagrad": AdaGradRule,
    "rmsprop": RMSPropRule,
    "adadelta": AdaDeltaRule,
}

_WEIGHT_DECAYS: Mapping[str, type[Wrapper]] = {"l2": L2Penalty, "decoupled": DecoupledWeightDecay}
_AVERAGES: Mapping[str, type[Wrapper]] = {"polyak": PolyakAverage, "exponential": ExponentialAverage}


def make_rule(optimizer: str, hyperparameters: Hyperparameters, **options: Any) -> Rule:
    """An update rule by the name of its optimizer.

    Args:
        optimizer: a key of RULES.
        hyperparameters: the rule's `parameters`, [K] float64 each; bias_correction and beta1_decay may be missing (1),
            and so may the momentum of rmsprop (0). alpha is not the rule's: schedules apply it.
        options: of the rule's `options`; those left out have their first value.

    Raises:
        ValueError: an unknown optimizer, option or value, or a hyperparameter that is missing or outside of its range.
    """
    if optimizer not in RULES:
        raise ValueError(f"optimizer must be one of {', '.join(RULES)}, got {optimizer!r}")
    chosen = _chosen(optimizer, options)
    weight_decay_mode, averaging = chosen.pop("weight_decay_mode"), chosen.pop("averaging")
    rule = RULES[optimizer](hyperparameters, **chosen)
    if weight_decay_mode != "none":
        rule = _WEIGHT_DECAYS[weight_decay_mode](rule, hyperparameters)
    if averaging != "none":
        rule = _AVERAGES[averaging](rule, hyperparameters)
    return rule


def _chosen(optimizer: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each option of the optimizer, checked."""
    known = RULES[optimizer].options
    for name, value in options.items():
        if name not in known:
            raise ValueError(f"options of {optimizer} must be among {', '.join(known)}, got {name}={value!r}")
        if value not in known[name]:
            raise ValueError(f"{name} must be one of {', '.join(map(str, known[name]))}, got {value!r}")
    return {name: options.get(name, allowed[0]) for name, allowed in known.items()}
