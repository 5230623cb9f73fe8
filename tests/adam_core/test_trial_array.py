import io
import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from adam_core.arrays.lane_updates import TABLE_STEPS, LaneSetting, LaneUpdates
from adam_core.arrays.trial_array import TrialArray
from adam_core.models.examples import DenseExamples
from adam_core.models.softmax_regression import SoftmaxRegression
from adam_core.models.stacked_model import Batch
from adam_core.randomness import Purpose, stream
from adam_core.schedules import Schedule

CPU = torch.device("cpu")
C, L2, BATCH, N = 10, 1e-2, 32, 300
STEPS_PER_EPOCH = math.ceil(N / BATCH)  # the last batch of an epoch has 12 examples
DIGITS, MNIST = 64, 784  # features


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _settings(n: int) -> list[dict[str, float]]:
    """Settings that all differ: alpha over three decades, beta1 and beta2 with 0 among them, epsilon up to 0.1."""
    choice = random.Random(n)
    return [
        {
            "alpha": 10 ** choice.uniform(-3, 0),
            "beta1": choice.choice([0.0, 0.5, 0.9, 0.99]),
            "beta2": choice.choice([0.0, 0.9, 0.999, 0.9999]),
            "epsilon": 10 ** choice.uniform(-10, -1),
        }
        for _ in range(n)
    ]


def _array(
    settings: Sequence[Mapping[str, float]],
    seeds: Sequence[int],
    width: int,
    *,
    n_features: int = DIGITS,
    dtype: torch.dtype = torch.float32,
    optimizer: str = "adam",
    options: Mapping[str, Any] | None = None,
    schedule: tuple[str, str] = ("inverse-sqrt", "step"),
) -> TrialArray:
    model = SoftmaxRegression(n_features, C, L2, width, CPU, dtype)
    updates = LaneUpdates(optimizer, options or {}, STEPS_PER_EPOCH)
    lanes = [LaneSetting(setting, Schedule(*schedule)) for setting in settings]
    return TrialArray(
        model, updates, lanes, seeds, lambda seed, layer: stream(5, seed, Purpose.INITIAL_WEIGHTS, layer=layer)
    )


def _data(n_features: int, dtype: torch.dtype) -> DenseExamples:
    """Examples as sparse as handwritten digits; a tenth of the features is always 0."""
    source = torch.Generator().manual_seed(1)
    inputs = (torch.rand(N, n_features, generator=source, dtype=torch.float64) * 3 - 2).clamp(min=0)
    inputs[:, ::10] = 0.0
    return DenseExamples(inputs.to(dtype), torch.randint(0, C, (N,), generator=source))


def _batch(data: DenseExamples, seed: int, number: int) -> DenseExamples:
    epoch, step = divmod(number - 1, STEPS_PER_EPOCH)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1000 * seed + epoch))
    rows = order[step * BATCH : (step + 1) * BATCH]
    return data.gather(rows)


def _no_noise(layer: int) -> np.random.Generator:
    raise AssertionError("softmax regression draws no noise")


def _prepare(array: TrialArray, examples: DenseExamples) -> Batch:
    return array.prepare(examples, _no_noise, training=True)


def _train(array: TrialArray, data: DenseExamples, first: int, last: int) -> None:
    for number in range(first, last + 1):
        array.step(number, {seed: _prepare(array, _batch(data, seed, number)) for seed in array.seeds})


def _numbers(array: TrialArray, data: DenseExamples) -> dict[int, Tensor]:
    """By lane: losses, errors and penalty, then all parameters."""
    sums = torch.cat([array.losses(_prepare(array, data)), array.penalty()[None]])
    figures = {lane: sums[:, slot] for slot, lane in enumerate(array.slots) if lane is not None}
    (parameters,) = array.parameters()
    return {
        lane: torch.cat([figures[lane], theta.flatten().double()])
        for lane, theta in zip(array.lanes, parameters, strict=True)
    }


