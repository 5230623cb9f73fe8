"""Averages of the iterates, Kingma & Ba 2015, section 7.2, around every rule: float64 against their closed forms."""

from typing import Any

import pytest
import torch
from torch import Tensor

from adam_core import Rule, make_rule, reference
from tests.adam_core.rule_runner import CASES, F64, SETTINGS, case_id, given_gradients, run, stack

N_STEPS = 100
START = torch.tensor([1.0, -0.5, 2.0, 0.0], dtype=F64)
NOISE = torch.randn(N_STEPS, 4, generator=torch.Generator().manual_seed(1), dtype=F64)
ALPHA = stack(SETTINGS)["alpha"].repeat(N_STEPS, 1)

each_case = pytest.mark.parametrize(("optimizer", "options"), CASES, ids=case_id)
each_average = pytest.mark.parametrize("averaging", ["polyak", "exponential"])


def lanes_path(rule: Rule, evaluated: bool = False) -> Tensor:
    start = START.repeat(len(SETTINGS), 1)
    return run(rule, start, given_gradients(NOISE), ALPHA, evaluated=evaluated)


@each_case
@each_average
def test_averages_equal_their_definition(optimizer: str, options: dict[str, Any], averaging: str) -> None:
    rule = make_rule(optimizer, stack(SETTINGS), **options, averaging=averaging)
    averages, path = lanes_path(rule, evaluated=True)[1:], lanes_path(rule)
    for k, lane in enumerate(SETTINGS):
        iterates = path[:, k].numpy()
        if averaging == "polyak":
            expected = reference.polyak_average(iterates)
        else:
            expected = reference.exponential_average(iterates, lane["beta2"])
        # 1 - beta2^t itself, as the reference writes it, has lost 8 digits at beta2 = 1 - 1e-8
        tolerance = 1e-6 if averaging == "exponential" and lane["beta2"] > 0.99999 else 1e-12
        torch.testing.assert_close(averages[:, k], torch.from_numpy(expected), rtol=tolerance, atol=tolerance)


@each_case
@each_average
@pytest.mark.parametrize("decay", ["none", "l2", "decoupled"])
def test_averaging_leaves_the_iterates_alone(
    optimizer: str, options: dict[str, Any], averaging: str, decay: str
) -> None:
    plain = make_rule(optimizer, stack(SETTINGS), **options, weight_decay_mode=decay)
    averaged = make_rule(optimizer, stack(SETTINGS), **options, weight_decay_mode=decay, averaging=averaging)
    assert torch.equal(lanes_path(averaged), lanes_path(plain))
    assert averaged.state_names == (*plain.state_names, "theta_bar")


def test_without_averaging_the_iterates_are_evaluated() -> None:
    rule = make_rule("adam", stack(SETTINGS))
    assert torch.equal(lanes_path(rule, evaluated=True), lanes_path(rule))


def sgd_averages(averaging: str, beta2: float, n_steps: int) -> Tensor:
    """What is evaluated of SGD from 0 with alpha = 1 and all gradients -1, so that theta_t = t."""
    rule = make_rule("sgd", stack([{"beta2": beta2}]), averaging=averaging)
    gradients, alpha = torch.full((n_steps, 1), -1.0, dtype=F64), torch.ones(n_steps, 1, dtype=F64)
    return run(rule, torch.zeros(1, 1, dtype=F64), given_gradients(gradients), alpha, evaluated=True)[1:, 0, 0]


def test_closed_form_of_the_mean() -> None:
    torch.testing.assert_close(sgd_averages("polyak", 0.9, 50), (torch.arange(1, 51, dtype=F64) + 1) / 2)


@pytest.mark.parametrize("beta2", [0.0, 0.9, 0.999])
def test_closed_form_of_the_exponential_average(beta2: float) -> None:
    """sum_i (1-b) b^(t-i) i / (1-b^t) = t / (1-b^t) - b / (1-b)."""
    t = torch.arange(1, 51, dtype=F64)
    expected = t / (1 - beta2**t) - beta2 / (1 - beta2)
    torch.testing.assert_close(sgd_averages("exponential", beta2, 50), expected, rtol=1e-9, atol=1e-9)


@each_average
def test_an_average_is_closer_to_the_optimum_than_noisy_iterates(averaging: str) -> None:
    rule = make_rule("sgd", stack([{"beta2": 0.99}]), averaging=averaging)
    noise = torch.randn(2000, 64, generator=torch.Generator().manual_seed(3), dtype=F64)
    alpha = torch.full((2000, 1), 0.5, dtype=F64)
    zero = torch.zeros(1, 64, dtype=F64)
    iterates, averages = (
        run(rule, zero, lambda theta, t: theta + noise[t - 1], alpha, evaluated=evaluated)[-1].square().mean().sqrt()
        for evaluated in (False, True)
    )
    assert averages < iterates / 5


@each_average
def test_float32_keeps_its_digits_over_many_steps(averaging: str) -> None:
    """A sum of 10,000 iterates near 1 would have lost three digits, and so would powers of 0.9999 in float32."""
    lanes = stack([{"beta2": 0.9999}])
    noise = torch.randn(10_000, 8, generator=torch.Generator().manual_seed(3), dtype=F64)
    alpha = torch.full((10_000, 1), 1e-4, dtype=F64)
    start = torch.ones(1, 8, dtype=F64)
    double, single = (
        run(
            make_rule("sgd", lanes, averaging=averaging),
            start.to(dtype),
            given_gradients(noise.to(dtype)),
            alpha,
            evaluated=True,
        )[-1]
        for dtype in (F64, torch.float32)
    )
    torch.testing.assert_close(single.double(), double, rtol=2e-5, atol=0)


def test_what_an_averaged_rule_says_of_itself() -> None:
    exponential = make_rule("rmsprop", stack(SETTINGS), averaging="exponential", weight_decay_mode="l2", centered=True)
    assert exponential.parameters == ("rho", "epsilon", "momentum", "weight_decay", "beta2")
    assert exponential.state_names == ("r", "b", "g_bar", "theta_bar")
    adam = make_rule("adam", stack(SETTINGS), averaging="exponential")
    assert adam.parameters == make_rule("adam", stack(SETTINGS)).parameters
    assert make_rule("sgd", stack(SETTINGS), averaging="polyak").parameters == ()


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"^beta2 is missing from the hyperparameters, got momentum$"):
        make_rule("sgd", stack([{"momentum": 0.9}]), averaging="exponential")
    with pytest.raises(ValueError, match=r"^averaging must be one of none, polyak, exponential, got 'ema'$"):
        make_rule("sgd", {}, averaging="ema")
