from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from adam_core.models.softmax_regression import SoftmaxRegression
from adam_core.models.stacked_model import Batch
from studies.settings import Settings
from studies.spec import StudySpec
from studies.workloads import find_workload
from worker import calibration
from worker.calibration import choose_block_width, choose_lanes
from worker.datasets.registry import Dataset, load_dataset
from worker.lane_identity import keeps_lanes_identical

DIGITS = load_dataset(
    find_workload("digits-logistic"), "real", Settings.from_environ({}), torch.device("cpu"), torch.float32
)


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


def test_stops_widening_when_two_widths_in_a_row_are_no_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for models whose lanes take turns: wide blocks of them would take seconds to measure."""
    measured = []

    def seconds(spec: StudySpec, data: Dataset, width: int) -> float:
        measured.append(width)
        return 1.0 * width

    monkeypatch.setattr(calibration, "_block_seconds", seconds)
    assert choose_block_width(_spec(n_trials=200), DIGITS) == 1
    assert measured == [1, 2, 4]


@pytest.mark.parametrize(
    ("batch_seconds", "block_seconds", "n_blocks"),
    [
        (0.0, 0.5, 1),  # nothing to share: one block of each seed
        (0.001, 0.001, 100),  # a batch takes 1 % of what its blocks take
        (0.0, 0.0001, 278),  # 12 steps of 3 seeds of 278 blocks are 1 s, 1 % of which records an epoch
        (0.1, 0.01, 16),  # 1,000 would be wanted, but a step of 3 seeds takes at most half a second
        (0.1, 0.6, 1),  # at least one block, however long it takes
    ],
)
def test_lanes_are_as_few_as_make_what_they_share_cheap(
    batch_seconds: float, block_seconds: float, n_blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "_block_seconds", lambda spec, data, width: block_seconds)
    monkeypatch.setattr(calibration, "_batch_seconds", lambda spec, data: batch_seconds)
    assert choose_lanes(_spec(n_trials=3000), DIGITS, 8) == n_blocks * 8 * 3


def test_lanes_are_no_more_than_the_study_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "_block_seconds", lambda spec, data, width: 0.0001)
    monkeypatch.setattr(calibration, "_batch_seconds", lambda spec, data: 0.1)
    assert choose_lanes(_spec(n_trials=20), DIGITS, 8) == 3 * 8 * 3


def test_a_width_that_cannot_be_had_ends_the_widening(monkeypatch: pytest.MonkeyPatch) -> None:
    def seconds(spec: StudySpec, data: Dataset, width: int) -> float:
        if width > 4:
            raise RuntimeError("CUDA out of memory")
        return 1.0

    monkeypatch.setattr(calibration, "_block_seconds", seconds)
    assert choose_block_width(_spec(n_trials=200), DIGITS) == 4

    def never(spec: StudySpec, data: Dataset, width: int) -> float:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(calibration, "_block_seconds", never)
    with pytest.raises(RuntimeError, match="out of memory"):
        choose_block_width(_spec(), DIGITS)


def test_lanes_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "_block_seconds", lambda spec, data, width: 0.0001)
    monkeypatch.setattr(calibration, "_batch_seconds", lambda spec, data: 0.1)
    monkeypatch.setattr(calibration, "lanes_in_memory", lambda workload, device: 100)
    assert choose_lanes(_spec(n_trials=1000), DIGITS, 8) == 96
    assert choose_lanes(_spec(n_trials=1000), DIGITS, 64) == 192


def test_the_real_measurement_of_lanes_gives_whole_blocks_of_each_seed() -> None:
    n_lanes = choose_lanes(_spec(), DIGITS, 8)
    assert n_lanes >= 24 and n_lanes % 24 == 0


@pytest.mark.parametrize(
    ("block_seconds", "chosen"),
    [
        ({1: 1.0, 2: 1.5, 4: 2.0, 8: 4.2, 16: 9.0, 32: 40.0}, 4),  # 20 trials in 20, 10, 5, 3, 2, 1 blocks
        ({1: 1.0, 2: 1.5, 4: 2.0, 8: 3.1, 16: 4.2, 32: 8.3}, 16),  # 8.4 and 8.3 count as equal up to 8.466
        ({1: 1.0, 2: 1.5, 4: 2.0, 8: 3.1, 16: 4.3, 32: 8.3}, 32),  # no other is within a fiftieth of 8.3
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


def test_a_width_that_cannot_be_evaluated_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of nn.LSTM, which torch.func maps over lanes in training alone; what fails with one lane is told."""
    monkeypatch.setattr(calibration, "_block_seconds", lambda spec, data, width: 1.0 / width)
    widest = 1

    def evaluate(spec: StudySpec, data: Dataset, width: int) -> bool:
        if width > widest:
            raise RuntimeError("no batching rule")
        return True

    monkeypatch.setattr(calibration, "keeps_lanes_identical", evaluate)
    assert choose_block_width(_spec(), DIGITS) == 1
    widest = 0
    with pytest.raises(RuntimeError, match="no batching rule"):
        choose_block_width(_spec(), DIGITS)


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
        model: SoftmaxRegression, theta: Sequence[Tensor], batch: Batch, update: Callable[[int, Tensor], None]
    ) -> None:
        backward(model, theta, batch, update)
        fault(theta[0])

    monkeypatch.setattr(SoftmaxRegression, "backward", faulty)
    assert not keeps_lanes_identical(_spec(), DIGITS, 8)