def _assert_same(numbers: Tensor, expected: Tensor) -> None:
    assert expected.isfinite().all()
    assert torch.equal(numbers, expected)


@pytest.mark.parametrize("schedule", [("constant", "step"), ("inverse-sqrt", "step"), ("inverse-sqrt", "epoch")])
@pytest.mark.parametrize(
    ("optimizer", "options", "torch_class"),
    [("adam", {}, torch.optim.Adam), ("adamax", {"epsilon_mode": "in-max"}, torch.optim.Adamax)],
)
def test_each_lane_equals_torch_optim_on_a_plain_linear_layer(
    optimizer: str, options: dict[str, str], torch_class: Any, schedule: tuple[str, str]
) -> None:
    """Float64, within 1e-10 over 100 steps: the same initial weights, batches, L2 term and schedule."""
    settings, seeds = _settings(5), [0, 1, 0, 0, 1]
    data = _data(DIGITS, torch.float64)
    array = _array(settings, seeds, 2, dtype=torch.float64, optimizer=optimizer, options=options, schedule=schedule)
    initial = dict(zip(array.lanes, array.parameters()[0], strict=True))
    _train(array, data, 1, 100)
    final = dict(zip(array.lanes, array.parameters()[0], strict=True))
    for lane, (setting, seed) in enumerate(zip(settings, seeds, strict=True)):
        expected = _train_with_torch(torch_class, schedule, setting, initial[lane], data, seed)
        torch.testing.assert_close(final[lane], expected, rtol=0, atol=1e-10, msg=f"lane {lane}: {setting}")


