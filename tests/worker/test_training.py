import io
import os
import random
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from adam_core.models.examples import DenseExamples, Examples
from adam_core.randomness import epoch_order
from adam_core.schedules import Schedule
from studies.settings import Settings
from studies.workloads import find_workload
from worker import training
from worker.array_plan import build_array
from worker.datasets.registry import Dataset, load_dataset
from worker.training import ArrayPlan, ArrayTraining, EpochReport, Lane, LaneMetrics, Tick

CPU = torch.device("cpu")
SETTINGS = Settings.from_environ({})
DIGITS = load_dataset(find_workload("digits-logistic"), "real", SETTINGS, CPU, torch.float32)
DIVERGING = {"alpha": 1e38, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}

#: By (trial, replicate), one tuple of figures per epoch, compared with ==, so bit for bit.
Curves = dict[tuple[int, int], list[LaneMetrics]]


def _lanes(trials: Sequence[int], n_seeds: int = 1) -> tuple[Lane, ...]:
    """Lanes of trials whose settings depend on the trial's number alone."""
    lanes = []
    for trial in trials:
        choice = random.Random(trial)
        setting = {
            "alpha": 10 ** choice.uniform(-4, 0),
            "beta1": choice.uniform(0, 0.99),
            "beta2": choice.uniform(0.9, 0.9999),
            "epsilon": 10 ** choice.uniform(-10, 0),
        }
        lanes += [Lane(trial, replicate, setting) for replicate in range(n_seeds)]
    return tuple(lanes)


def _plan(lanes: tuple[Lane, ...], **changes: Any) -> ArrayPlan:
    plan = ArrayPlan(
        workload="digits-logistic",
        optimizer="adam",
        options={},
        schedule=Schedule("inverse-sqrt"),
        batch_size=128,
        epochs=3,
        seed=11,
        holdout=False,
        lanes=lanes,
        block_width=8,
    )
    return replace(plan, **changes)


def _reports(
    events: Generator[Tick | EpochReport, frozenset[int] | None, None],
    reply: Callable[[Tick | EpochReport], frozenset[int] | None] = lambda event: None,
) -> list[EpochReport]:
    reports, event = [], next(events, None)
    while event is not None:
        if isinstance(event, EpochReport):
            reports.append(event)
        try:
            event = events.send(reply(event))
        except StopIteration:
            break
    return reports


def _curves(reports: Sequence[EpochReport]) -> Curves:
    curves: Curves = {}
    for report in reports:
        for lane in report.lanes:
            curves.setdefault((lane.trial, lane.replicate), []).append(lane)
    return curves


def _train(plan: ArrayPlan, data: Dataset = DIGITS) -> Curves:
    return _curves(_reports(ArrayTraining(plan, data).run()))


def _assert_same(curves: Curves, expected: Curves) -> None:
    assert curves
    for key, curve in curves.items():
        assert curve == expected[key], key


def test_reports_every_epoch_from_0_in_order_with_the_steps_so_far() -> None:
    reports = _reports(ArrayTraining(_plan(_lanes(range(3), 2)), DIGITS).run())
    assert [report.epoch for report in reports] == [0, 1, 2, 3]
    assert [report.steps for report in reports] == [0, 12, 24, 36]  # 1,437 examples: 11 batches of 128 and one of 29
    assert [(lane.trial, lane.replicate) for lane in reports[2].lanes] == [(t, r) for t in range(3) for r in range(2)]
    assert reports[0].seconds == 0.0
    assert all(report.seconds > 0.0 for report in reports[1:])


def test_lanes_of_a_seed_start_from_the_same_loss() -> None:
    start = _reports(ArrayTraining(_plan(_lanes(range(3), 2), epochs=0), DIGITS).run())[0].lanes
    losses = {replicate: {lane.train_loss for lane in start if lane.replicate == replicate} for replicate in (0, 1)}
    assert [len(values) for values in losses.values()] == [1, 1]
    assert losses[0] != losses[1]


def test_two_epochs_equal_plain_torch_on_the_same_order_of_examples() -> None:
    """Float64, within 1e-12: the order, the smaller last batch, the L2 term, and each metric's examples."""
    plan = _plan(_lanes([4], 2), epochs=2, holdout=True, schedule=Schedule())
    data = load_dataset(find_workload("digits-logistic"), "real", SETTINGS, CPU, torch.float64)
    report = _reports(ArrayTraining(plan, data).run())[2]
    initial = build_array(plan, CPU, torch.float64).parameters()[0]
    for replicate, metrics in enumerate(report.lanes):
        for name, value in _train_with_torch(plan, replicate, initial[replicate]).items():
            assert getattr(metrics, name) == pytest.approx(value, rel=1e-12), name
        assert metrics.validation_error is not None and 0.0 < metrics.validation_error < 1.0


