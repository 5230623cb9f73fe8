"""The runner against real databases and real training, without Celery: what a study ends with, whoever trains it."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from sqlalchemy import update

from studies.db import calibrations, claims, queries, submissions, waiting, workers
from studies.db.engine import Database, now, open_database
from studies.db.mirror import unmirrored_studies
from studies.db.models import ArrayRow
from studies.errors import ServiceError
from studies.service import Service
from studies.settings import Settings
from studies.spec import StudySpec
from tests.factories import make_spec
from worker.checkpoints import CheckpointStore
from worker.runner import Runner
from worker.training import ArrayTraining, LaneMetrics

_ids = count()


class RecordingBell:
    """Stands for the broker: remembers who was rung for."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    def ring_if_possible(self, study_id: str, device: str) -> None:
        self.rung.append(study_id)


@pytest.fixture
def sqlite(sqlite_settings: Settings) -> Iterator[Database]:
    db = open_database(sqlite_settings)
    yield db
    db.close()


def make_runner(db: Database, folder: Path, lanes: int | None = None, slice_seconds: float = 300.0) -> Runner:
    store = CheckpointStore(folder)
    identity = workers.WorkerIdentity(f"w-{next(_ids)}", "node", 1, "cpu", is_gpu=False, store=store.name)
    device = torch.device("cpu")
    bell = RecordingBell()
    settings = Settings.from_environ({"ADAM_STUDIES_HOME": str(folder), "ADAM_STUDIES_DATA": str(folder / "nowhere")})
    return Runner(db, bell, identity, device, store, settings, lanes, slice_seconds)  # type: ignore[arg-type]


def submit(db: Database, spec: StudySpec, width: int | None = 8) -> str:
    study_id = submissions.insert_study(db, spec)
    if width is not None:
        calibrations.set_block_width(db, study_id, width)
    return study_id


def finish(runner: Runner, db: Database, study_id: str) -> None:
    for _ in range(100):
        if queries.find_study(db, study_id).is_final:
            return
        runner.run(study_id)
    raise AssertionError("the study does not end")


def curves(db: Database, study_id: str) -> pd.DataFrame:
    frame = queries.curves_frame(db, study_id).drop(columns=["study_id", "seconds"])
    return frame.sort_values(["trial", "replicate", "epoch"]).reset_index(drop=True)


