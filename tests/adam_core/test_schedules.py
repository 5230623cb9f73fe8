"""alpha_t and the bias corrections against exact arithmetic, and their independence of position."""

from fractions import Fraction

import pytest
import torch

from adam_core import alpha_schedule
from adam_core.schedules import bias_correction

ALPHA = torch.tensor([1e-3, 0.1], dtype=torch.float64)


def test_constant() -> None:
    assert torch.equal(alpha_schedule("constant", "step", ALPHA, 10, 7, 3), ALPHA.expand(3, 2))


def test_inverse_square_root_per_step_and_per_epoch() -> None:
    per_step = alpha_schedule("inverse-sqrt", "step", ALPHA, 3, 4, 2)
    assert per_step.dtype == torch.float64
    assert torch.equal(per_step, ALPHA / torch.tensor([[4.0], [5.0]], dtype=torch.float64).sqrt())
    per_epoch = alpha_schedule("inverse-sqrt", "epoch", ALPHA, 3, 1, 7)
    epochs = torch.tensor([1, 1, 1, 2, 2, 2, 3], dtype=torch.float64)
    assert torch.equal(per_epoch, ALPHA / epochs.sqrt()[:, None])


@pytest.mark.parametrize("per", ["step", "epoch"])
def test_slices_join(per: str) -> None:
    whole = alpha_schedule("inverse-sqrt", per, ALPHA, 7, 1, 40)
    assert torch.equal(whole[12:], alpha_schedule("inverse-sqrt", per, ALPHA, 7, 13, 28))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cosine", "step", 1, 1), "kind must be one of constant, inverse-sqrt, got 'cosine'"),
        (("constant", "batch", 1, 1), "per must be one of step, epoch, got 'batch'"),
        (("constant", "step", 1, 0), "first_step must be at least 1, got 0"),
        (("constant", "step", 0, 1), "steps_per_epoch must be at least 1, got 0"),
    ],
)
def test_errors(arguments: tuple[str, str, int, int], message: str) -> None:
    kind, per, steps_per_epoch, first_step = arguments
    with pytest.raises(ValueError, match=f"^{message}$"):
        alpha_schedule(kind, per, ALPHA, steps_per_epoch, first_step, 1)


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
