from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from adam_core.layers import Examples, SoftmaxRegression
from studies.spec import StudySpec
from worker import calibration
from worker.calibration import choose_block_width, keeps_lanes_identical
from worker.datasets.registry import Dataset, load_dataset

DIGITS = load_dataset("digits", Path(), torch.device("cpu"), torch.float32)


def _spec(workload: str = "digits-logistic", n_trials: int = 20) -> StudySpec:
    return StudySpec(name="calibrated", workload=workload, optimizer="adam", n_trials=n_trials)


@pytest.mark.parametrize(("n_trials", "widest"), [(1, 1), (2, 2), (3, 4), (20, 32), (200, 64)])
def test_measures_powers_of_two_up_to_what_the_trials_fill(
    n_trials: int, widest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = []

    def seconds(spec: StudySpec, data: Dataset, width: int) -> float:
        measured.append(width)
        return 1.0

    monkeypatch.setattr(calibration, "_block_seconds", seconds)
    assert choose_block_width(_spec(n_trials=n_trials), DIGITS) == widest
    assert measured == [2**power for power in range(widest.bit_length())]


@pytest.mark.parametrize(
    ("block_seconds", "chosen"),
    [
        ({1: 1.0, 2: 1.5, 4: 2.0, 8: 4.2, 16: 9.0, 32: 40.0}, 4),  # 20 trials in 20, 10, 5, 3, 2, 1 blocks
        ({1: 1.0, 2: 1.5, 4: 2.0, 8: 3.1, 16: 4.4, 32: 8.3}, 16),  # 9.3, 8.8 and 8.3 count as equal from 9.13 on
        ({1: 1.0, 2: 1.5, 4: 2.0, 8: 3.1, 16: 5.0, 32: 8.3}, 32),  # only 32 is within a tenth of itself
    ],
)
def test_takes_the_narrowest_of_the_widths_that_finish_the_study_soonest(
    block_seconds: dict[int, float], chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "_block_seconds", lambda spec, data, width: block_seconds[width])
    assert choose_block_width(_spec(), DIGITS) == chosen


def test_a_width_that_changes_bits_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "_block_seconds", lambda spec, data, width: 1.0)
    monkeypatch.setattr(calibration, "keeps_lanes_identical", lambda spec, data, width: width == 4)
    assert choose_block_width(_spec(), DIGITS) == 4
    monkeypatch.setattr(calibration, "keeps_lanes_identical", lambda spec, data, width: False)
    assert choose_block_width(_spec(), DIGITS) == 1


def test_the_real_measurement_chooses_a_wide_block() -> None:
    """A block of one lane needs a step's fixed costs for each: 20 lanes take 20 of them, one block of 32 one."""
    assert choose_block_width(_spec(), DIGITS) in (4, 8, 16, 32)


@pytest.mark.parametrize("width", [2, 8, 32])
def test_the_product_as_it_is_keeps_lanes_identical(width: int) -> None:
    assert keeps_lanes_identical(_spec(), DIGITS, width)


def _ulp_at_the_last_place(theta: Tensor) -> None:
    theta[0, 0, -1] *= 1 + 2**-23


def _leak_between_mates(theta: Tensor) -> None:
    theta[0, 0] += theta[0, 0].nan_to_num(0.0, 0.0, 0.0).mean() * 1e-6


@pytest.mark.parametrize("fault", [_ulp_at_the_last_place, _leak_between_mates])
def test_the_check_finds_lanes_that_depend_on_place_or_mates(
    fault: Callable[[Tensor], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    backward = SoftmaxRegression.backward

    def faulty(
        model: SoftmaxRegression, theta: Sequence[Tensor], batch: Examples, update: Callable[[int, Tensor], None]
    ) -> None:
        backward(model, theta, batch, update)
        fault(theta[0])

    monkeypatch.setattr(SoftmaxRegression, "backward", faulty)
    assert not keeps_lanes_identical(_spec(), DIGITS, 8)