@pytest.mark.parametrize("sampler", ["random", "qmc", "grid"])
def test_curves_do_not_depend_on_lanes_slices_or_workers(
    sqlite: Database, tmp_path: Path, sampler: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = {"alpha": [1e-3, 1e-2, 1e-1, 1.0], "beta1": [0.0, 0.5, 0.9], "beta2": 0.999, "epsilon": 1e-8}
    space = points if sampler == "grid" else {"alpha": {"low": 1e-4, "high": 10}}
    spec = make_spec(n_trials=12, n_seeds=2, epochs=3, sampler=sampler, search_space=space)
    wide, narrow, sliced = (submit(sqlite, spec) for _ in range(3))
    finish(make_runner(sqlite, tmp_path, lanes=64), sqlite, wide)
    finish(make_runner(sqlite, tmp_path, lanes=4), sqlite, narrow)
    request.getfixturevalue("eager_wishes")
    runners = [make_runner(sqlite, tmp_path, lanes=8) for _ in range(3)]
    for runner in runners:
        monkeypatch.setattr(runner, "_must_yield", _now_and_then())
    for turn in range(100):
        runners[turn % 3].run(sliced)
    assert queries.find_study(sqlite, sliced).is_final
    expected = curves(sqlite, wide)
    assert len(expected) == 12 * 2 * 4
    assert expected["diverged"].sum() == 0
    pd.testing.assert_frame_equal(curves(sqlite, narrow), expected, check_exact=True)
    pd.testing.assert_frame_equal(curves(sqlite, sliced), expected, check_exact=True)
    settings = ["trial", "alpha", "beta1", "beta2", "epsilon", "objective"]
    first, second = (queries.trials_frame(sqlite, study_id)[settings] for study_id in (wide, sliced))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def _now_and_then() -> Callable[[float], bool]:
    calls = count()
    return lambda _: next(calls) % 20 == 19


@pytest.fixture
def eager_wishes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renew the lease and read the wish at every yield, and yield after every step."""
    monkeypatch.setattr("worker.session.WISH_SECONDS", 0.0)
    monkeypatch.setattr("worker.training.TICK_SECONDS", 0.0)


@pytest.mark.parametrize("sampler", ["random", "qmc", "grid", "tpe", "gp", "cmaes"])
def test_every_sampler_ends_with_exactly_its_trials(database: Database, tmp_path: Path, sampler: str) -> None:
    points = {"alpha": [1e-3, 1e-2, 1e-1], "beta1": [0.0, 0.9], "beta2": [0.99, 0.999], "epsilon": 1e-8}
    space = points if sampler == "grid" else {}
    n_trials = 12 if sampler == "grid" else 16
    spec = make_spec(n_trials=n_trials, n_seeds=1, epochs=1, sampler=sampler, search_space=space)
    study_id = submit(database, spec)
    finish(make_runner(database, tmp_path), database, study_id)
    record = queries.find_study(database, study_id)
    assert (record.state, record.counts) == ("complete", {"complete": spec.n_trials})
    trials = queries.trials_frame(database, study_id)
    assert trials["is_default"].tolist() == [True] + [False] * (spec.n_trials - 1)
    assert trials["alpha"].nunique() > 2
    assert unmirrored_studies(database) == []


@pytest.mark.parametrize("pruner", ["successive-halving", "hyperband", "median"])
def test_pruned_trials_count_and_the_rest_go_on(sqlite: Database, tmp_path: Path, pruner: str) -> None:
    study_id = submit(sqlite, make_spec(n_trials=24, n_seeds=1, epochs=9, pruner=pruner))
    finish(make_runner(sqlite, tmp_path, lanes=8), sqlite, study_id)
    counts = queries.find_study(sqlite, study_id).counts
    assert counts.get("pruned", 0) > 0
    assert counts["complete"] > 0
    assert counts["pruned"] + counts["complete"] == 24
    trials = queries.trials_frame(sqlite, study_id)
    assert (trials.loc[trials["state"] == "pruned", "epochs_done"] < 9).all()
    assert trials["objective"].notna().all()


def test_divergence_is_a_result(sqlite: Database, tmp_path: Path) -> None:
    spec = make_spec(n_trials=2, search_space={"alpha": [0.001, 1e38], "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8})
    spec = StudySpec.model_validate({**spec.to_json(), "sampler": "grid", "enqueue": [{"alpha": 1e38}]})
    study_id = submit(sqlite, spec)
    finish(make_runner(sqlite, tmp_path), sqlite, study_id)
    good, bad = (row for _, row in queries.trials_frame(sqlite, study_id).iterrows())
    assert (good["state"], good["diverged"], bad["state"], bad["diverged"]) == ("complete", False, "complete", True)
    rows = curves(sqlite, study_id)
    assert rows[rows["trial"] == bad["trial"]].groupby("replicate")["diverged"].sum().tolist() == [1, 1]
    first = rows[(rows["trial"] == bad["trial"]) & (rows["epoch"] == 0)]["train_loss"].mean()
    assert bad["objective"] == pytest.approx(10 * first)


@pytest.mark.usefixtures("eager_wishes")
def test_pause_checkpoints_and_resume_goes_on_where_it_was(sqlite: Database, tmp_path: Path) -> None:
    study_id = submit(sqlite, make_spec(epochs=6))
    runner = make_runner(sqlite, tmp_path)
    service = Service(sqlite, None)
    _after_epoch(runner, 3, lambda: service.pause(study_id))
    runner.run(study_id)
    record = queries.find_study(sqlite, study_id)
    assert record.state == "paused"
    assert len(list(tmp_path.glob("*.pt"))) == 1
    runner.run(study_id)
    assert queries.find_study(sqlite, study_id).state == "paused"
    before = len(curves(sqlite, study_id))
    service.resume(study_id)
    finish(runner, sqlite, study_id)
    assert before < len(curves(sqlite, study_id)) == 8 * 2 * 7
    assert list(tmp_path.glob("*.pt")) == []


@pytest.mark.usefixtures("eager_wishes")
def test_cancel_ends_a_running_study(sqlite: Database, tmp_path: Path) -> None:
    study_id = submit(sqlite, make_spec(epochs=6))
    runner = make_runner(sqlite, tmp_path, lanes=4)
    service = Service(sqlite, None)
    _after_epoch(runner, 2, lambda: service.cancel(study_id))
    runner.run(study_id)
    record = queries.find_study(sqlite, study_id)
    assert (record.state, record.counts) == ("cancelled", {"cancelled": 8})
    assert unmirrored_studies(sqlite) == []


@pytest.mark.usefixtures("eager_wishes")
def test_deleted_study_is_dropped(sqlite: Database, tmp_path: Path) -> None:
    study_id = submit(sqlite, make_spec(epochs=6))
    runner = make_runner(sqlite, tmp_path)
    _after_epoch(runner, 2, lambda: Service(sqlite, None).delete(study_id))
    runner.run(study_id)
    assert queries.list_studies(sqlite) == ()


def _after_epoch(runner: Runner, epoch: int, act: Callable[[], object]) -> None:
    """Have the runner do something once, when it is asked whether to yield some epochs on."""
    calls = count()

    def must_yield(seconds: float) -> bool:
        if next(calls) == epoch * 13:  # 12 steps and a report an epoch
            act()
        return runner.stopping.is_set()

    runner._must_yield = must_yield  # type: ignore[method-assign]  # stands for the clock


@pytest.mark.usefixtures("eager_wishes")
@pytest.mark.parametrize("damage", ["missing", "truncated", "altered", "foreign"])
def test_damaged_checkpoint_costs_time_and_nothing_else(sqlite: Database, tmp_path: Path, damage: str) -> None:
    spec = make_spec(epochs=4)
    whole, damaged = submit(sqlite, spec), submit(sqlite, spec)
    runner = make_runner(sqlite, tmp_path)
    finish(runner, sqlite, whole)
    _after_epoch(runner, 2, runner.stopping.set)
    runner.run(damaged)
    (checkpoint,) = tmp_path.glob("*.pt")
    if damage == "missing":
        checkpoint.unlink()
    elif damage == "truncated":
        checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    elif damage == "altered":  # wrong numbers among the weights, which torch would take for numbers
        snapshot = torch.load(checkpoint, weights_only=True)
        snapshot["array"]["layers"][0][0].add_(1.0)
        torch.save(snapshot, checkpoint)
    else:
        torch.save({"epoch": 1}, checkpoint)
    finish(make_runner(sqlite, tmp_path), sqlite, damaged)
    pd.testing.assert_frame_equal(curves(sqlite, damaged), curves(sqlite, whole), check_exact=True)


def test_trial_that_fails_is_failed_and_the_others_go_on(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id = submit(sqlite, make_spec(n_trials=4))
    build = ArrayTraining.__init__

    def fails_with_trial_2(self: ArrayTraining, plan: object, *args: object, **kwargs: object) -> None:
        if any(lane.trial == 2 for lane in plan.lanes):  # type: ignore[attr-defined]
            raise RuntimeError("CUDA error: no luck\nwith trial 2")
        build(self, plan, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(ArrayTraining, "__init__", fails_with_trial_2)
    monkeypatch.setattr("worker.runner.AVOID_SECONDS", 0.0)
    runner = make_runner(sqlite, tmp_path)
    finish(runner, sqlite, study_id)
    record = queries.find_study(sqlite, study_id)
    assert (record.state, record.counts) == ("failed", {"complete": 3, "failed": 1})
    monkeypatch.undo()
    assert Service(sqlite, None).retry(study_id) == 1
    finish(runner, sqlite, study_id)
    record = queries.find_study(sqlite, study_id)
    assert (record.state, record.counts) == ("complete", {"complete": 4})
    assert sorted(queries.trials_frame(sqlite, study_id)["trial"]) == [0, 1, 3, 4]
    assert unmirrored_studies(sqlite) == []


def test_array_that_failed_here_is_left_to_others_for_a_while(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id = submit(sqlite, make_spec(n_trials=4))
    broken, whole = make_runner(sqlite, tmp_path), make_runner(sqlite, tmp_path)
    tries: list[float] = []

    def fail(*_: object, **__: object) -> None:
        tries.append(time.monotonic())
        raise RuntimeError("CUDA error: device-side assert triggered")

    with monkeypatch.context() as device:
        device.setattr(ArrayTraining, "__init__", fail)
        device.setattr("worker.runner.AVOID_SECONDS", 1.0)
        while len(tries) < 2:
            broken.run(study_id)
        assert tries[1] - tries[0] > 1.0
        broken.run(study_id)
        assert len(tries) == 2
    whole.run(study_id)
    assert queries.find_study(sqlite, study_id).counts == {"complete": 4}


def test_checkpoints_that_no_array_names_are_swept(sqlite: Database, tmp_path: Path) -> None:
    runner = make_runner(sqlite, tmp_path, lanes=4)
    study_id = submit(sqlite, make_spec(n_trials=2, epochs=2000))
    stop = threading.Timer(1.5, runner.stopping.set)
    stop.start()
    runner.run(study_id)
    stop.join()
    (named,) = tmp_path.glob("*.pt")
    orphans = [tmp_path / f"{study_id}-7-00000000-0123456789abcdef.pt", tmp_path / ".s-gone-7-00000000.pt"]
    fresh = tmp_path / "s-gone-8-00000000-0123456789abcdef.pt"
    for file in (*orphans, fresh):
        file.touch()
    for file in (*orphans, named, tmp_path / "store-id"):
        os.utime(file, (0, 0))
    runner.sweep_checkpoints()
    assert not any(file.exists() for file in orphans)
    assert all(file.exists() for file in (named, fresh, tmp_path / "store-id"))
    Service(sqlite, None).delete(study_id)
    runner.sweep_checkpoints()
    assert not named.exists() and fresh.exists()


def test_extend_adds_the_samplers_next_trials(sqlite: Database, tmp_path: Path) -> None:
    study_id = submit(sqlite, make_spec(n_trials=4, epochs=1))
    whole = submit(sqlite, make_spec(n_trials=6, epochs=1))
    runner = make_runner(sqlite, tmp_path)
    finish(runner, sqlite, study_id)
    Service(sqlite, None).extend(study_id, 2)
    finish(runner, sqlite, study_id)
    finish(runner, sqlite, whole)
    pd.testing.assert_frame_equal(curves(sqlite, study_id), curves(sqlite, whole), check_exact=True)


def test_missing_data_is_told_and_costs_no_trial(sqlite: Database, tmp_path: Path) -> None:
    spec = StudySpec.model_validate({"name": "mnist", "workload": "mnist-logistic", "optimizer": "adam", "n_trials": 2})
    study_id = submit(sqlite, spec)
    make_runner(sqlite, tmp_path).run(study_id)
    record = queries.find_study(sqlite, study_id)
    assert (record.state, record.counts) == ("waiting", {"waiting": 2})
    assert record.problem is not None
    assert "train-images-idx3-ubyte" in record.problem
    assert "nowhere" in record.problem


def test_synthetic_data_need_no_files(sqlite: Database, tmp_path: Path) -> None:
    spec = make_spec(
        workload="mnist-logistic", data="synthetic", n_trials=1, n_seeds=1, epochs=1, search_space={"alpha": 0.1}
    )
    study_id = submit(sqlite, spec, width=1)
    finish(make_runner(sqlite, tmp_path, lanes=1), sqlite, study_id)
    before, after = curves(sqlite, study_id)["train_loss"]
    assert after < before / 2
    shutil.rmtree(tmp_path / "prepared")  # hundreds of megabytes


@pytest.mark.parametrize("measurement", ["choose_block_width", "choose_lanes"])
@pytest.mark.parametrize("error", [MemoryError("no room"), ValueError("cannot be stacked")])
def test_a_measurement_that_fails_is_told_and_costs_no_trial(
    sqlite: Database, tmp_path: Path, measurement: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> int:
        raise error

    monkeypatch.setattr(f"worker.runner.{measurement}", fail)
    study_id = submissions.insert_study(sqlite, make_spec(n_trials=2))
    make_runner(sqlite, tmp_path, lanes=None).run(study_id)
    record = queries.find_study(sqlite, study_id)
    assert (record.state, record.counts) == ("waiting", {"waiting": 2})
    assert record.problem is not None and str(error) in record.problem


@pytest.mark.usefixtures("eager_wishes")
def test_worker_hands_over_when_another_study_waits_and_its_slice_is_over(sqlite: Database, tmp_path: Path) -> None:
    long, short = submit(sqlite, make_spec(epochs=50)), submit(sqlite, make_spec(epochs=1))
    runner = make_runner(sqlite, tmp_path, lanes=4, slice_seconds=0.05)
    runner.run(long)
    assert not queries.find_study(sqlite, long).is_final
    assert {long, short} <= {study.id for study in waiting.studies_with_work(sqlite)}
    finish(runner, sqlite, short)
    runner.run(long)
    counts = queries.find_study(sqlite, long).counts
    assert counts == {"complete": 2, "waiting": 6}, "nobody else waits: what waits of its own is no reason to yield"


def test_study_without_a_worker_goes_before_one_that_has_some(sqlite: Database, tmp_path: Path) -> None:
    """However many messages of the large study are before the small one's."""
    large, small = submit(sqlite, make_spec(n_trials=4)), submit(sqlite, make_spec(n_trials=1))
    other, runner = make_runner(sqlite, tmp_path, lanes=2), make_runner(sqlite, tmp_path, lanes=2)
    assert claims.claim(sqlite, large, other.worker, lanes=2) is not None
    runner.run(large)
    assert queries.find_study(sqlite, small).is_final
    assert queries.find_study(sqlite, large).counts.get("complete", 0) == 0
    runner.run(large)
    assert queries.find_study(sqlite, large).counts.get("complete", 0) > 0


def test_unusable_checkpoint_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceError, match="ADAM_STUDIES_CHECKPOINTS: cannot write"):
        CheckpointStore(tmp_path / "file" / "folder")


