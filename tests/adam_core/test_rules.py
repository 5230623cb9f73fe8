"""Adam and AdaMax over lanes against the paper (reference.py) and torch, in float64."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from adam_core import alpha_schedule, make_rule, reference
from tests.adam_core.rule_runner import F64, SETTINGS, given_gradients, relative_gap, run, stack

N_STEPS = 1000
CURVATURE = torch.tensor([1.0, 10.0, 0.1, 3.0], dtype=F64)
START = torch.tensor([1.0, -0.5, 2.0, 0.0], dtype=F64)
NOISE = torch.randn(N_STEPS, 4, generator=torch.Generator().manual_seed(1), dtype=F64)

Lane = Mapping[str, float]


def gradient(theta: Tensor, t: int) -> Tensor:
    """A noisy quadratic's, of any array of lanes [..., 4]; the last coordinate sees its first gradient at step 6."""
    g = CURVATURE * theta + NOISE[t - 1]
    if t <= 5:
        g[..., 3] = 0.0
    return g


def numpy_gradient(theta: reference.Array, t: int) -> reference.Array:
    return gradient(torch.from_numpy(theta), t).numpy()


def reference_path(optimizer: str, lane: Lane, alphas: Tensor) -> Tensor:
    start, schedule = START.numpy(), [float(alpha) for alpha in alphas]
    if optimizer == "adam":
        path = reference.adam(start, numpy_gradient, schedule, lane["beta1"], lane["beta2"], lane["epsilon"])
    else:
        path = reference.adamax(start, numpy_gradient, schedule, lane["beta1"], lane["beta2"])
    return torch.from_numpy(path)


def array_path(optimizer: str, alpha: Tensor, first_step: int = 1, **options: Any) -> Tensor:
    rule = make_rule(optimizer, stack(SETTINGS), **options)
    return run(rule, START.repeat(len(SETTINGS), 1), gradient, alpha, first_step=first_step)


@pytest.mark.parametrize("kind", ["constant", "inverse-sqrt"])
@pytest.mark.parametrize("optimizer", ["adam", "adamax"])
def test_lanes_equal_the_paper_for_1000_steps(optimizer: str, kind: str) -> None:
    alpha = alpha_schedule(kind, "step", stack(SETTINGS)["alpha"], 100, 1, N_STEPS)
    path = array_path(optimizer, alpha)
    for k, lane in enumerate(SETTINGS):
        # 1 - beta2^t itself, as the reference writes it, has lost 8 digits at beta2 = 1 - 1e-8
        tolerance = 1e-10 if lane["beta2"] < 0.99999 or optimizer == "adamax" else 1e-6
        assert relative_gap(path[:, k], reference_path(optimizer, lane, alpha[:, k])) < tolerance


@pytest.mark.parametrize("mistake", ["t off by one", "no correction"])
@pytest.mark.parametrize("optimizer", ["adam", "adamax"])
def test_a_wrong_bias_correction_would_be_seen(optimizer: str, mistake: str) -> None:
    alpha = alpha_schedule("constant", "step", stack(SETTINGS)["alpha"], 100, 1, N_STEPS)
    if mistake == "t off by one":
        path = array_path(optimizer, alpha, first_step=2)
    else:
        path = array_path(optimizer, alpha, first_step=10**9)  # where every correction is 1
    gap = relative_gap(path[:, 0], reference_path(optimizer, SETTINGS[0], alpha[:, 0]))
    assert gap > 1e-5


def test_scalars_are_computed_in_float64() -> None:
    """In float32, 1 - 0.9999 is 1.7e-4 off, and 1 - 0.9999^t as well."""
    rule = make_rule("adam", stack([{"beta1": 0.9, "beta2": 0.9999, "epsilon": 0.0}]))
    coefficients = rule.coefficients(1, torch.full((1, 1), 1e-3, dtype=F64))
    assert coefficients.shape == (1, 6, 1) and coefficients.dtype == F64
    single = coefficients[0, :, 0].float().tolist()
    assert single[5] == pytest.approx(1e-4, rel=1e-7)
    assert single[0] == pytest.approx(1e-3 * 1e-2 / 0.1, rel=1e-7)


@pytest.mark.parametrize("optimizer", ["adam", "adamax"])
def test_coefficients_of_slices_join(optimizer: str) -> None:
    alpha = alpha_schedule("inverse-sqrt", "step", stack(SETTINGS)["alpha"], 100, 1, 60)
    rule = make_rule(optimizer, stack(SETTINGS))
    assert torch.equal(rule.coefficients(1, alpha)[25:], rule.coefficients(26, alpha[25:]))


def test_in_max_lanes_equal_torch() -> None:
    alpha = alpha_schedule("constant", "step", stack(SETTINGS)["alpha"], 100, 1, N_STEPS)
    path = array_path("adamax", alpha, epsilon_mode="in-max")
    for k, lane in enumerate(SETTINGS):
        theta = torch.nn.Parameter(START.clone())
        betas = (lane["beta1"], lane["beta2"])
        optimizer = torch.optim.Adamax([theta], lr=lane["alpha"], betas=betas, eps=lane["epsilon"], foreach=False)
        for t in range(1, N_STEPS + 1):
            theta.grad = gradient(theta.detach(), t)
            optimizer.step()
        assert relative_gap(path[-1, k], theta.detach()) < 1e-10


