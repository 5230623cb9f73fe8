"""Online problems: the regret that is recorded, and the cases in which it falls or does not."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from adam_core import reference
from adam_core.models.examples import DenseExamples
from studies.settings import Settings
from studies.workloads import find_workload
from tests.factories import make_spec
from worker import training
from worker.array_plan import ArrayPlan, Lane, build_array
from worker.datasets.online import best_in_box, mean_logistic_cost, read_sparse_stream
from worker.datasets.registry import Dataset, load_dataset
from worker.training import ArrayTraining, EpochReport, LaneMetrics

CPU = torch.device("cpu")
GOOD = {"alpha": 0.3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "beta1_decay": 0.999}
FAILING = {"alpha": 0.2, "beta1": 0.0, "beta2": 0.1, "epsilon": 1e-8}
WILD = {**GOOD, "alpha": 1e38, "epsilon": 0.0}
Curves = dict[tuple[int, int], list[LaneMetrics]]
Array = NDArray[np.float64]


def _data(workload: str, dtype: torch.dtype = torch.float32) -> Dataset:
    return load_dataset(find_workload(workload), "real", Settings.from_environ({}), CPU, dtype)


def _plan(workload: str, settings: Sequence[Mapping[str, float]], width: int = 4, **changes: Any) -> ArrayPlan:
    """A lane of each of two seeds for each setting."""
    spec = make_spec(workload=workload, **{"epochs": 2, **changes})
    lanes = tuple(Lane(trial, seed, setting) for trial, setting in enumerate(settings) for seed in range(2))
    return ArrayPlan.of(spec, lanes, width)


def _reports(plan: ArrayPlan, dtype: torch.dtype = torch.float32) -> list[EpochReport]:
    events = ArrayTraining(plan, _data(plan.workload, dtype)).run()
    return [event for event in events if isinstance(event, EpochReport)]


def _curves(reports: Sequence[EpochReport]) -> Curves:
    curves: Curves = {}
    for report in reports:
        for lane in report.lanes:
            curves.setdefault((lane.trial, lane.replicate), []).append(lane)
    return curves


def _cost(workload: str, theta: Array, inputs: Array, label: int) -> tuple[float, Array]:
    """f_t and its gradient."""
    if workload == "reddi-counterexample":
        return float(inputs @ theta), inputs
    return mean_logistic_cost(theta, inputs[None], np.array([label]))


@pytest.mark.parametrize("workload", ["online-convex", "reddi-counterexample"])
@pytest.mark.parametrize("optimizer", ["adam", "amsgrad"])
def test_the_regret_is_that_of_a_slow_transcription(workload: str, optimizer: str) -> None:
    """Float64, within 1e-10: what was played before each update, against the best fixed point."""
    plan, data = _plan(workload, [GOOD, FAILING], optimizer=optimizer, epochs=3), _data(workload, torch.float64)
    assert isinstance(data.train, DenseExamples)
    inputs, labels = data.train.inputs.numpy(), data.train.labels.numpy()
    best = np.array([-1.0]) if workload == "reddi-counterexample" else best_in_box(inputs, labels)
    costs_of_best = [_cost(workload, best, *example)[0] for example in zip(inputs, labels, strict=True)]
    array = build_array(plan, CPU, torch.float64)
    starts = dict(zip(array.lanes, array.parameters()[0].numpy()[:, :, 0], strict=True))
    curves = _curves(_reports(plan, torch.float64))
    for index, lane in enumerate(plan.lanes):
        start, setting, n = starts[index], lane.hyperparameters, len(inputs)

        def gradient(theta: Array, t: int, n: int = n) -> Array:
            return _cost(workload, theta, inputs[(t - 1) % n], labels[(t - 1) % n])[1]

        update = {"adam": reference.adam, "amsgrad": reference.amsgrad}[optimizer]
        alphas = [setting["alpha"] / np.sqrt(t) for t in range(1, 3 * n + 1)]
        given = {key: value for key, value in setting.items() if key not in ("alpha", "weight_decay")}
        path = update(start, gradient, alphas, radius=1.0, **given)
        played = [_cost(workload, path[t], inputs[t % n], labels[t % n])[0] for t in range(3 * n)]
        regrets = np.cumsum(np.array(played) - np.tile(costs_of_best, 3))
        found = [metrics.train_loss for metrics in curves[lane.trial, lane.replicate]]
        staying = np.mean([_cost(workload, start, *example)[0] for example in zip(inputs, labels, strict=True)])
        assert found[0] == pytest.approx(staying - np.mean(costs_of_best), abs=1e-10)
        assert staying > np.mean(costs_of_best)
        assert found[1:] == pytest.approx([regrets[e * n - 1] / (e * n) for e in (1, 2, 3)], abs=1e-10)


def test_the_best_fixed_point_fulfils_the_conditions_of_a_minimum_in_the_box() -> None:
    raw = read_sparse_stream(Path())
    best = best_in_box(raw.train_inputs, raw.train_labels)
    cost, slopes = mean_logistic_cost(best, raw.train_inputs, raw.train_labels)
    assert cost == raw.best_fixed_cost
    inside = np.abs(best) < 1.0
    assert np.abs(slopes[inside]).max() < 1e-8
    assert (slopes[~inside] * best[~inside] < 0).all(), "only the box keeps it from going on"
    assert 0 < inside.sum() < len(best)
    assert raw.train_inputs.mean() < 0.15, "the stream is sparse"


def test_the_best_fixed_point_of_the_counterexample_is_minus_1() -> None:
    data = _data("reddi-counterexample", torch.float64)
    assert isinstance(data.train, DenseExamples)
    slopes = data.train.inputs[:, 0]
    assert slopes[:6].tolist() == [3, -1, -1, 3, -1, -1] and len(slopes) == 300
    assert data.best_fixed_cost == pytest.approx(-float(slopes.mean()))


@pytest.mark.parametrize("averaging", ["none", "polyak"])
def test_curves_are_the_same_bits_in_any_array(averaging: str) -> None:
    settings = [{**GOOD, "alpha": 10.0**-trial} for trial in range(5)]
    options = {"averaging": averaging}
    plan = _plan("reddi-counterexample", [*settings[:3], WILD, *settings[3:]], options=options)
    together = _curves(_reports(plan))
    for lane in plan.lanes:
        alone = _curves(_reports(replace(plan, lanes=(lane,))))
        assert alone[lane.trial, lane.replicate] == together[lane.trial, lane.replicate]


def test_the_box_keeps_any_alpha_from_diverging() -> None:
    curves = _curves(_reports(_plan("reddi-counterexample", [GOOD, WILD])))
    for seed in (0, 1):
        for metrics in curves[1, seed]:
            assert not metrics.diverged and metrics.position is not None and abs(metrics.position[0]) <= 1.0
            assert metrics.train_loss is not None and metrics.train_loss <= 2 * 5 / 3  # the whole box at mean |slope|


def test_a_snapshot_at_any_event_goes_on_with_the_same_regret(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, data = _plan("reddi-counterexample", [GOOD, FAILING, WILD]), _data("reddi-counterexample")
    expected = _curves(_reports(plan))
    monkeypatch.setattr(training, "TICK_SECONDS", 0.0)
    first, reports, kept = ArrayTraining(plan, data), [], []
    for index, event in enumerate(first.run()):
        if isinstance(event, EpochReport):
            reports.append(event)
        if index % 67 == 0 or isinstance(event, EpochReport):
            file = io.BytesIO()
            torch.save(first.snapshot(), file)
            kept.append((len(reports), file))
    monkeypatch.undo()
    assert len(kept) > 10
    for n_reports, file in kept:
        file.seek(0)
        resumed = ArrayTraining(plan, data, resume=torch.load(file, weights_only=True))
        rest = [event for event in resumed.run() if isinstance(event, EpochReport)]
        assert _curves([*reports[:n_reports], *rest]) == expected


def test_regret_follows_its_lanes_when_others_leave() -> None:
    plan = _plan("reddi-counterexample", [{**GOOD, "alpha": 10.0**-trial} for trial in range(6)], epochs=3)
    expected = _curves(_reports(plan))
    events = ArrayTraining(plan, _data("reddi-counterexample")).run()
    reports, event = [], next(events, None)
    while event is not None:
        leaving = None
        if isinstance(event, EpochReport):
            reports.append(event)
            leaving = frozenset({0, 2}) if event.epoch == 1 else None
        try:
            event = events.send(leaving)
        except StopIteration:
            break
    curves = _curves(reports)
    assert {len(curves[trial, 0]) for trial in (0, 2)} == {2} and {len(curves[trial, 0]) for trial in (1, 5)} == {4}
    for key, curve in curves.items():
        assert curve == expected[key][: len(curve)]


@pytest.mark.parametrize(
    ("optimizer", "setting", "end"),
    [
        ("adam", FAILING, 1.0),
        ("amsgrad", FAILING, -1.0),
        ("adam", {**FAILING, "beta1": 0.9, "beta2": 0.999}, -1.0),
    ],
)
def test_adam_fails_on_the_counterexample_where_amsgrad_does_not(
    optimizer: str, setting: Mapping[str, float], end: float
) -> None:
    """Reddi, Kale & Kumar 2018, Theorem 1: at beta1 = 0 and beta2 = 1/(1 + C^2) Adam goes to the worst point."""
    plan = _plan("reddi-counterexample", [setting], optimizer=optimizer, epochs=10)
    for curve in _curves(_reports(plan)).values():
        assert curve[-1].position is not None and curve[0].position is not None
        assert abs(curve[0].position[0]) <= 0.1
        assert curve[-1].position[0] == pytest.approx(end, abs=5e-3)
        assert curve[-1].train_loss is not None and (curve[-1].train_loss > 0.6) == (end == 1.0)


def test_average_regret_falls_like_one_over_the_root_of_t() -> None:
    """Kingma & Ba 2015, Corollary 4.2, with alpha/sqrt(t) and beta1 lambda^(t-1), lambda = 1 - 1e-8."""
    settings = [{**GOOD, "alpha": alpha, "beta1_decay": 1 - 1e-8} for alpha in (0.1, 0.3, 1.0)]
    reports = _reports(_plan("online-convex", settings, epochs=10))
    steps = np.array([report.steps for report in reports[1:]])
    assert steps.tolist() == [1_000 * epoch for epoch in range(1, 11)]
    for curve in _curves(reports).values():
        averages = np.array([metrics.train_loss for metrics in curve[1:]], dtype=np.float64)
        slope = np.polyfit(np.log(steps), np.log(averages), 1)[0]
        assert slope < -0.45, "at least as fast as 1/sqrt(T)"
        over_root = averages * np.sqrt(steps)
        assert over_root.max() < 1.1 * over_root[0] < 6.0
        assert curve[-1].test_loss is not None and curve[-1].test_loss < 0.4
        assert curve[-1].test_error is not None and curve[-1].test_error < 0.2
