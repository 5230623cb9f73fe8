"""What the rules share: Adam's limit is AdaGrad, a gradient's scale cancels, momentum 0 is no momentum."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from adam_core import Schedule, make_rule
from tests.adam_core.rule_runner import F64, SETTINGS, Lane, given_gradients, run, stack

N_STEPS = 1000
START = torch.tensor([1.0, -0.5, 2.0, 0.0], dtype=F64)
NOISE = torch.randn(N_STEPS, 4, generator=torch.Generator().manual_seed(1), dtype=F64)


def path(optimizer: str, lane: Lane, gradients: Tensor, alpha: Tensor, **options: Any) -> Tensor:
    return run(make_rule(optimizer, stack([lane]), **options), START[None], given_gradients(gradients), alpha)


@pytest.mark.parametrize(("one_minus_beta2", "known"), [(1e-4, 1.2e-3), (1e-6, 6.5e-6), (1e-8, 7e-8)])
def test_adam_goes_to_adagrad(one_minus_beta2: float, known: float) -> None:
    """Section 5: beta1 = 0, 1 - beta2 to 0 and alpha / sqrt(t) are AdaGrad with alpha; only with bias correction.

    The largest relative gap of a step was known, for other gradients, before this was written.
    """
    adam = {"beta1": 0.0, "beta2": 1 - one_minus_beta2, "epsilon": 0.0}
    alpha = torch.full((1,), 0.1, dtype=F64)
    falling = Schedule("inverse-sqrt", "step").alphas(alpha, 1, 1, N_STEPS)
    limit = path("adagrad", {"epsilon": 0.0}, NOISE, alpha.repeat(N_STEPS, 1)).diff(dim=0)
    gap = (path("adam", adam, NOISE, falling).diff(dim=0) / limit - 1.0).abs().max()
    assert known / 3 < gap < 3 * known
    uncorrected = path("adam", {**adam, "bias_correction": 0.0}, NOISE, falling).diff(dim=0)
    assert (uncorrected / limit).abs().min() > 0.9 / math.sqrt(one_minus_beta2 * N_STEPS)


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        ("adam", {}),
        ("adam", {"epsilon_mode": "hat"}),
        ("adamax", {}),
        ("adamax", {"epsilon_mode": "in-max"}),
        ("adamax", {"epsilon_mode": "added"}),
        ("amsgrad", {"maximum_of": "v"}),
        ("amsgrad", {"maximum_of": "v_hat"}),
        ("adagrad", {}),
        ("rmsprop", {}),
        ("rmsprop", {"centered": True}),
    ],
)
@pytest.mark.parametrize("power", [-40, -3, 5, 40])
def test_gradient_scale_cancels_exactly_without_epsilon(optimizer: str, options: dict[str, Any], power: int) -> None:
    """Section 2.1; bit for bit where the scale is a power of 2."""
    lanes = [{**lane, "epsilon": 0.0} for lane in SETTINGS]
    rule = make_rule(optimizer, stack(lanes), **options)
    alpha = stack(lanes)["alpha"].repeat(50, 1)
    start = START.repeat(len(lanes), 1)
    plain = run(rule, start, given_gradients(NOISE), alpha)
    scaled = run(rule, start, given_gradients(2.0**power * NOISE), alpha)
    assert torch.equal(plain, scaled)
    assert not torch.equal(plain[0], plain[-1])


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "rmsprop"])
@pytest.mark.parametrize("power", [-10, 40])
def test_gradient_scale_cancels_in_the_root(optimizer: str, power: int) -> None:
    """To rounding: the stand-in for epsilon = 0 is 1e-36, and stands beside a square."""
    lane = {**SETTINGS[0], "epsilon": 0.0}
    alpha = torch.full((50, 1), 1e-3, dtype=F64)
    plain, scaled = (path(optimizer, lane, g, alpha, epsilon_mode="root") for g in (NOISE, 2.0**power * NOISE))
    torch.testing.assert_close(scaled, plain, rtol=1e-14, atol=1e-14)


def test_gradient_scale_matters_with_epsilon() -> None:
    rule = make_rule("adam", stack([{"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}]))
    alpha = torch.full((1, 1), 1e-3, dtype=F64)
    zero = torch.zeros(1, 1, dtype=F64)
    steps = [run(rule, zero, given_gradients(torch.tensor([g], dtype=F64)), alpha) for g in (1.0, 1e-8)]
    assert float(steps[0][1]) == pytest.approx(-1e-3, rel=1e-6)
    assert float(steps[1][1]) == pytest.approx(-0.5e-3, rel=1e-6)


@pytest.mark.parametrize(
    ("mode", "size", "fraction"),
    [("outside", 1e-6, 0.990), ("hat", 1e-6, 0.760), ("outside", 1e-8, 0.500), ("hat", 1e-8, 0.031)],
)
def test_where_adams_epsilon_stands_at_the_first_step(mode: str, size: float, fraction: float) -> None:
    """The first step as a fraction of alpha, both epsilons 1e-8, as computed for the project."""
    step = path(
        "adam", {**SETTINGS[0]}, torch.full((1, 4), size, dtype=F64), torch.ones(1, 1, dtype=F64), epsilon_mode=mode
    )
    assert (START - step[1]).tolist()[0] == pytest.approx([fraction] * 4, abs=6e-4)


@pytest.mark.parametrize("optimizer", ["sgd-momentum", "sgd-nesterov"])
def test_no_momentum_is_plain_sgd(optimizer: str) -> None:
    alpha = torch.full((N_STEPS, 1), 0.01, dtype=F64)
    plain = path("sgd", {"alpha": 0.01}, NOISE, alpha)
    assert torch.equal(path(optimizer, {"momentum": 0.0}, NOISE, alpha), plain)


def test_nesterov_looks_ahead() -> None:
    """Sutskever et al. 2013: v <- mu v - alpha grad(theta + mu v), theta <- theta + v, seen at theta + mu v."""
    mu, alpha, curvature = 0.9, 0.05, torch.tensor([1.0, 10.0, 0.1, 3.0], dtype=F64)
    theta, velocity = START.clone(), torch.zeros(4, dtype=F64)
    ahead = [START]
    for _ in range(100):
        velocity = mu * velocity - alpha * curvature * (theta + mu * velocity)
        theta = theta + velocity
        ahead.append(theta + mu * velocity)
    rule = make_rule("sgd-nesterov", stack([{"momentum": mu}]))
    alphas = torch.full((100, 1), alpha, dtype=F64)
    ours = run(rule, START[None], lambda theta, _: curvature * theta, alphas)
    torch.testing.assert_close(ours[:, 0], torch.stack(ahead), rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
def test_epsilon_of_a_centered_rmsprop_bounds_its_step(dtype: torch.dtype) -> None:
    """A gradient that is always the same has no variance: r - g_bar^2 goes to 0, in rounding below it; never NaN."""
    gradient = torch.linspace(0.1, 1.0, 1000, dtype=dtype)
    rule = make_rule("rmsprop", stack([{"rho": 0.9, "epsilon": 1.0}]), centered=True)
    alpha = torch.full((N_STEPS, 1), 1e-3, dtype=F64)
    steps = run(rule, torch.zeros(1, 1000, dtype=dtype), given_gradients(gradient.repeat(N_STEPS, 1)), alpha).diff(
        dim=0
    )
    assert steps.isfinite().all()
    torch.testing.assert_close(steps[-1, 0], -1e-3 * gradient, rtol=1e-2, atol=0)


def test_the_largest_second_moment_is_kept() -> None:
    """After a spike, AMSGrad's steps stay as small as the spike made them, while Adam's grow again."""
    gradients = torch.ones(400, 4, dtype=F64)
    gradients[0] = 100.0
    alpha = torch.full((400, 1), 1e-3, dtype=F64)
    lane = {"beta1": 0.0, "beta2": 0.9, "epsilon": 0.0, "bias_correction": 0.0}
    adam, amsgrad = (path(optimizer, lane, gradients, alpha).diff(dim=0)[-1] for optimizer in ("adam", "amsgrad"))
    torch.testing.assert_close(adam, torch.full((1, 4), -1e-3, dtype=F64), rtol=1e-9, atol=0)
    torch.testing.assert_close(amsgrad, torch.full((1, 4), -1e-3 / math.sqrt(0.1 * 100**2), dtype=F64))
