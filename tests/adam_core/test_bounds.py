"""Bounds of a step |D| / alpha, epsilon = 0: the paper's where it holds, the provable ones for any gradients."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adam_core import make_rule
from tests.adam_core.rule_runner import F64, Lane, case_id, given_gradients, run, stack


def step_sizes(optimizer: str, lane: Lane, gradients: list[float], **options: Any) -> list[float]:
    """|D_t| / alpha of each step; the parameter starts at 0, alpha is 1, and epsilon 0 unless the lane has one."""
    rule = make_rule(optimizer, stack([{"epsilon": 0.0, **lane}]), **options)
    alpha = torch.ones(len(gradients), 1, dtype=F64)
    path = run(rule, torch.zeros(1, 1, dtype=F64), given_gradients(torch.tensor(gradients, dtype=F64)), alpha)
    return path.flatten().diff().abs().tolist()


def cauchy_schwarz_bound(beta1: float, beta2: float, t: int) -> float:
    """The largest |D_t| / alpha that any t gradients can give, for beta1^2 < beta2."""
    ratio = beta1**2 / beta2
    total = (1 - ratio**t) / (1 - ratio)
    correction = math.sqrt(1 - beta2**t) / (1 - beta1**t)
    return (1 - beta1) / math.sqrt(1 - beta2) * math.sqrt(total) * correction


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.0, 0.99), (0.5, 0.9999), (0.9, 0.99), (0.95, 0.99)])
@pytest.mark.parametrize("spike_at", [1, 10, 1000, 5000])
def test_a_single_spike_obeys_the_papers_bound(beta1: float, beta2: float, spike_at: int) -> None:
    """Section 2.1: alpha (1-beta1) / sqrt(1-beta2) where above alpha, else alpha; approached by a late spike."""
    bound = max((1 - beta1) / math.sqrt(1 - beta2), 1.0)
    sizes = step_sizes("adam", {"beta1": beta1, "beta2": beta2}, [0.0] * (spike_at - 1) + [7.0] + [0.0] * 20)
    assert max(sizes) <= bound * (1 + 1e-12)
    if spike_at == 5000 and bound > 1 and beta2 <= 0.999:
        assert max(sizes) == pytest.approx(bound, rel=0.01)


@pytest.mark.parametrize(("beta1", "beta2", "most"), [(0.9, 0.999, 7.27), (0.9, 0.99, 2.35)])
def test_the_worst_gradients_exceed_the_papers_bound_and_attain_the_provable_one(
    beta1: float, beta2: float, most: float
) -> None:
    t = 8000
    gradients = [(beta1 / beta2) ** (t - i) for i in range(1, t + 1)]
    size = step_sizes("adam", {"beta1": beta1, "beta2": beta2}, gradients)[-1]
    assert size == pytest.approx(cauchy_schwarz_bound(beta1, beta2, t), rel=1e-9)
    assert size == pytest.approx(most, abs=0.01)
    assert size > max((1 - beta1) / math.sqrt(1 - beta2), 1.0)


magnitudes = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))
gradient_lists = st.lists(st.tuples(magnitudes, st.sampled_from([-1.0, 1.0])), min_size=1, max_size=40)


any_betas = st.sampled_from([(0.9, 0.999), (0.0, 0.99), (0.9, 0.9999), (0.9, 0.99), (0.3, 0.2)])
few_examples = settings(max_examples=60, deadline=None, derandomize=True)


def products(signed: list[tuple[float, float]]) -> list[float]:
    return [magnitude * sign for magnitude, sign in signed]


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        ("adam", {"epsilon_mode": "outside"}),
        ("adam", {"epsilon_mode": "hat"}),
        ("adam", {"epsilon_mode": "root"}),
        ("amsgrad", {"maximum_of": "v"}),
        ("amsgrad", {"maximum_of": "v_hat"}),
    ],
    ids=case_id,
)
@few_examples
@given(betas=any_betas, epsilon=st.sampled_from([0.0, 1e-8, 1.0]), signed=gradient_lists)
def test_any_gradients_obey_the_provable_bound(
    optimizer: str,
    options: dict[str, Any],
    betas: tuple[float, float],
    epsilon: float,
    signed: list[tuple[float, float]],
) -> None:
    """An epsilon and a larger second moment only shorten the step."""
    lane = {"beta1": betas[0], "beta2": betas[1], "epsilon": epsilon}
    for t, size in enumerate(step_sizes(optimizer, lane, products(signed), **options), start=1):
        assert size <= cauchy_schwarz_bound(*betas, t) * (1 + 1e-9)


@few_examples
@given(betas=any_betas, signed=gradient_lists)
def test_any_gradients_obey_the_bound_without_bias_correction(
    betas: tuple[float, float], signed: list[tuple[float, float]]
) -> None:
    lane = {"beta1": betas[0], "beta2": betas[1], "bias_correction": 0.0}
    for t, size in enumerate(step_sizes("adam", lane, products(signed)), start=1):
        correction = math.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t)
        assert size <= cauchy_schwarz_bound(*betas, t) / correction * (1 + 1e-9)


@pytest.mark.parametrize("epsilon_mode", ["none", "in-max", "added"])
@few_examples
@given(signed=gradient_lists)
def test_any_gradients_obey_adamaxs_bound(epsilon_mode: str, signed: list[tuple[float, float]]) -> None:
    """The paper says alpha; strictly it is alpha (1-beta1) / (1-beta1/beta2), 1.0091 alpha at the defaults."""
    lane = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    sizes = step_sizes("adamax", lane, products(signed), epsilon_mode=epsilon_mode)
    assert max(sizes) <= 0.1 / (1 - 0.9 / 0.999) * (1 + 1e-9)


@few_examples
@given(rho=st.sampled_from([0.0, 0.9, 0.99]), mu=st.sampled_from([0.0, 0.9]), signed=gradient_lists)
def test_any_gradients_obey_the_bounds_of_adagrad_and_rmsprop(
    rho: float, mu: float, signed: list[tuple[float, float]]
) -> None:
    """|g| <= sqrt(s), so AdaGrad's step is at most alpha; |g| <= sqrt(r / (1-rho)), and momentum adds them up."""
    assert max(step_sizes("adagrad", {}, products(signed))) <= 1 + 1e-9
    sizes = step_sizes("rmsprop", {"rho": rho, "momentum": mu}, products(signed))
    assert max(sizes) <= (1 + 1e-9) / math.sqrt(1 - rho) / (1 - mu)


def test_adamax_attains_its_bound_when_gradients_decay_as_beta2() -> None:
    sizes = step_sizes("adamax", {"beta1": 0.9, "beta2": 0.999}, [0.999**t for t in range(1, 1001)])
    assert sizes[-1] == pytest.approx(1.0091, abs=1e-4)
    assert sizes[0] == pytest.approx(1.0, rel=1e-12)
    assert max(sizes) <= 0.1 / (1 - 0.9 / 0.999) * (1 + 1e-9)