def _train_with_torch(plan: ArrayPlan, replicate: int, initial: torch.Tensor) -> dict[str, float]:
    data = load_dataset(find_workload("digits-logistic"), "real", SETTINGS, CPU, torch.float64)
    n_train, l2, setting = 1150, 1e-4, plan.lanes[0].hyperparameters
    theta = initial.clone().requires_grad_()
    betas = (setting["beta1"], setting["beta2"])
    optimizer = torch.optim.Adam([theta], lr=setting["alpha"], betas=betas, eps=setting["epsilon"])

    def loss(examples: Examples) -> torch.Tensor:
        assert isinstance(examples, DenseExamples)
        return torch.nn.functional.cross_entropy(examples.inputs @ theta[:-1] + theta[-1], examples.labels)

    def penalty() -> torch.Tensor:
        return l2 / 2 * theta[:-1].square().sum()

    for epoch in range(1, plan.epochs + 1):
        order = torch.from_numpy(epoch_order(plan.seed, replicate, epoch, n_train))
        for rows in torch.split(order, plan.batch_size):
            optimizer.zero_grad()
            torch.autograd.backward(loss(data.train.gather(rows)) + penalty())
            optimizer.step()
    assert isinstance(data.test, DenseExamples)
    guesses = (data.test.inputs @ theta[:-1] + theta[-1]).argmax(1)
    with torch.no_grad():
        return {
            "train_loss": float(loss(data.train.part(0, n_train)) + penalty()),
            "validation_loss": float(loss(data.train.part(n_train, 1437))),
            "test_loss": float(loss(data.test)),
            "test_error": float((guesses != data.test.labels).double().mean()),
        }


def test_nothing_is_validated_where_nothing_is_held_out() -> None:
    lane = _reports(ArrayTraining(_plan(_lanes([0]), epochs=0), DIGITS).run())[0].lanes[0]
    assert lane.validation_loss is None and lane.validation_error is None
    assert lane.train_loss is not None and lane.test_loss is not None and lane.test_error is not None


@pytest.mark.parametrize("optimizer", ["adam", "adamax"])
def test_curves_are_the_same_bits_for_4_lanes_or_64_and_any_grouping(optimizer: str) -> None:
    plan = _plan(_lanes(range(32), 2), optimizer=optimizer)
    expected = _train(plan)
    assert len(set(map(tuple, ([lane.train_loss for lane in curve] for curve in expected.values())))) == 64
    shuffled = random.Random(0).sample(plan.lanes, 64)
    for start, stop in ((0, 4), (4, 9), (9, 40), (40, 64)):
        _assert_same(_train(replace(plan, lanes=tuple(shuffled[start:stop]))), expected)


