"""A lane's numbers are bit-identical wherever it stands, in any memory layout, whatever its mates hold."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from adam_core import Rule, make_rule
from tests.adam_core.rule_runner import F64, SETTINGS, broadcast, given_gradients, run, stack

RULES: list[tuple[str, dict[str, Any]]] = [
    ("adam", {}),
    ("adam", {"bias_correction": False}),
    ("adamax", {}),
    ("adamax", {"epsilon_mode": "in-max"}),
]
N_STEPS = 6
LANE = {"alpha": 3e-3, "beta1": 0.87, "beta2": 0.9973, "epsilon": 1e-7}

each_rule = pytest.mark.parametrize(("optimizer", "options"), RULES, ids=str)


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
    """The same lane alone and at every position of widths 1 to 33, its axis last, mates of other settings."""
    gradients = random(N_STEPS, 3, 1, seed=1, dtype=dtype)
    start = random(3, 1, seed=2, dtype=dtype)
    lanes = stack([LANE])
    alone = run(make_rule(optimizer, lanes, **options), start, given_gradients(gradients), alphas(lanes), 1)
    for width in range(1, 34):
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


@each_rule
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


def frozen(rule: Rule, lanes: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """theta before and after a step at alpha = 0 from every combination of extreme but finite m, v and gradients."""
    m, second, g = (grid.flatten() for grid in torch.meshgrid(*[torch.tensor(EXTREMES)] * 3, indexing="ij"))
    width = len(lanes["beta1"])
    theta = random(m.numel(), width, seed=3)
    before = theta.clone()
    state = (m[:, None].repeat(1, width), second.abs()[:, None].repeat(1, width))
    row = rule.coefficients(1, torch.zeros(1, width, dtype=F64))[0]
    rule.update_(theta, g[:, None].repeat(1, width), state, broadcast(row, theta, 1))
    return before, theta


@each_rule
def test_a_frozen_lane_keeps_its_parameters(optimizer: str, options: dict[str, Any]) -> None:
    """alpha = 0 with finite theta, state and gradient, at any betas and at epsilon = 0: never inf * 0."""
    lanes = stack([*SETTINGS, *({**lane, "epsilon": 0.0} for lane in SETTINGS)])
    before, after = frozen(make_rule(optimizer, lanes, **options), lanes)
    assert torch.equal(before, after)


@pytest.mark.parametrize(
    ("optimizer", "options"), [("adam", {}), ("adamax", {}), ("adamax", {"epsilon_mode": "in-max"})]
)
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
