"""Validation: every refusal names the hyperparameter, the value and what is allowed."""

import re

import pytest
import torch

from adam_core import Rule, make_rule
from adam_core.arrays.lane_updates import FROZEN
from adam_core.hyperparameters import as_lanes, require_in_range
from tests.adam_core.rule_runner import CASES, Case, case_id, stack


def lanes(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


EVERY = stack([FROZEN.hyperparameters])
ONE = ("bias_correction", "beta1_decay")  # their default


def make(case: Case, hyperparameters: dict[str, torch.Tensor]) -> Rule:
    optimizer, options = case
    return make_rule(optimizer, hyperparameters, **options)


@pytest.mark.parametrize("value", [0.0, 0.999999, torch.tensor([0.5])])
def test_numbers_in_range(value: object) -> None:
    assert require_in_range("beta2", value, 1.0) == float(value)  # type: ignore[arg-type]  # any number


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.0, "beta2 must be in [0, 1), got 1.0"),
        (-1e-9, "beta2 must be in [0, 1), got -1e-09"),
        (float("nan"), "beta2 must be in [0, 1), got nan"),
        ("0.5", "beta2 must be a number in [0, 1), got '0.5'"),
        (None, "beta2 must be a number in [0, 1), got None"),
    ],
)
def test_numbers_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        require_in_range("beta2", value, 1.0)


def test_infinite_is_refused_where_there_is_no_upper_end() -> None:
    with pytest.raises(ValueError, match=r"^lr must be in \[0, inf\), got inf$"):
        require_in_range("lr", float("inf"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"beta2": lanes(0.9, 1.2)}, "beta2 of lane 1 must be in [0, 1), got 1.2"),
        ({"epsilon": lanes(-1.0, 0.0)}, "epsilon of lane 0 must be in [0, inf), got -1.0"),
        ({"beta1": lanes(0.5, 0.5, 0.5)}, "beta2 must have 3 lanes as beta1 has, got 2"),
        ({"beta1": lanes(0.5, 0.5).float()}, "beta1 must be float64, got torch.float32"),
        ({"beta1": lanes(0.5, 0.5)[None]}, "beta1 must have the shape [K], got [1, 2]"),
    ],
)
def test_lanes_refused(changed: dict[str, torch.Tensor], message: str) -> None:
    hyperparameters = {"beta1": lanes(0.9, 0.9), "beta2": lanes(0.9, 0.9), "epsilon": lanes(0.0, 1.0), **changed}
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_rule("adam", hyperparameters)


def test_missing_is_named() -> None:
    with pytest.raises(ValueError, match=r"^beta2 is missing from the hyperparameters, got alpha, beta1$"):
        as_lanes({"alpha": lanes(1.0), "beta1": lanes(0.5)}, "beta1", "beta2")


@pytest.mark.parametrize(
    ("optimizer", "options", "message"),
    [
        (
            "lion",
            {},
            "optimizer must be one of adam, adamax, amsgrad, sgd, sgd-momentum, sgd-nesterov, adagrad, rmsprop, "
            "adadelta, got 'lion'",
        ),
        (
            "adam",
            {"maximum_of": "v"},
            "options of adam must be among epsilon_mode, weight_decay_mode, averaging, got maximum_of='v'",
        ),
        ("adam", {"epsilon_mode": "none"}, "epsilon_mode must be one of outside, hat, root, got 'none'"),
        ("adamax", {"epsilon_mode": "hat"}, "epsilon_mode must be one of none, in-max, added, got 'hat'"),
        ("rmsprop", {"centered": "no"}, "centered must be one of False, True, got 'no'"),
    ],
)
def test_make_rule_errors(optimizer: str, options: dict[str, object], message: str) -> None:
    hyperparameters = {name: lanes(0.5) for name in ("beta1", "beta2", "epsilon", "rho")}
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_rule(optimizer, hyperparameters, **options)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(case_id, case)))
def test_each_parameter_is_taken_and_checked(case: Case) -> None:
    hyperparameters = {name: lanes(1.0 if name in ONE else 0.5) for name in make(case, EVERY).parameters}
    rule = make(case, hyperparameters)
    assert set(rule.parameters) == set(hyperparameters)
    for name in hyperparameters:
        with pytest.raises(ValueError, match=f"^{name} must be "):
            make(case, {**hyperparameters, name: lanes(-0.5)})
        rest = {other: values for other, values in hyperparameters.items() if other != name}
        if name in ONE or (case[0], name) == ("rmsprop", "momentum"):
            assert make(case, rest).parameters == rule.parameters
        else:
            with pytest.raises(ValueError, match=f"^{name} is missing from the hyperparameters, got "):
                make(case, rest)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"bias_correction": lanes(1.0, 0.5)}, "bias_correction of lane 1 must be 0 or 1, got 0.5"),
        ({"beta1_decay": lanes(0.0, 1.0)}, "beta1_decay of lane 0 must be in (0, 1], got 0.0"),
        ({"beta1_decay": lanes(1.0, 1.1)}, "beta1_decay of lane 1 must be in (0, 1], got 1.1"),
        ({"bias_correction": lanes(1.0)}, "bias_correction must have 2 lanes as beta1 has, got 1"),
    ],
)
def test_parameters_with_a_default_are_checked_where_they_are_given(
    changed: dict[str, torch.Tensor], message: str
) -> None:
    hyperparameters = {"beta1": lanes(0.9, 0.9), "beta2": lanes(0.9, 0.9), "epsilon": lanes(0.0, 1.0), **changed}
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_rule("adam", hyperparameters)