def test_a_snapshot_at_any_event_goes_on_with_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of an epoch, of an evaluation, or at a report, through a file and in a new object."""
    plan = _plan(_lanes(range(3), 3), epochs=2, holdout=True)
    expected = _train(plan)
    monkeypatch.setattr(training, "TICK_SECONDS", 0.0)
    first, before, files = ArrayTraining(plan, DIGITS), [], []
    for event in first.run():
        before.append(event)
        files.append(io.BytesIO())
        torch.save(first.snapshot(), files[-1])
    assert len(before) > 2 * 9 + 3
    for count, file in enumerate(files, start=1):
        file.seek(0)
        resumed = ArrayTraining(plan, DIGITS, resume=torch.load(file, weights_only=True))
        reports = [event for event in before[:count] if isinstance(event, EpochReport)] + _reports(resumed.run())
        assert [report.epoch for report in reports] == [0, 1, 2]
        assert _curves(reports) == expected


def test_ticks_tell_of_every_step_and_chunk_when_they_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TICK_SECONDS", 0.0)
    events = list(ArrayTraining(_plan(_lanes([0]), epochs=1), DIGITS).run())
    steps = [event.step for event in events if isinstance(event, Tick) and event.epoch == 1]
    assert steps == [*range(1, 13), 12, 12, 12]  # two chunks of training examples, one of test examples
    assert {event.n_steps for event in events if isinstance(event, Tick)} == {12}


def test_the_time_that_the_consumer_takes_is_not_training_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TICK_SECONDS", 0.0)
    clock = [0.0]

    def read() -> float:
        clock[0] += 0.001
        return clock[0]

    monkeypatch.setattr(time, "perf_counter", read)
    seconds = []
    for event in ArrayTraining(_plan(_lanes([0, 1]), epochs=2), DIGITS).run():
        clock[0] += 1000.0
        if isinstance(event, EpochReport):
            seconds.append(event.seconds)
    assert seconds[1:] == pytest.approx(
        [0.037 / 2] * 2
    )  # three readings a step, of 12, and one at the end, 1 ms each, over two lanes


def test_trials_asked_for_leave_at_the_next_epoch_and_the_others_keep_their_bits() -> None:
    plan = _plan(_lanes(range(6), 3))
    expected = _train(plan)
    leave = {1: frozenset({0, 2, 5}), 2: frozenset({4})}

    def reply(event: Tick | EpochReport) -> frozenset[int] | None:
        return leave.get(event.epoch) if isinstance(event, EpochReport) else None

    curves = _curves(_reports(ArrayTraining(plan, DIGITS).run(), reply))
    lengths = {trial: {len(curves[trial, replicate]) for replicate in range(3)} for trial in range(6)}
    assert lengths == {0: {2}, 1: {4}, 2: {2}, 3: {4}, 4: {3}, 5: {2}}
    for key, curve in curves.items():
        assert curve == expected[key][: len(curve)]


def test_trials_asked_for_at_a_tick_end_the_epoch_and_survive_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TICK_SECONDS", 0.0)
    plan = _plan(_lanes(range(3)))
    first = ArrayTraining(plan, DIGITS)
    events = first.run()
    for event in events:
        if event.epoch == 1:
            events.send(frozenset({1}))
            break
    for reports in (_reports(ArrayTraining(plan, DIGITS, resume=first.snapshot()).run()), _reports(events)):
        assert [[lane.trial for lane in report.lanes] for report in reports] == [[0, 1, 2], [0, 2], [0, 2]]


def test_it_ends_when_no_lane_is_left() -> None:
    reports = _reports(ArrayTraining(_plan(_lanes(range(2)), epochs=50), DIGITS).run(), lambda event: frozenset({0, 1}))
    assert reports == []  # asked for at the first tick, before epoch 0


def test_a_diverged_lane_is_reported_once_and_harms_no_other() -> None:
    plan = _plan(_lanes(range(4), 2))
    expected = _train(plan)
    wild = tuple(replace(lane, hyperparameters=DIVERGING) if lane.trial == 2 else lane for lane in plan.lanes)
    curves = _train(replace(plan, lanes=wild))
    for replicate in range(2):
        start, end = curves.pop((2, replicate))
        assert start == expected[2, replicate][0]
        assert end == LaneMetrics(2, replicate, diverged=True)
    assert len(curves) == 6
    _assert_same(curves, expected)


def test_an_array_whose_lanes_all_diverge_ends_there() -> None:
    plan = _plan((Lane(0, 0, DIVERGING), Lane(1, 1, DIVERGING)), epochs=50)
    reports = _reports(ArrayTraining(plan, DIGITS).run())
    assert [[lane.diverged for lane in report.lanes] for report in reports] == [[False, False], [True, True]]


def test_a_snapshot_at_the_report_of_a_divergence_goes_on_without_the_lane() -> None:
    plan = _plan((*_lanes(range(3)), Lane(3, 0, DIVERGING)))
    first = ArrayTraining(plan, DIGITS)
    events = first.run()
    next(event for event in events if isinstance(event, EpochReport) and event.epoch == 1)
    snapshot = first.snapshot()
    rest = _reports(events)
    assert _curves(_reports(ArrayTraining(plan, DIGITS, resume=snapshot).run())) == _curves(rest)
    assert [len(report.lanes) for report in rest] == [3, 3]


def test_the_number_of_threads_that_torch_had_changes_no_bit() -> None:
    plan = _plan(_lanes(range(8)))
    expected = _train(plan)
    torch.set_num_threads(2)
    assert _train(plan) == expected
    assert torch.get_num_threads() == 1


@pytest.mark.skipif("ADAM_STUDIES_DATA" not in os.environ, reason="the real MNIST lies nowhere")
def test_real_mnist_trains_to_the_papers_cost_after_an_epoch_and_keeps_its_bits(settings: Settings) -> None:
    """Figure 1 left: Adam's training cost after one epoch is about 0.38, read off the figure; good settings differ."""
    good = {"alpha": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    lanes = (Lane(100, 0, good), *_lanes(range(10)), Lane(50, 0, DIVERGING))
    plan = _plan(lanes, workload="mnist-logistic", epochs=1, block_width=8)
    data = load_dataset(find_workload("mnist-logistic"), "real", settings, CPU, torch.float32)
    together = _train(plan, data)
    _assert_same(_train(replace(plan, lanes=lanes[:1]), data), together)
    train_loss, test_error = together[100, 0][1].train_loss, together[100, 0][1].test_error
    assert train_loss is not None and 0.33 < train_loss < 0.43
    assert test_error is not None and test_error < 0.12
    assert together[50, 0][1].diverged