def test_stores_of_one_folder_have_one_name(tmp_path: Path) -> None:
    first, second, other = (CheckpointStore(tmp_path / name) for name in ("a", "a", "b"))
    assert first.name == second.name != other.name


def test_replicate_that_diverged_before_a_hand_over_is_not_waited_for(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One replicate diverges, the array is handed over, then the other diverges: the trial must end."""
    study_id = submit(sqlite, make_spec(n_trials=2, epochs=6))
    metrics = ArrayTraining._metrics

    def diverging(self: ArrayTraining, lane: int, *args: Any) -> LaneMetrics:
        found = metrics(self, lane, *args)
        if found.trial == 1 and self._epoch == 2 + 2 * found.replicate:
            return LaneMetrics(found.trial, found.replicate, diverged=True)
        return found

    monkeypatch.setattr(ArrayTraining, "_metrics", diverging)
    monkeypatch.setattr("worker.session.WISH_SECONDS", 0.0)
    monkeypatch.setattr("worker.training.TICK_SECONDS", 0.0)
    runner = make_runner(sqlite, tmp_path)
    _after_epoch(runner, 3, runner.stopping.set)
    runner.run(study_id)
    assert not queries.find_study(sqlite, study_id).is_final
    finish(make_runner(sqlite, tmp_path), sqlite, study_id)
    diverged = curves(sqlite, study_id).query("diverged")
    assert diverged[["trial", "replicate", "epoch"]].to_numpy().tolist() == [[1, 0, 2], [1, 1, 4]]
    assert queries.find_study(sqlite, study_id).counts == {"complete": 2}


def test_cancelled_study_ends_though_its_worker_is_dead_and_its_data_are_missing(
    sqlite: Database, tmp_path: Path
) -> None:
    spec = StudySpec.model_validate({"name": "mnist", "workload": "mnist-logistic", "optimizer": "adam", "n_trials": 2})
    study_id = submit(sqlite, spec)
    runner = make_runner(sqlite, tmp_path)
    held = claims.claim(sqlite, study_id, runner.worker, 100)
    assert held is not None
    submissions.wish_cancel(sqlite, study_id)
    with sqlite.write() as connection:
        connection.execute(update(ArrayRow).values(lease_expires_at=now() - 1))
    runner.run(study_id)
    assert queries.find_study(sqlite, study_id).state == "cancelled"


def test_slow_draws_are_committed_and_heed_the_wish(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.adaptive.COMMIT_SECONDS", -1.0)
    study_id = submit(sqlite, make_spec(sampler="tpe", n_trials=20, n_seeds=1))
    runner = make_runner(sqlite, tmp_path)
    stopping = iter([False, False, True])
    monkeypatch.setattr(runner.stopping, "is_set", lambda: next(stopping, False))
    runner.run(study_id)
    drawn = queries.trials_frame(sqlite, study_id)["alpha"].notna().sum()
    assert 0 < drawn < 10, "what was drawn is kept, the rest is left to the next"
    assert curves(sqlite, study_id).empty
    finish(make_runner(sqlite, tmp_path), sqlite, study_id)
    assert queries.find_study(sqlite, study_id).counts == {"complete": 20}