def _train_with_torch(
    torch_class: Any,
    schedule: tuple[str, str],
    setting: Mapping[str, float],
    initial: Tensor,
    data: DenseExamples,
    seed: int,
) -> Tensor:
    linear = torch.nn.Linear(DIGITS, C, dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(initial[:-1].t())
        linear.bias.copy_(initial[-1])
    betas = (setting["beta1"], setting["beta2"])
    optimizer = torch_class(linear.parameters(), lr=setting["alpha"], betas=betas, eps=setting["epsilon"])
    for number in range(1, 101):
        t = number if schedule[1] == "step" else (number - 1) // STEPS_PER_EPOCH + 1
        optimizer.param_groups[0]["lr"] = setting["alpha"] / (math.sqrt(t) if schedule[0] == "inverse-sqrt" else 1.0)
        batch = _batch(data, seed, number)
        loss = torch.nn.functional.cross_entropy(linear(batch.inputs), batch.labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss + L2 / 2 * linear.weight.square().sum())
        optimizer.step()
    return torch.cat([linear.weight.detach().t(), linear.bias.detach()[None]])


@pytest.mark.parametrize("optimizer", ["adam", "adamax"])
@pytest.mark.parametrize(("n_features", "width"), [(DIGITS, 1), (DIGITS, 4), (DIGITS, 16), (MNIST, 32), (MNIST, 64)])
def test_a_lane_trained_alone_has_the_same_bits(n_features: int, width: int, optimizer: str) -> None:
    """K = 1 against K = 70 in float32: other mates, another place, blocks that are full and one that is not."""
    settings, data = _settings(70), _data(n_features, torch.float32)
    together = _array(settings, [0] * 70, width, n_features=n_features, optimizer=optimizer)
    _train(together, data, 1, 12)
    numbers = _numbers(together, data)
    for lane in (0, 1, 17, 38, 63, 69):
        alone = _array([settings[lane]], [0], width, n_features=n_features, optimizer=optimizer)
        _train(alone, data, 1, 12)
        _assert_same(numbers[lane], _numbers(alone, data)[0])


@pytest.mark.parametrize("n_features", [DIGITS, MNIST])
@pytest.mark.parametrize("width", [2, 8, 32])
def test_every_place_of_a_block_computes_the_same_bits(n_features: int, width: int) -> None:
    setting, data = _settings(1)[0], _data(n_features, torch.float32)
    array = _array([setting] * width, [0] * width, width, n_features=n_features)
    _train(array, data, 1, STEPS_PER_EPOCH)
    first, *others = _numbers(array, data).values()
    for other in others:
        _assert_same(other, first)


def test_any_grouping_of_lanes_into_arrays_gives_the_same_bits() -> None:
    """24 lanes of three seeds as one array, and shuffled into arrays of 4, 9 and 11."""
    settings, data = _settings(24), _data(DIGITS, torch.float32)
    seeds = [lane % 3 for lane in range(24)]
    whole = _array(settings, seeds, 8)
    _train(whole, data, 1, 25)
    expected = _numbers(whole, data)
    shuffled = random.Random(0).sample(range(24), 24)
    for group in (shuffled[:4], shuffled[4:13], shuffled[13:]):
        array = _array([settings[lane] for lane in group], [seeds[lane] for lane in group], 8)
        _train(array, data, 1, 25)
        for index, numbers in _numbers(array, data).items():
            _assert_same(numbers, expected[group[index]])


def test_any_grouping_of_steps_gives_the_same_bits() -> None:
    """12 lanes of three seeds step by step, and in groups that end within tables of coefficients and at their ends."""
    settings, data, seeds = _settings(12), _data(DIGITS, torch.float32), [lane % 3 for lane in range(12)]
    one_by_one, grouped = (_array(settings, seeds, 2) for _ in range(2))
    last, number = TABLE_STEPS + 20, 1
    _train(one_by_one, data, 1, last)
    sizes = itertools.cycle([1, 8, 3])
    while number <= last:
        stop = min(number + next(sizes), last + 1)
        steps = [
            {seed: _prepare(grouped, _batch(data, seed, step)) for seed in grouped.seeds}
            for step in range(number, stop)
        ]
        grouped.steps(number, steps)
        number = stop
    expected = _numbers(one_by_one, data)
    for lane, numbers in _numbers(grouped, data).items():
        _assert_same(numbers, expected[lane])


def test_lanes_of_a_seed_start_alike_and_seeds_differ() -> None:
    array = _array(_settings(4), [0, 1, 0, 1], 2)
    theta = dict(zip(array.lanes, array.parameters()[0], strict=True))
    assert torch.equal(theta[0], theta[2])
    assert torch.equal(theta[1], theta[3])
    assert not torch.equal(theta[0], theta[1])


def test_removed_lanes_leave_the_others_their_bits_and_free_their_blocks() -> None:
    settings, seeds, data = _settings(20), [0] * 12 + [1] * 8, _data(DIGITS, torch.float32)
    kept, reduced = _array(settings, seeds, 4), _array(settings, seeds, 4)
    _train(kept, data, 1, 15)
    _train(reduced, data, 1, 7)
    reduced.remove({0, 1, 5, 6, 7, 11, 12, 13, 14, 15})
    assert reduced.lanes == (2, 3, 4, 8, 9, 10, 16, 17, 18, 19)
    assert reduced.slots == (2, 3, 4, 8, 9, 10, None, None, 16, 17, 18, 19)
    _train(reduced, data, 8, 15)
    expected = _numbers(kept, data)
    for lane, numbers in _numbers(reduced, data).items():
        _assert_same(numbers, expected[lane])


def test_removing_every_lane_leaves_an_empty_array() -> None:
    array = _array(_settings(3), [0, 0, 1], 2)
    array.remove({0, 1, 2})
    assert array.slots == array.lanes == array.seeds == ()


def test_a_diverging_mate_changes_no_bit_before_or_after_it_is_frozen() -> None:
    settings, data = _settings(8), _data(DIGITS, torch.float32)
    wild = [*settings[:3], {**settings[3], "alpha": 1e38}, *settings[4:]]
    calm, array = _array(settings, [0] * 8, 8), _array(wild, [0] * 8, 8)
    _train(calm, data, 1, 10)
    _train(array, data, 1, 10)
    assert not array.penalty()[3].isfinite()
    for lane in (0, 1, 2, 4, 5, 6, 7):
        _assert_same(_numbers(array, data)[lane], _numbers(calm, data)[lane])
    array.freeze({3})
    _train(calm, data, 11, 20)
    _train(array, data, 11, 20)
    expected, numbers = _numbers(calm, data), _numbers(array, data)
    assert numbers.keys() == {0, 1, 2, 4, 5, 6, 7}
    for lane in numbers:
        _assert_same(numbers[lane], expected[lane])


@pytest.mark.parametrize("optimizer", ["adam", "adamax"])
def test_a_frozen_lane_stays_at_zero(optimizer: str) -> None:
    data = _data(DIGITS, torch.float32)
    array = _array(_settings(3), [0] * 3, 4, optimizer=optimizer)
    _train(array, data, 1, 5)
    array.freeze({1})
    assert array.slots == (0, None, 2, None)
    _train(array, data, 6, 2 * TABLE_STEPS)
    log_classes = N * math.log(C)
    losses, errors = array.losses(_prepare(array, data)).tolist()
    for slot in (1, 3):
        # float32's log(10) is off by up to 2e-7 of it
        assert losses[slot] == pytest.approx(log_classes, rel=1e-6)
        assert errors[slot] == 0.0
        assert array.penalty()[slot] == 0.0
    assert losses[0] != pytest.approx(log_classes, rel=1e-6)


@pytest.mark.parametrize("at", [7, TABLE_STEPS - 1, TABLE_STEPS, TABLE_STEPS + 1])
@pytest.mark.parametrize(
    ("optimizer", "options"), [("adam", {}), ("adamax", {}), ("amsgrad", {"averaging": "polyak"})], ids=str
)
def test_a_saved_array_goes_on_with_the_same_bits(optimizer: str, options: dict[str, Any], at: int) -> None:
    """Through a file that loads with weights_only=True, without the lanes that had left, across the tables' end."""
    settings, seeds, data = _settings(9), [0, 1, 2] * 3, _data(DIGITS, torch.float32)
    whole, before = (_array(settings, seeds, 4, optimizer=optimizer, options=options) for _ in range(2))
    _train(whole, data, 1, TABLE_STEPS + 10)
    _train(before, data, 1, at)
    before.remove({4})
    before.freeze({6})
    file = io.BytesIO()
    torch.save(before.state_dict(), file)
    file.seek(0)
    after = _array(settings, seeds, 4, optimizer=optimizer, options=options)
    after.load_state_dict(torch.load(file, weights_only=True))
    assert after.lanes == tuple(lane for lane in whole.lanes if lane not in (4, 6))
    _train(after, data, at + 1, TABLE_STEPS + 10)
    expected = _numbers(whole, data)
    for lane, numbers in _numbers(after, data).items():
        _assert_same(numbers, expected[lane])


def test_a_saved_array_has_leading_lanes_and_shares_no_memory() -> None:
    data = _data(DIGITS, torch.float32)
    array = _array(_settings(5), [0] * 5, 4)
    state = array.state_dict()
    shapes = [tensor.shape for tensor in itertools.chain(*state["layers"])]
    assert shapes == [(5, DIGITS + 1, C)] * 3
    saved = state["layers"][0][0].clone()
    _train(array, data, 1, 2)
    assert torch.equal(state["layers"][0][0], saved)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"beta2": 1.2}, "beta2 must be in [0, 1), got 1.2"),
        ({"epsilon": float("nan")}, "epsilon must be in [0, inf), got nan"),
    ],
)
def test_refuses_a_setting_outside_of_its_range(setting: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError) as error:
        _array([{**_settings(1)[0], **setting}], [0], 1)
    assert str(error.value) == message
