"""Weight decay around every rule, float64: as an L2 penalty and decoupled, against `reference.py`."""

from typing import Any

import pytest
import torch
from torch import Tensor

from adam_core import Schedule, make_rule, reference
from tests.adam_core.rule_runner import (
    CASES,
    F64,
    SETTINGS,
    case_id,
    given_gradients,
    reference_path,
    relative_gap,
    run,
    stack,
)

N_STEPS = 100
START = torch.tensor([1.0, -0.5, 2.0, 0.0], dtype=F64)
NOISE = torch.randn(N_STEPS, 4, generator=torch.Generator().manual_seed(1), dtype=F64)
#: Without the last: 1 - beta2^t itself, as the reference writes it, has lost 8 digits at beta2 = 1 - 1e-8.
LANES = SETTINGS[:4]
ALPHA = Schedule("inverse-sqrt").alphas(stack(LANES)["alpha"], 1, 1, N_STEPS)

each_case = pytest.mark.parametrize(("optimizer", "options"), CASES, ids=case_id)


def lanes_path(optimizer: str, options: dict[str, Any], **wrapper: str) -> Tensor:
    rule = make_rule(optimizer, stack(LANES), **options, **wrapper)
    return run(rule, START.repeat(len(LANES), 1), given_gradients(NOISE), ALPHA)


@each_case
def test_l2_adds_the_gradient_of_the_penalty(optimizer: str, options: dict[str, Any]) -> None:
    path = lanes_path(optimizer, options, weight_decay_mode="l2")
    for k, lane in enumerate(LANES):

        def penalized(theta: reference.Array, t: int, weight_decay: float = lane["weight_decay"]) -> reference.Array:
            gradient: reference.Array = NOISE[t - 1].numpy() + weight_decay * theta
            return gradient

        expected = reference_path((optimizer, options), lane, START, penalized, ALPHA[:, k].tolist())
        assert relative_gap(path[:, k], expected) < 1e-10


@each_case
def test_decoupled_decay_shrinks_theta_by_alpha_of_the_step(optimizer: str, options: dict[str, Any]) -> None:
    path = lanes_path(optimizer, options, weight_decay_mode="decoupled")
    for k, lane in enumerate(LANES):
        alphas = ALPHA[:, k].tolist()
        plain = reference_path((optimizer, options), lane, START, lambda _, t: NOISE[t - 1].numpy(), alphas)
        expected = reference.decoupled_weight_decay(plain.numpy(), alphas, lane["weight_decay"])
        assert relative_gap(path[:, k], torch.from_numpy(expected)) < 1e-10


@each_case
def test_modes_differ_and_no_decay_is_none(optimizer: str, options: dict[str, Any]) -> None:
    none, l2, decoupled = (
        lanes_path(optimizer, options, weight_decay_mode=mode) for mode in ("none", "l2", "decoupled")
    )
    for k, lane in enumerate(LANES):
        without = lane["weight_decay"] == 0.0
        assert torch.equal(none[:, k], l2[:, k]) == without
        assert torch.equal(none[:, k], decoupled[:, k]) == without


def test_closed_form_without_gradients() -> None:
    """SGD and no gradient: both kinds of decay give (1 - alpha weight_decay)^t theta_0."""
    lanes = stack([{"weight_decay": 0.3}])
    alpha = torch.full((50, 1), 0.1, dtype=F64)
    for mode in ("l2", "decoupled"):
        rule = make_rule("sgd", lanes, weight_decay_mode=mode)
        path = run(rule, START[None], given_gradients(torch.zeros(50, 4, dtype=F64)), alpha)
        torch.testing.assert_close(path[-1, 0], 0.97**50 * START, rtol=1e-12, atol=0)


@pytest.mark.parametrize("mode", ["l2", "decoupled"])
def test_what_a_decayed_rule_says_of_itself(mode: str) -> None:
    rule = make_rule("sgd-momentum", stack(LANES), weight_decay_mode=mode)
    assert rule.parameters == ("momentum", "weight_decay")
    assert rule.state_names == ("b",)
    assert rule.options == make_rule("sgd-momentum", stack(LANES)).options


def test_refusals() -> None:
    lanes = stack([{"momentum": 0.9}])
    with pytest.raises(ValueError, match=r"^weight_decay is missing from the hyperparameters, got momentum$"):
        make_rule("sgd-momentum", lanes, weight_decay_mode="l2")
    with pytest.raises(ValueError, match=r"^weight_decay must be in \[0, inf\), got -0.1$"):
        make_rule("sgd", stack([{"weight_decay": -0.1}]), weight_decay_mode="decoupled")
    with pytest.raises(ValueError, match=r"^weight_decay_mode must be one of none, l2, decoupled, got 'l1'$"):
        make_rule("sgd", lanes, weight_decay_mode="l1")
