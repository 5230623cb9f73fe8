"""Own workloads in the worker: the example trains as arrays do, and what is wrong is told and costs no trial."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sqlalchemy import update
from torch import nn

from adam_core.models.examples import DenseExamples
from adam_core.randomness import Purpose, epoch_order, stream
from adam_core.schedules import Schedule
from studies.db import calibrations, queries, workers
from studies.db.engine import Database, open_database
from studies.db.models import StudyRow
from studies.dispatch import Bell
from studies.errors import InputError
from studies.service import Service
from studies.settings import Settings
from studies.spec import parse_study
from studies.workloads import Workload, find_workload
from tests.factories import make_spec
from tests.own_workloads import CATALOGUE, EXAMPLE, installed, lay_down, pip_install_example
from tests.processes import running_redis, running_worker, wait_until
from tests.worker.test_runner import curves, finish, make_runner, submit
from worker import training
from worker.calibration import calibration_kind, choose_block_width
from worker.datasets.registry import Dataset, load_dataset
from worker.lane_identity import keeps_lanes_identical
from worker.training import ArrayPlan, ArrayTraining, EpochReport, Lane, LaneMetrics
from worker.workloads.own import source_digest
from worker.workloads.registry import build_model

CPU = torch.device("cpu")
MODULE = "diabetes_workload.catalogue"
NAME = f"{MODULE}:DIABETES_RESIDUAL"
SMALL = {"n_trials": 4, "n_seeds": 2, "epochs": 2}
IMPORTABLE = {"mine": "pack.catalogue:MINE"}


@pytest.fixture
def example() -> Iterator[Workload]:
    with installed(EXAMPLE, allowed=MODULE):
        yield find_workload(NAME)


@pytest.fixture
def sqlite(sqlite_settings: Settings) -> Iterator[Database]:
    db = open_database(sqlite_settings)
    yield db
    db.close()


def load(entry: Workload, dtype: torch.dtype = torch.float32) -> Dataset:
    return load_dataset(entry, "real", Settings.from_environ({}), CPU, dtype)


def plan(n_trials: int, n_seeds: int, width: int, **changes: Any) -> ArrayPlan:
    settings = [
        {"alpha": 10 ** -(1 + trial / 4), "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8} for trial in range(n_trials)
    ]
    lanes = tuple(Lane(trial, seed, settings[trial]) for trial, seed in product(range(n_trials), range(n_seeds)))
    whole = ArrayPlan(
        workload=NAME,
        optimizer="adam",
        options={},
        schedule=Schedule(),
        batch_size=32,
        epochs=2,
        seed=5,
        holdout=True,
        lanes=lanes,
        block_width=width,
    )
    return replace(whole, **changes)


def reports(trained: ArrayTraining) -> dict[tuple[int, int], list[LaneMetrics]]:
    found: dict[tuple[int, int], list[LaneMetrics]] = {}
    for event in trained.run():
        for lane in event.lanes if isinstance(event, EpochReport) else ():
            found.setdefault((lane.trial, lane.replicate), []).append(lane)
    return found


@pytest.mark.parametrize("width", [1, 4])
def test_a_lane_alone_has_the_bits_that_it_has_among_mates(example: Workload, width: int) -> None:
    data, whole = load(example), plan(3, 2, width)
    wild = Lane(3, 0, {**whole.lanes[0].hyperparameters, "alpha": 1e38})
    together = reports(ArrayTraining(replace(whole, lanes=(*whole.lanes, wild)), data))
    assert [lane.diverged for lane in together.pop((3, 0))] == [False, True]
    assert len({lanes[-1].train_loss for lanes in together.values()}) == 6
    for lane in whole.lanes[::3]:
        alone = reports(ArrayTraining(replace(whole, lanes=(lane,)), data))
        assert alone == {(lane.trial, lane.replicate): together[lane.trial, lane.replicate]}


def test_resumed_at_any_event_it_goes_on_with_the_same_bits(example: Workload, monkeypatch: pytest.MonkeyPatch) -> None:
    data, whole = load(example), plan(2, 2, 4)
    expected = reports(ArrayTraining(whole, data))
    monkeypatch.setattr(training, "TICK_SECONDS", 0.0)
    first, snapshots = ArrayTraining(whole, data), []
    for _ in first.run():
        snapshots.append(first.snapshot())
    assert len(snapshots) > 2 * 9
    for snapshot in snapshots[::4]:
        for key, lanes in reports(ArrayTraining(whole, data, resume=snapshot)).items():
            assert lanes == expected[key][snapshot["epoch"] :]


def test_equals_plain_torch_on_the_same_batches(example: Workload) -> None:
    """Float64, within 1e-10: torch.optim.Adam on the example's own module and loss, in the arrays' order."""
    data, whole = load(example, torch.float64), plan(2, 2, 4)
    own = import_module("diabetes_workload.model")
    trained = reports(ArrayTraining(whole, data))
    for lane in whole.lanes:
        seed = stream(whole.seed, lane.replicate, Purpose.INITIAL_WEIGHTS, layer=0).integers(2**63)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(seed))
            module = own.module().double()
        expected = _train_plainly(module, own.loss, data, whole, lane)
        found = trained[lane.trial, lane.replicate][-1]
        assert [found.train_loss, found.validation_loss, found.test_loss] == pytest.approx(expected, rel=1e-10)
        assert found.validation_error is found.test_error is None


def _train_plainly(module: nn.Module, loss: Any, data: Dataset, whole: ArrayPlan, lane: Lane) -> list[float]:
    setting, n_train = lane.hyperparameters, 282
    optimizer = torch.optim.Adam(
        module.parameters(), setting["alpha"], (setting["beta1"], setting["beta2"]), setting["epsilon"]
    )
    for epoch in range(1, whole.epochs + 1):
        order = torch.from_numpy(epoch_order(whole.seed, lane.replicate, epoch, n_train))
        for rows in torch.split(order, whole.batch_size):
            batch = data.train.gather(rows)
            assert isinstance(batch, DenseExamples)
            optimizer.zero_grad()
            loss(module(batch.inputs), batch.labels).mean().backward()
            optimizer.step()
    parts = [data.train.part(0, n_train), data.train.part(n_train, 342), data.test]
    with torch.no_grad():
        return [float(loss(module(part.inputs), part.labels).mean()) for part in parts]  # type: ignore[attr-defined]


def test_the_measured_width_keeps_bits_and_holds_for_one_code_only(example: Workload, tmp_path: Path) -> None:
    spec, data = make_spec(workload=NAME, n_trials=4), load(example)
    assert keeps_lanes_identical(spec, data, choose_block_width(spec, data))
    kind = calibration_kind(spec, CPU)
    assert len(kind) <= 300
    changed = shutil.copytree(EXAMPLE, tmp_path / "changed")
    with (changed / "diabetes_workload" / "model.py").open("a") as file:
        file.write("# changed\n")
    source_digest.cache_clear()
    assert calibration_kind(spec, CPU) == kind
    del (
        sys.modules["diabetes_workload.model"],
        sys.modules["diabetes_workload.catalogue"],
        sys.modules["diabetes_workload"],
    )
    source_digest.cache_clear()
    with installed(changed, allowed=MODULE):
        assert calibration_kind(spec, CPU) != kind
    source_digest.cache_clear()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pip_install_example(tmp_path_factory.mktemp("pip"))


@pytest.mark.parametrize("lacking", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_an_installed_package_trains_through_redis_and_worker_processes(
    lacking: bool, site: Path, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its entry point and by module:object, with equal curves; a worker that lacks it leaves it to another."""
    with ExitStack() as stack:
        settings = stack.enter_context(running_redis(sqlite_settings))
        db = open_database(settings)
        stack.callback(db.close)
        stack.enter_context(installed(site, allowed=MODULE))
        assert settings.broker_url is not None
        service = Service(db, Bell(settings.broker_url))
        ids = [service.submit(make_spec(workload=name, **SMALL)) for name in ("diabetes-residual", NAME)]
        for study_id in ids:
            calibrations.set_block_width(db, study_id, 4)
        if lacking:
            monkeypatch.setenv("ADAM_STUDIES_WORKLOAD_MODULES", "")
            stack.enter_context(running_worker(settings))
            wait_until(lambda: all(queries.find_study(db, study_id).problem for study_id in ids))
            assert "workload must be one of" in str(queries.find_study(db, ids[0]).problem)
            assert "ADAM_STUDIES_WORKLOAD_MODULES names (none)" in str(queries.find_study(db, ids[1]).problem)
            assert {queries.find_study(db, study_id).state for study_id in ids} == {"waiting"}
        monkeypatch.setenv("PYTHONPATH", str(site))
        monkeypatch.setenv("ADAM_STUDIES_WORKLOAD_MODULES", MODULE)
        stack.enter_context(running_worker(settings, "--lanes", "8"))
        wait_until(lambda: all(queries.find_study(db, study_id).is_final for study_id in ids), 100)
        for study_id in ids:
            record = queries.find_study(db, study_id)
            assert (record.state, record.counts, record.problem) == ("complete", {"complete": 4}, None)
        by_entry_point, by_module = (curves(db, study_id) for study_id in ids)
        assert len(by_entry_point) == 4 * 2 * 3
        pd.testing.assert_frame_equal(by_entry_point, by_module, check_exact=True)
        frame = queries.trials_frame(db, ids[0])
        assert frame["test_error"].isna().all()
        assert np.isfinite(frame[["objective", "test_loss"]]).all(axis=None)
        start = by_entry_point.loc[by_entry_point["epoch"] == 0, "train_loss"]
        assert frame["objective"].min() < 0.8 * start.min(), "the network learns"


