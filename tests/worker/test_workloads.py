"""Every workload of the catalogue trains: on few examples of its shapes, and those on the digits on the real ones."""

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from adam_core.schedules import Schedule
from studies.db import queries
from studies.db.engine import open_database
from studies.objective import objective
from studies.settings import Settings
from studies.spec import StudySpec
from studies.workloads import WORKLOADS
from tests.factories import make_spec
from tests.worker.test_runner import finish, make_runner, submit
from tests.worker.workload_data import CPU, N_TRAIN, N_VALIDATION, shrink
from worker.array_plan import ArrayPlan, Lane, build_array
from worker.datasets.registry import Dataset, load_dataset
from worker.training import ArrayTraining, EpochReport, LaneMetrics
from worker.workloads.registry import build_model

#: Of the architectures, counted by hand: (inputs + 1) * outputs of each layer; of a convolution 25 inputs a channel.
N_PARAMETERS = {
    "mnist-logistic": 7_850,
    "imdb-logistic": 10_001,
    "imdb-logistic-dropout": 10_001,
    "mnist-mlp": 1_796_010,
    "mnist-mlp-dropout": 1_796_010,
    "cifar10-cnn": 4_864 + 102_464 + 204_928 + 2_049_000 + 10_010,
    "cifar10-cnn-dropout": 4_864 + 102_464 + 204_928 + 2_049_000 + 10_010,
    "mnist-vae": 392_500 + 50_100 + 25_500 + 392_784,
    "digits-logistic": 650,
    "digits-mlp": 17_610,
    "digits-cnn": 208 + 1_608 + 3_216 + 850 + 510,
    "digits-vae": 3_250 + 1_020 + 550 + 3_264,
}
DIGITS = [name for name in N_PARAMETERS if WORKLOADS[name].dataset == "digits"]
Curves = dict[int, list[LaneMetrics]]  #: by trial


def _plan(name: str, alphas: Sequence[float], *, epochs: int, width: int, holdout: bool = False) -> ArrayPlan:
    """Trials of Adam with these α, one lane each."""
    spec = StudySpec(name="test", workload=name, optimizer="adam", batch_size=32, epochs=epochs)
    lanes = tuple(Lane(trial, 0, {"alpha": alpha}) for trial, alpha in enumerate(alphas))
    return replace(ArrayPlan.of(spec, lanes, width), schedule=Schedule(), holdout=holdout)


def _train(plan: ArrayPlan, data: Dataset) -> Curves:
    curves: Curves = {}
    for event in ArrayTraining(plan, data).run():
        if isinstance(event, EpochReport):
            for lane in event.lanes:
                curves.setdefault(lane.trial, []).append(lane)
    return curves


def _digits(name: str) -> Dataset:
    return load_dataset(WORKLOADS[name], "real", Settings.from_environ({}), CPU, torch.float32)


def _losses(curve: Sequence[LaneMetrics]) -> list[float]:
    assert all(lane.train_loss is not None for lane in curve)
    return [lane.train_loss for lane in curve if lane.train_loss is not None]


def test_every_model_is_counted() -> None:
    """But those of online problems and surfaces, which are no networks."""
    assert set(N_PARAMETERS) == {w.name for w in WORKLOADS.values() if not w.online and not w.n_coordinates}


@pytest.mark.parametrize("name", N_PARAMETERS)
def test_the_model_has_the_architectures_parameters(name: str) -> None:
    model = build_model(name, 1, CPU, torch.float32)
    assert sum(math.prod(shape) for shape in model.shapes) == N_PARAMETERS[name]


