"""A lane's numbers are bit-identical wherever it stands, in any memory layout, whatever its mates hold."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from adam_core import make_rule
from adam_core.arrays.lane_updates import FROZEN
from adam_core.rules import RULES
from tests.adam_core.rule_runner import (
    CASES,
    F64,
    SETTINGS,
    WRAPPED_CASES,
    Case,
    broadcast,
    case_id,
    given_gradients,
    run,
    stack,
)

N_STEPS = 6
LANE = {
    "alpha": 3e-3,
    "beta1": 0.87,
    "beta2": 0.9973,
    "epsilon": 1e-7,
    "momentum": 0.83,
    "rho": 0.971,
    "weight_decay": 1e-2,
}
#: Every mode of every rule, and both kinds of both wrappers around each rule.
SOME_CASES: list[Case] = [
    *CASES,
    *((optimizer, {"weight_decay_mode": "l2", "averaging": "polyak"}) for optimizer in RULES),
    *((optimizer, {"weight_decay_mode": "decoupled", "averaging": "exponential"}) for optimizer in RULES),
]

each_rule = pytest.mark.parametrize(("optimizer", "options"), SOME_CASES, ids=case_id)
each_wrapped_rule = pytest.mark.parametrize(("optimizer", "options"), WRAPPED_CASES, ids=case_id)


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Numbers of magnitudes from 1e-8 to 1e2."""
    generator = torch.Generator().manual_seed(seed)
    exponents = torch.rand(*shape, generator=generator, dtype=F64) * 10 - 8
    return (torch.randn(*shape, generator=generator, dtype=F64) * 10**exponents).to(dtype)


def alphas(lanes: dict[str, Tensor]) -> Tensor:
    return lanes["alpha"].repeat(N_STEPS, 1)


@each_rule
@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
def test_position_and_width(optimizer: str, options: dict[str, Any], dtype: torch.dtype) -> None:
    """The same lane alone and at every position of its axis, the last, mates of other settings."""
    gradients = random(N_STEPS, 3, 1, seed=1, dtype=dtype)
    start = random(3, 1, seed=2, dtype=dtype)
    lanes = stack([LANE])
    alone = run(make_rule(optimizer, lanes, **options), start, given_gradients(gradients), alphas(lanes), 1)
    for width in (2, 3, 4, 7, 8, 9, 16, 17, 33):
        for position in range(width):
            lanes = stack([LANE if k == position else SETTINGS[k % len(SETTINGS)] for k in range(width)])
            mates = random(N_STEPS + 1, 3, width, seed=width, dtype=dtype)
            mates[:-1, :, position] = gradients[:, :, 0]
            mates[-1, :, position] = start[:, 0]
            rule = make_rule(optimizer, lanes, **options)
            path = run(rule, mates[-1], given_gradients(mates), alphas(lanes), 1)
            assert torch.equal(path[:, :, position], alone[:, :, 0]), (width, position)


LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "contiguous": lambda x: x.contiguous(),
    "lanes last": lambda x: x.permute(1, 2, 0).contiguous().permute(2, 0, 1),
    "lanes in the middle": lambda x: x.transpose(0, 1).contiguous().transpose(0, 1),
    "every second": lambda x: torch.stack([x, x], dim=-1).flatten(-2)[..., ::2],
    "offset by one": lambda x: torch.cat([x.new_zeros(1), x.flatten()])[1:].view(x.shape),
}


@each_rule
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("gradient_layout", ["contiguous", "lanes last"])
def test_memory_layout(optimizer: str, options: dict[str, Any], layout: str, gradient_layout: str) -> None:
    lanes = stack(SETTINGS)
    gradients, start = random(N_STEPS, 5, 7, 11, seed=1), random(5, 7, 11, seed=2)
    rule = make_rule(optimizer, lanes, **options)
    plain = run(rule, start, given_gradients(gradients), alphas(lanes))
    theta = LAYOUTS[layout](start.clone())
    state = rule.init(theta)
    for t, row in enumerate(rule.coefficients(1, alphas(lanes))):
        rule.update_(theta, LAYOUTS[gradient_layout](gradients[t]), state, broadcast(row, theta))
    assert torch.equal(theta, plain[-1])


@each_rule
def test_large_tensors_and_threads(optimizer: str, options: dict[str, Any]) -> None:
    """70,001 parameters a lane: torch splits them among threads at places that depend on the width."""
    gradients, start = random(N_STEPS, 3, 70_001, seed=1), random(3, 70_001, seed=2)
    whole = run_lanes(optimizer, options, gradients, start, slice(0, 3))
    for k in range(3):
        assert torch.equal(run_lanes(optimizer, options, gradients, start, slice(k, k + 1)), whole[:, k : k + 1])


def run_lanes(optimizer: str, options: dict[str, Any], gradients: Tensor, start: Tensor, part: slice) -> Tensor:
    lanes = stack(SETTINGS[part])
    rule = make_rule(optimizer, lanes, **options)
    return run(rule, start[part], given_gradients(gradients[:, part]), alphas(lanes))