def test_a_worker_without_the_workload_says_so_and_another_trains(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(EXAMPLE, allowed=MODULE):
        study_id = submit(sqlite, make_spec(workload=NAME, **SMALL))
        lacking, able = (make_runner(sqlite, tmp_path / name) for name in ("lacking", "able"))
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("ADAM_STUDIES_WORKLOAD_MODULES", "")
            for _ in range(3):
                lacking.run(study_id)
            record = queries.find_study(sqlite, study_id)
            assert (record.state, record.counts) == ("waiting", {"waiting": 4})
            assert str(record.problem).startswith(
                "node: NotFoundError: workload must be module:object of a module that"
            )
        finish(able, sqlite, study_id)
        assert queries.find_study(sqlite, study_id).problem is None


def test_a_study_is_passed_on_to_another_worker_and_not_to_and_fro(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed(EXAMPLE, allowed=MODULE):
        study_id = submit(sqlite, make_spec(workload=NAME, **SMALL))
    runner, rung = make_runner(sqlite, tmp_path), []
    monkeypatch.setattr(runner._bell, "ring_if_possible", lambda *rings: rung.append(rings))
    workers.register(sqlite, runner.worker)
    runner.run(study_id)
    assert rung == [], "there is no other"
    workers.register(sqlite, replace(runner.worker, id="w-other"))
    monkeypatch.setattr("worker.runner.STRAIGHT_BACK_SECONDS", 60.0)
    for _ in range(3):
        runner.run(study_id)
    assert rung == [(study_id, "any")], "what comes straight back is let be"
    monkeypatch.setattr("worker.runner.STRAIGHT_BACK_SECONDS", 0.0)
    runner.run(study_id)
    assert len(rung) == 2


def test_a_name_put_into_the_database_is_not_imported(sqlite: Database, tmp_path: Path) -> None:
    study_id = submit(sqlite, make_spec())
    spec = {**make_spec().to_json(), "workload": "this:d"}
    with sqlite.write() as connection:
        connection.execute(update(StudyRow).values(spec=json.loads(json.dumps(spec))))
    make_runner(sqlite, tmp_path).run(study_id)
    assert "got 'this:d'" in str(queries.find_study(sqlite, study_id).problem)
    assert "this" not in sys.modules


def test_a_study_that_does_not_fit_the_workers_version_is_refused_there(sqlite: Database, tmp_path: Path) -> None:
    newer = lay_down(tmp_path / "newer", "pack", IMPORTABLE, catalogue=CATALOGUE.format({}))
    older = lay_down(tmp_path / "older", "pack", IMPORTABLE, catalogue=CATALOGUE.format({"n_train": 300}))
    with installed(newer):
        study_id = submit(sqlite, make_spec(workload="mine", batch_size=500))
    with installed(older):
        make_runner(sqlite, tmp_path).run(study_id)
    expected = "batch_size: must be at most the 300 training examples, got 500"
    assert expected in str(queries.find_study(sqlite, study_id).problem)


#: An implementation of CATALOGUE's entry; the places left open are data, metric and module.
IMPLEMENTATION = """
import numpy as np
from torch import nn
from torch.nn.functional import cross_entropy
from worker.workloads.own import Implementation, TrainTest

def data(folder):
    n, m, features, value, labels = {}
    return TrainTest(np.full((n, features), value), np.zeros(labels, dtype=np.int32), np.ones((m, features)), [0] * m)

IT = Implementation(
    module=lambda: nn.Sequential(nn.Linear(64, 10){}),
    loss=lambda outputs, labels: cross_entropy(outputs, labels{}),
    data=data,
    error={},
)
"""
DATA = "1437, 360, 64, 1.0, 1437"
PER_EXAMPLE = ", reduction='none'"
ERROR = "lambda outputs, labels: outputs.argmax(1).ne(labels)"

REFUSED = [
    (
        "import nowhere_at_all",
        "its implementation pack.model:IT cannot be loaded: ModuleNotFoundError: No module named",
    ),
    ("OTHER = 1", "pack.model:IT must be a worker.workloads.own.Implementation, got a NoneType"),
    (IMPLEMENTATION.format(DATA, "", PER_EXAMPLE, None), "error must be given exactly where metric is, got None and"),
    (
        IMPLEMENTATION.format("1400, 360, 64, 1.0, 1437", "", PER_EXAMPLE, ERROR),
        "train_inputs must have shape (1437, 64), as its entry tells, got (1400, 64)",
    ),
    (
        IMPLEMENTATION.format("1437, 360, 63, 1.0, 1437", "", PER_EXAMPLE, ERROR),
        "train_inputs must have shape (1437, 64), as its entry tells, got (1437, 63)",
    ),
    (
        IMPLEMENTATION.format("1437, 359, 64, 1.0, 1437", "", PER_EXAMPLE, ERROR),
        "test_inputs must have shape (360, 64), as its entry tells, got (359, 64)",
    ),
    (
        IMPLEMENTATION.format("1437, 360, 64, 1.0, 1436", "", PER_EXAMPLE, ERROR),
        "train_labels must be 1437, as its entry tells, got (1436,)",
    ),
    (
        IMPLEMENTATION.format("1437, 360, 64, np.nan, 1437", "", PER_EXAMPLE, ERROR),
        "train_inputs must be finite, got infinities or NaNs",
    ),
    (
        IMPLEMENTATION.format(DATA, ", nn.BatchNorm1d(10)", PER_EXAMPLE, ERROR),
        "track_running_stats must be False, got True in BatchNorm1d '1': lanes share buffers",
    ),
    (IMPLEMENTATION.format(DATA, "", "", ERROR), "loss must have shape (128,), got ()"),
]


@pytest.mark.parametrize(("source", "said"), REFUSED, ids=[said[-40:] for _, said in REFUSED])
def test_what_cannot_be_trained_is_told_in_one_line_and_costs_no_trial(
    source: str, said: str, sqlite: Database, tmp_path: Path
) -> None:
    catalogue = CATALOGUE.format({"implementation": "pack.model:IT"})
    with installed(lay_down(tmp_path / "site", "pack", IMPORTABLE, catalogue=catalogue, model=source)):
        study_id = submit(sqlite, make_spec(workload="mine"), width=None)
        make_runner(sqlite, tmp_path).run(study_id)
    record = queries.find_study(sqlite, study_id)
    assert (record.state, record.counts) == ("waiting", {"waiting": 8})
    assert said in str(record.problem) and "\n" not in str(record.problem)


def test_errors_are_counted_where_the_entry_has_a_metric(sqlite: Database, tmp_path: Path) -> None:
    catalogue = CATALOGUE.format({"implementation": "pack.model:IT"})
    source = IMPLEMENTATION.format(DATA, "", PER_EXAMPLE, ERROR)
    with installed(lay_down(tmp_path / "site", "pack", IMPORTABLE, catalogue=catalogue, model=source)):
        with pytest.raises(InputError, match="no download, got synthetic"):
            parse_study({**make_spec(workload="mine").to_json(), "data": "synthetic"})
        study_id = submit(sqlite, make_spec(workload="mine", n_trials=2, search_space={"alpha": [0.01, 0.1]}))
        finish(make_runner(sqlite, tmp_path), sqlite, study_id)
        assert build_model("mine", 1, CPU, torch.float32).shapes == ((10, 64), (10,))
    found = curves(sqlite, study_id)
    assert found.loc[found["epoch"] == 0, "test_error"].isin([0.0, 1.0]).all(), "all test examples are the same"
    assert (found.loc[found["epoch"] == 5, "test_error"] == 0).all()
