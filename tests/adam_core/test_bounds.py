"""Bounds of a step |D| / alpha, epsilon = 0: the paper's where it holds, the provable ones for any gradients."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adam_core import make_rule
from tests.adam_core.rule_runner import F64, given_gradients, run, stack


def step_sizes(optimizer: str, beta1: float, beta2: float, gradients: list[float]) -> list[float]:
    """|D_t| / alpha of each step; the parameter starts at 0 and alpha is 1."""
    rule = make_rule(optimizer, stack([{"beta1": beta1, "beta2": beta2, "epsilon": 0.0}]))
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
    sizes = step_sizes("adam", beta1, beta2, [0.0] * (spike_at - 1) + [7.0] + [0.0] * 20)
    assert max(sizes) <= bound * (1 + 1e-12)
    if spike_at == 5000 and bound > 1 and beta2 <= 0.999:
        assert max(sizes) == pytest.approx(bound, rel=0.01)


@pytest.mark.parametrize(("beta1", "beta2", "most"), [(0.9, 0.999, 7.27), (0.9, 0.99, 2.35)])
def test_the_worst_gradients_exceed_the_papers_bound_and_attain_the_provable_one(
    beta1: float, beta2: float, most: float
) -> None:
    t = 8000
    gradients = [(beta1 / beta2) ** (t - i) for i in range(1, t + 1)]
    size = step_sizes("adam", beta1, beta2, gradients)[-1]
    assert size == pytest.approx(cauchy_schwarz_bound(beta1, beta2, t), rel=1e-9)
    assert size == pytest.approx(most, abs=0.01)
    assert size > max((1 - beta1) / math.sqrt(1 - beta2), 1.0)


magnitudes = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))
gradient_lists = st.lists(st.tuples(magnitudes, st.sampled_from([-1.0, 1.0])), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    betas=st.sampled_from([(0.9, 0.999), (0.0, 0.99), (0.9, 0.9999), (0.9, 0.99), (0.3, 0.2)]),
    signed=gradient_lists,
)
def test_any_gradients_obey_the_provable_bound(betas: tuple[float, float], signed: list[tuple[float, float]]) -> None:
    sizes = step_sizes("adam", *betas, [magnitude * sign for magnitude, sign in signed])
    for t, size in enumerate(sizes, start=1):
        assert size <= cauchy_schwarz_bound(*betas, t) * (1 + 1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(signed=gradient_lists)
def test_any_gradients_obey_adamaxs_bound(signed: list[tuple[float, float]]) -> None:
    """The paper says alpha; strictly it is alpha (1-beta1) / (1-beta1/beta2), 1.0091 alpha at the defaults."""
    sizes = step_sizes("adamax", 0.9, 0.999, [magnitude * sign for magnitude, sign in signed])
    assert max(sizes) <= 0.1 / (1 - 0.9 / 0.999) * (1 + 1e-9)


def test_adamax_attains_its_bound_when_gradients_decay_as_beta2() -> None:
    sizes = step_sizes("adamax", 0.9, 0.999, [0.999**t for t in range(1, 1001)])
    assert sizes[-1] == pytest.approx(1.0091, abs=1e-4)
    assert sizes[0] == pytest.approx(1.0, rel=1e-12)
    assert max(sizes) <= 0.1 / (1 - 0.9 / 0.999) * (1 + 1e-9)