@each_wrapped_rule
@pytest.mark.parametrize("poison", [0.0, 1e30, -3e38, 1e-42, float("nan"), float("inf")])
def test_a_poisoned_lane_harms_no_other(optimizer: str, options: dict[str, Any], poison: float) -> None:
    lanes = stack([LANE] * 5)
    rule = make_rule(optimizer, lanes, **options)
    gradients, start = random(N_STEPS, 5, 33, seed=1), random(5, 33, seed=2)
    clean = run(rule, start, given_gradients(gradients), alphas(lanes))
    gradients[2:, 2] = poison
    path = run(rule, start, given_gradients(gradients), alphas(lanes))
    others = [0, 1, 3, 4]
    assert torch.equal(path[:, others], clean[:, others])
    assert not torch.equal(path[:, 2], clean[:, 2])
    if poison != poison:
        assert path[-1, 2].isnan().all()


EXTREMES = (0.0, 1.0, -1e-45, 1e-30, 3e38)


@pytest.mark.parametrize(("optimizer", "options"), [case for case in CASES if "ada" in case[0]], ids=case_id)
def test_a_frozen_lane_keeps_its_parameters_from_any_state(optimizer: str, options: dict[str, Any]) -> None:
    """alpha = 0 with every combination of extreme but finite gradients and two tensors of state: never inf * 0."""
    lanes = stack([*SETTINGS, *({**lane, "epsilon": 0.0} for lane in SETTINGS)])
    width = len(lanes["beta1"])
    grids = torch.meshgrid(*[torch.tensor(EXTREMES)] * 3, indexing="ij")
    g, *state = (grid.flatten()[:, None].repeat(1, width) for grid in grids)
    theta = random(len(g), width, seed=3)
    before = theta.clone()
    rule = make_rule(optimizer, lanes, **options)
    row = rule.coefficients(1, torch.zeros(1, width, dtype=F64))[0]
    held = tuple(tensor.abs() for tensor in state[: len(rule.state_names)])
    rule.update_(theta, g, held, broadcast(row, theta, 1))
    assert torch.equal(before, theta)


FINITE = torch.tensor([0.0, 1.0, -1.0, -1e-45, 1e-30, 3e-20, 1e-5, -1e4, 1e15])


@each_wrapped_rule
def test_alpha_0_keeps_the_parameters(optimizer: str, options: dict[str, Any]) -> None:
    """Of lanes of any setting, over steps of gradients of any magnitude."""
    lanes = stack(SETTINGS)
    width = len(SETTINGS)
    start = random(200, width, seed=3)
    choice = torch.randint(len(FINITE), (8, 200, width), generator=torch.Generator().manual_seed(5))
    rule = make_rule(optimizer, lanes, **options)
    path = run(rule, start, given_gradients(FINITE[choice]), torch.zeros(8, width, dtype=F64), 1)
    assert torch.equal(path, start.expand_as(path))


@each_wrapped_rule
@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
def test_a_frozen_lane_stays_at_0(optimizer: str, options: dict[str, Any], dtype: torch.dtype) -> None:
    """Padding of a block, whose gradients are those of its model at theta = 0, and what is evaluated of it."""
    lanes = stack([FROZEN.hyperparameters])
    rule = make_rule(optimizer, lanes, **options)
    gradients = torch.cat([random(60, 40, 1, seed=1), FINITE[:8].repeat(60, 5)[..., None]], dim=1).to(dtype)
    zeros = torch.zeros(80, 1, dtype=dtype)
    for evaluated in (False, True):
        path = run(rule, zeros, given_gradients(gradients), torch.zeros(60, 1, dtype=F64), evaluated=evaluated)
        assert not path.any()


@pytest.mark.parametrize(("optimizer", "options"), [case for case in CASES if case[0] != "adadelta"], ids=case_id)
def test_no_epsilon_and_no_gradient_yet_is_no_update(optimizer: str, options: dict[str, Any]) -> None:
    """Pixels that are always 0 must not become 0/0."""
    lanes = stack([{**LANE, "epsilon": 0.0}] * 2)
    gradients, start = random(N_STEPS, 2, 9, seed=1), random(2, 9, seed=2)
    gradients[:, :, :4] = 0.0
    path = run(make_rule(optimizer, lanes, **options), start, given_gradients(gradients), alphas(lanes))
    assert torch.equal(path[-1, :, :4], start[:, :4])
    assert path.isfinite().all() and not (path[-1, :, 4:] == start[:, 4:]).any()


def test_adamax_defines_the_update_as_0_where_u_is_0() -> None:
    """At beta2 = 0, u falls back to 0 with the gradient while m has not."""
    lanes = stack([{"alpha": 0.1, "beta1": 0.9, "beta2": 0.0}])
    path = run(
        make_rule("adamax", lanes),
        torch.zeros(1, 1),
        given_gradients(torch.tensor([1.0, 0.0, 1.0])),
        torch.full((3, 1), 0.1, dtype=F64),
    )
    assert float(path[1]) != 0.0 and float(path[2]) == float(path[1]) and float(path[3]) != float(path[2])