@pytest.mark.parametrize("name", N_PARAMETERS)
def test_trains_and_is_evaluated_on_all_parts_and_diverges_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few random examples, two epochs, as blocks of two: a good lane and one that diverges."""
    data, entry = shrink(name, monkeypatch), WORKLOADS[name]
    plan = _plan(name, [0.002, 1e38], epochs=2, width=2, holdout=True)
    before = build_array(plan, CPU, torch.float32).parameters()
    assert [len(layer) for layer in before] == [2] * len(before)
    curves = _train(plan, data)
    start, _, end = curves[0]
    assert _losses(curves[0])[-1] < _losses(curves[0])[0]
    counts_errors = entry.metric is not None
    for lane in (start, end):
        assert lane.validation_loss is not None and lane.test_loss is not None
        assert (lane.validation_error is not None, lane.test_error is not None) == (counts_errors, counts_errors)
    if counts_errors:  # shares of so many examples, and of about as many classes as there are
        assert start.validation_error is not None and start.test_error is not None
        assert (start.validation_error * N_VALIDATION) % 1 == pytest.approx(0.0, abs=1e-9)
        assert entry.n_classes is not None and start.train_loss == pytest.approx(math.log(entry.n_classes), rel=0.7)
    assert [lane.diverged for lane in curves[1]] == [False, True]
    assert curves[1][1] == LaneMetrics(1, 0, diverged=True)


@pytest.mark.parametrize("name", N_PARAMETERS)
def test_held_out_examples_are_validated_on_and_not_trained_on(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With other examples in their place, the validation figures change and nothing else."""
    data, plan = shrink(name, monkeypatch), _plan(name, [0.002], epochs=1, width=1, holdout=True)
    rows = torch.arange(N_TRAIN)
    rows[-N_VALIDATION:] = rows[:N_VALIDATION]
    (curve,), (other,) = (
        _train(plan, found).values() for found in (data, replace(data, train=data.train.gather(rows)))
    )
    assert curve[1].validation_loss != other[1].validation_loss
    rest = [[replace(lane, validation_loss=None, validation_error=None) for lane in lanes] for lanes in (curve, other)]
    assert rest[0] == rest[1]


@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize("name", DIGITS)
def test_a_lane_has_the_same_bits_alone_and_among_mates_one_of_which_diverges(
    name: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, alphas = shrink(name, monkeypatch), [0.003, 0.001, 0.01, 1e38, 0.0003]
    plan = _plan(name, alphas, epochs=6, width=width)
    together = _train(plan, data)
    assert [lane.diverged for lane in together.pop(3)] == [False, True]
    for trial, curve in together.items():
        assert _train(replace(plan, lanes=plan.lanes[trial : trial + 1]), data)[trial] == curve
    assert len({curve[-1].train_loss for curve in together.values()}) == 4


@pytest.mark.parametrize("name", DIGITS)
def test_good_settings_learn_the_digits(name: str) -> None:
    """Within 12 epochs: a tenth of the errors that guessing makes; of the autoencoder, a third of the nats."""
    curve = _train(_plan(name, [0.005], epochs=12, width=1), _digits(name))[0]
    losses = _losses(curve)
    if WORKLOADS[name].metric is None:
        assert losses[0] > 44 and losses[-1] < 30  # 64 ln 2 = 44.4 is what grey guesses cost
        assert all(lane.test_error is None for lane in curve)
    else:
        assert curve[-1].test_error is not None and curve[-1].test_error < 0.1
        assert losses[-1] < 0.15 * losses[0]


def test_the_autoencoders_errors_are_null_in_the_database(sqlite_settings: Settings, tmp_path: Path) -> None:
    with closing(open_database(sqlite_settings)) as database:
        spec = make_spec(workload="digits-vae", n_trials=2, n_seeds=1, epochs=1, objective="validation_loss")
        study_id = submit(database, spec)
        finish(make_runner(database, tmp_path), database, study_id)
        for frame in (queries.trials_frame(database, study_id), queries.curves_frame(database, study_id)):
            assert frame[["train_loss", "validation_loss", "test_loss"]].notna().all(axis=None)
            assert "validation_error" in frame and frame.filter(like="_error").isna().all(axis=None)


@pytest.mark.parametrize("name", DIGITS)
def test_divergence_has_a_defined_objective(name: str) -> None:
    """Ten times the loss at initialisation, whatever the workload's unit is."""
    curve = _train(_plan(name, [1e38], epochs=2, width=1), _digits(name))[0]
    losses = [lane.train_loss for lane in curve]
    assert len(losses) == 2 and losses[0] is not None and losses[1] is None
    assert objective("train_loss", [losses], None, 2).mean == 10 * losses[0]