def test_adam_without_bias_correction() -> None:
    """Section 6.4: alpha m / (sqrt(v) + epsilon)."""
    alpha = stack(SETTINGS)["alpha"].repeat(50, 1)
    path = array_path("adam", alpha, bias_correction=False)
    for k, lane in enumerate(SETTINGS):
        theta, m, v = START.clone(), torch.zeros(4, dtype=F64), torch.zeros(4, dtype=F64)
        for t in range(1, 51):
            g = gradient(theta, t)
            m = lane["beta1"] * m + (1 - lane["beta1"]) * g
            v = lane["beta2"] * v + (1 - lane["beta2"]) * g**2
            theta = theta - lane["alpha"] * m / (v.sqrt() + lane["epsilon"])
        assert relative_gap(path[-1, k], theta) < 1e-10


@pytest.mark.parametrize("optimizer", ["adam", "adamax"])
def test_float32_follows_float64(optimizer: str) -> None:
    """Within 1e-5 over 100 steps of given gradients."""
    alpha = stack(SETTINGS)["alpha"].repeat(100, 1)
    rule = make_rule(optimizer, stack(SETTINGS))
    start = START.repeat(len(SETTINGS), 1)
    double = run(rule, start, given_gradients(NOISE), alpha)
    single = run(rule, start.float(), given_gradients(NOISE.float()), alpha)
    assert single.dtype == torch.float32
    assert relative_gap(single.double(), double) < 1e-5


@pytest.mark.parametrize("optimizer", ["adam", "adamax"])
def test_an_update_is_in_place_and_only_reads_the_gradient(optimizer: str) -> None:
    rule = make_rule(optimizer, stack(SETTINGS[:1]))
    theta, g = torch.ones(1, 3), torch.tensor([[1.0, -2.0, 0.0]])
    state = rule.init(theta)
    pointers = [tensor.data_ptr() for tensor in (theta, *state)]
    coefficients = rule.coefficients(1, torch.full((1, 1), 0.1, dtype=F64))[0].float()
    rule.update_(theta, g, state, [row[:, None] for row in coefficients])
    assert [tensor.data_ptr() for tensor in (theta, *state)] == pointers
    assert torch.equal(g, torch.tensor([[1.0, -2.0, 0.0]]))
    torch.testing.assert_close(theta, torch.tensor([[0.9, 1.1, 1.0]]))


@pytest.mark.parametrize("optimizer", ["adam", "adamax"])
@pytest.mark.parametrize("power", [-40, -3, 5, 40])
def test_gradient_scale_cancels_exactly_without_epsilon(optimizer: str, power: int) -> None:
    """Section 2.1; bit for bit where the scale is a power of 2."""
    lanes = [{**lane, "epsilon": 0.0} for lane in SETTINGS]
    rule = make_rule(optimizer, stack(lanes))
    alpha = stack(lanes)["alpha"].repeat(50, 1)
    start = START.repeat(len(lanes), 1)
    plain = run(rule, start, given_gradients(NOISE), alpha)
    scaled = run(rule, start, given_gradients(2.0**power * NOISE), alpha)
    assert torch.equal(plain, scaled)
    assert not torch.equal(plain[0], plain[-1])


def test_gradient_scale_matters_with_epsilon() -> None:
    rule = make_rule("adam", stack([{"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}]))
    alpha = torch.full((1, 1), 1e-3, dtype=F64)
    zero = torch.zeros(1, 1, dtype=F64)
    steps = [run(rule, zero, given_gradients(torch.tensor([g], dtype=F64)), alpha) for g in (1.0, 1e-8)]
    assert float(steps[0][1]) == pytest.approx(-1e-3, rel=1e-6)
    assert float(steps[1][1]) == pytest.approx(-0.5e-3, rel=1e-6)


number = st.floats(-1e3, 1e3, allow_nan=False).map(lambda g: 0.0 if abs(g) < 1e-6 else g)
beta = st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999, 0.9999]) | st.floats(0.0, 0.9999)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    optimizer=st.sampled_from(["adam", "adamax"]),
    alpha=st.floats(1e-6, 1.0),
    beta1=beta,
    beta2=beta,
    epsilon=st.sampled_from([1e-10, 1e-8, 1e-3, 1.0]),
    gradients=st.lists(number, min_size=1, max_size=20),
)
def test_any_setting_equals_the_paper(
    optimizer: str, alpha: float, beta1: float, beta2: float, epsilon: float, gradients: list[float]
) -> None:
    alphas = [alpha] * len(gradients)
    sequence = [np.array([g]) for g in gradients]
    if optimizer == "adam":
        expected = reference.adam(np.zeros(1), lambda _, t: sequence[t - 1], alphas, beta1, beta2, epsilon)
    else:
        expected = reference.adamax(np.zeros(1), lambda _, t: sequence[t - 1], alphas, beta1, beta2)
    rule = make_rule(optimizer, stack([{"beta1": beta1, "beta2": beta2, "epsilon": epsilon}]))
    alpha_t = torch.tensor(alphas, dtype=F64)[:, None]
    path = run(rule, torch.zeros(1, 1, dtype=F64), given_gradients(torch.tensor(gradients, dtype=F64)), alpha_t)
    np.testing.assert_allclose(path[:, 0].numpy(), expected, rtol=1e-9, atol=1e-10 * alpha)
