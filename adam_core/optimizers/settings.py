"""The settings of a parameter group, by torch's names: what is allowed, and which rule they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any, Literal

import torch

from adam_core.hyperparameters import UPPER_ENDS, require_in_range
from adam_core.rules import RULES, Rule, make_rule

Settings = Mapping[str, Any]  #: of one parameter group
Averaging = Literal["none", "polyak", "exponential"]

#: Torch's arguments that choose how it computes, not what.
IMPLEMENTATIONS = ("foreach", "fused", "capturable", "differentiable")

_FLAGS = ("maximize", "nesterov", "centered", "bias_correction", "decoupled_weight_decay")
_NUMBERS = ("lr", "alpha", "rho", "eps", "momentum", "weight_decay", "averaging_beta")
_RULE_NAMES = {"lr": "alpha", "alpha": "rho", "eps": "epsilon", "averaging_beta": "beta2"}
_HYPERPARAMETERS = ("beta1", "beta2", "epsilon", "momentum", "rho", "weight_decay", "bias_correction", "beta1_decay")


def require_allowed(settings: Settings) -> None:
    """Raise ValueError, in torch's names, unless each flag is a flag and each number is in its range."""
    for name, value in settings.items():
        if name in _FLAGS and not isinstance(value, bool):
            raise ValueError(f"{name} must be True or False, got {value!r}")
        if name in _NUMBERS and not (name == "eps" and value is None and settings.get("epsilon_mode") == "none"):
            require_in_range(name, value, UPPER_ENDS[_RULE_NAMES.get(name, name)])
        if name == "beta1_decay" and not (isinstance(value, Real) and 0.0 < float(value) <= 1.0):
            raise ValueError(f"beta1_decay must be a number in (0, 1], got {value!r}")
        if name == "betas":
            if not isinstance(value, (tuple, list)) or len(value) != 2:
                raise ValueError(f"betas must be two numbers in [0, 1), got {value!r}")
            for i, beta in enumerate(value):
                require_in_range(f"betas[{i}]", beta, UPPER_ENDS[f"beta{i + 1}"])


def require_fixed(settings: Settings, fixed: Settings) -> None:
    """Raise ValueError unless the settings that a class has one value for have it, or None."""
    for name, value in {**dict.fromkeys(IMPLEMENTATIONS, False), **fixed}.items():
        if settings.get(name) not in (None, value):
            raise ValueError(f"{name} is not supported: it must be {value} or left out, got {settings[name]!r}")


def rule_settings(optimizer: str, settings: Settings) -> tuple[str, dict[str, float], dict[str, Any]]:
    """What make_rule makes the group's rule of: the optimizer's name, hyperparameters and options."""
    named = {_RULE_NAMES.get(name, name): value for name, value in settings.items()}
    if "betas" in settings:
        named["beta1"], named["beta2"] = settings["betas"]
    hyperparameters = {name: float(named[name]) for name in _HYPERPARAMETERS if named.get(name) is not None}
    options = {name: settings[name] for name in RULES[optimizer].options if name in settings}
    if hyperparameters["weight_decay"] != 0.0:
        options["weight_decay_mode"] = "decoupled" if settings["decoupled_weight_decay"] else "l2"
    return optimizer, hyperparameters, options


def rule_of(optimizer: str, hyperparameters: Mapping[str, float], options: Settings) -> Rule:
    """The rule of one lane.

    Raises:
        ValueError: an option has a value that the rule does not know.
    """
    lanes = {name: torch.tensor([value], dtype=torch.float64) for name, value in hyperparameters.items()}
    return make_rule(optimizer, lanes, **options)
