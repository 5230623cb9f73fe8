"""alpha_t and the bias corrections against exact arithmetic, and their independence of position."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, StepLR

from adam_core import Schedule
from adam_core.schedules import bias_correction, decayed_beta

ALPHA = torch.tensor([1e-3, 0.1], dtype=torch.float64)


def test_constant() -> None:
    assert torch.equal(Schedule("constant", "step").alphas(ALPHA, 10, 7, 3), ALPHA.expand(3, 2))


def test_inverse_square_root_per_step_and_per_epoch() -> None:
    per_step = Schedule("inverse-sqrt", "step").alphas(ALPHA, 3, 4, 2)
    assert per_step.dtype == torch.float64
    assert torch.equal(per_step, ALPHA / torch.tensor([[4.0], [5.0]], dtype=torch.float64).sqrt())
    per_epoch = Schedule("inverse-sqrt", "epoch").alphas(ALPHA, 3, 1, 7)
    epochs = torch.tensor([1, 1, 1, 2, 2, 2, 3], dtype=torch.float64)
    assert torch.equal(per_epoch, ALPHA / epochs.sqrt()[:, None])


def test_step_decay() -> None:
    """factor^floor((t - 1) / every): the first decay is after `every` steps or epochs."""
    per_step = Schedule("step-decay", factor=0.5, every=3).alphas(ALPHA, 10, 1, 8)
    halvings = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2], dtype=torch.float64)[:, None]
    assert torch.equal(per_step, ALPHA * 0.5**halvings)
    per_epoch = Schedule("step-decay", "epoch", factor=0.1, every=2).alphas(ALPHA, 3, 6, 8)
    shares = torch.tensor([1.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01], dtype=torch.float64)  # epochs 2, 3, 4 and 5
    torch.testing.assert_close(per_epoch, ALPHA * shares[:, None], rtol=1e-15, atol=0)


def test_cosine() -> None:
    """From alpha at t = 1 to 0 at t = total + 1, and 0 from there on."""
    alphas = Schedule("cosine", total=6).alphas(ALPHA, 10, 1, 10)
    shares = torch.tensor([1.0, (2 + 3**0.5) / 4, 0.75, 0.5, 0.25, (2 - 3**0.5) / 4, 0, 0, 0, 0], dtype=torch.float64)
    torch.testing.assert_close(alphas, ALPHA * shares[:, None], rtol=1e-12, atol=0)
    assert torch.equal(alphas[0], ALPHA) and not alphas[6:].any()
    per_epoch = Schedule("cosine", "epoch", total=6).alphas(ALPHA, 4, 1, 40)
    assert torch.equal(per_epoch, alphas.repeat_interleave(4, dim=0))


@pytest.mark.parametrize(
    ("schedule", "torchs"),
    [
        (Schedule("step-decay", factor=0.3, every=7), lambda optimizer: StepLR(optimizer, 7, 0.3)),
        (Schedule("cosine", total=50), lambda optimizer: CosineAnnealingLR(optimizer, 50)),
        (Schedule("inverse-sqrt"), lambda optimizer: LambdaLR(optimizer, lambda t: (t + 1) ** -0.5)),
    ],
)
def test_equals_torchs_schedulers(schedule: Schedule, torchs: Callable[[SGD], LRScheduler]) -> None:
    optimizer = SGD([torch.zeros(1)], lr=0.1)
    scheduler = torchs(optimizer)
    rates = []
    for _ in range(50):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    expected = torch.tensor(rates, dtype=torch.float64)
    torch.testing.assert_close(schedule.alphas(ALPHA, 1, 1, 50)[:, 1], expected, rtol=1e-10, atol=1e-16)


SCHEDULES = [
    Schedule(kind, per, **numbers)
    for per in ("step", "epoch")
    for kind, numbers in (
        ("constant", {}),
        ("inverse-sqrt", {}),
        ("step-decay", {"factor": 0.7, "every": 3}),
        ("cosine", {"total": 25}),
    )
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_slices_join_and_lanes_stand_alone(schedule: Schedule) -> None:
    alpha = torch.rand(33, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole = schedule.alphas(alpha, 7, 1, 40)
    assert whole.shape == (40, 33) and whole.dtype == torch.float64
    assert torch.equal(whole[12:], schedule.alphas(alpha, 7, 13, 28))
    for lane in range(33):
        assert torch.equal(whole[:, lane : lane + 1], schedule.alphas(alpha[lane : lane + 1], 7, 1, 40))
    assert schedule.alphas(alpha, 7, 1, 0).shape == (0, 33)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "linear"}, "kind must be one of constant, inverse-sqrt, step-decay, cosine, got 'linear'"),
        ({"per": "batch"}, "per must be one of step, epoch, got 'batch'"),
        ({"kind": "step-decay", "every": 3}, "factor must be in (0, 1), got None"),
        ({"kind": "step-decay", "every": 3, "factor": 1.0}, "factor must be in (0, 1), got 1.0"),
        ({"kind": "step-decay", "factor": 0.5}, "every must be a whole number of at least 1, got None"),
        ({"kind": "step-decay", "factor": 0.5, "every": 2.5}, "every must be a whole number of at least 1, got 2.5"),
        ({"kind": "cosine", "total": 0}, "total must be a whole number of at least 1, got 0"),
        ({"factor": 0.5}, "factor must be left out unless kind is step-decay, got 0.5 with constant"),
        (
            {"kind": "cosine", "total": 9, "every": 3},
            "every must be left out unless kind is step-decay, got 3 with cosine",
        ),
        (
            {"kind": "inverse-sqrt", "total": 9},
            "total must be left out unless kind is cosine, got 9 with inverse-sqrt",
        ),
    ],
)
def test_refusals(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Schedule(**arguments)


@pytest.mark.parametrize(
    ("steps_per_epoch", "first_step", "message"),
    [(1, 0, "first_step must be at least 1, got 0"), (0, 1, "steps_per_epoch must be at least 1, got 0")],
)
def test_step_numbers_are_checked(steps_per_epoch: int, first_step: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Schedule().alphas(ALPHA, steps_per_epoch, first_step, 1)


@pytest.mark.parametrize("beta", [0.0, 1e-300, 0.1, 0.9, 0.999, 0.9999, 1 - 1e-8])
def test_bias_correction_is_exact_to_the_last_digits(beta: float) -> None:
    rows = bias_correction(torch.tensor([beta], dtype=torch.float64), 1, 200)
    for t in (1, 2, 3, 12, 100, 200):
        exact = float(1 - Fraction(beta) ** t)
        assert float(rows[t - 1, 0]) == pytest.approx(exact, rel=5e-15, abs=0.0)


def test_bias_correction_of_a_lane_does_not_depend_on_its_place() -> None:
    betas = torch.rand(33, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole = bias_correction(betas, 1, 50)
    for lane in range(33):
        assert torch.equal(bias_correction(betas[lane : lane + 1], 20, 31), whole[19:, lane : lane + 1])
    assert bias_correction(betas, 1, 0).shape == (0, 33)


def test_lanes_go_without_bias_correction() -> None:
    betas = torch.tensor([0.9, 0.9, 0.0], dtype=torch.float64)
    rows = bias_correction(betas, 1, 5, torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64))
    assert torch.equal(rows[:, :1], bias_correction(betas[:1], 1, 5))
    assert torch.equal(rows[:, 1:], torch.ones(5, 2, dtype=torch.float64))


@pytest.mark.parametrize("decay", [1.0, 1 - 1e-8, 0.99, 0.5, 1e-3])
def test_decayed_beta_is_exact_to_the_last_digits(decay: float) -> None:
    """beta1_t = beta1 lambda^(t - 1), Theorem 4.1: beta1 itself at t = 1."""
    beta, decays = (torch.tensor([value], dtype=torch.float64) for value in (0.9, decay))
    rows = decayed_beta(beta, decays, 1, 200)
    for t in (1, 2, 3, 12, 100, 200):
        exact = float(Fraction(0.9) * Fraction(decay) ** (t - 1))
        assert float(rows[t - 1, 0]) == pytest.approx(exact, rel=1e-14, abs=0.0)
    assert torch.equal(decayed_beta(beta, decays, 20, 31), rows[19:50])
