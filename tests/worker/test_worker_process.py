"""Real Celery worker processes with a real Redis: what is killed, stopped, paused or never rung for still ends well."""

import fcntl
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pytest
import redis

from studies.db import calibrations, queries, submissions
from studies.db.engine import Database, open_database
from studies.dispatch import Bell
from studies.service import Service
from studies.settings import Settings
from tests.factories import make_spec
from tests.processes import running_redis, running_worker, wait_until
from worker.datasets.preparations import PREPARATIONS

LONG = {"n_trials": 8, "n_seeds": 2, "epochs": 150}
FAR = 150  #: epochs of trials after which a study of these is in full course


@pytest.fixture
def stack(sqlite_settings: Settings) -> Iterator[tuple[Settings, Database, Service]]:
    with running_redis(sqlite_settings) as settings:
        db = open_database(settings)
        assert settings.broker_url is not None
        yield settings, db, Service(db, Bell(settings.broker_url))
        db.close()


def submit(service: Service, **overrides: object) -> str:
    study_id = service.submit(make_spec(**overrides))
    calibrations.set_block_width(service.db, study_id, 8)
    return study_id


def epochs_done(db: Database, study_id: str) -> int:
    return queries.find_study(db, study_id).epochs_done


def wait_for_end(db: Database, study_id: str, seconds: float = 90.0) -> None:
    wait_until(lambda: queries.find_study(db, study_id).is_final, seconds)


def curves(db: Database, study_id: str) -> pd.DataFrame:
    frame = queries.curves_frame(db, study_id).drop(columns=["study_id", "seconds"])
    return frame.sort_values(["trial", "replicate", "epoch"]).reset_index(drop=True)


def assert_whole(db: Database, study_id: str, **spec: int) -> None:
    record = queries.find_study(db, study_id)
    assert (record.state, record.counts) == ("complete", {"complete": spec["n_trials"]})
    rows = curves(db, study_id)
    assert len(rows) == spec["n_trials"] * spec["n_seeds"] * (spec["epochs"] + 1)
    assert not rows.duplicated(["trial", "replicate", "epoch"]).any()


def test_killed_worker_loses_nothing_and_changes_nothing(stack: tuple[Settings, Database, Service]) -> None:
    settings, db, service = stack
    study_id = submit(service, **LONG)
    with running_worker(settings, "--lanes", "8") as worker:
        wait_until(lambda: epochs_done(db, study_id) > FAR)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert queries.find_study(db, study_id).state == "running"
    undisturbed = submit(service, **LONG)  # trained while the other's lease runs out
    with running_worker(settings, "--lanes", "16"), running_worker(settings, "--lanes", "4"):
        wait_for_end(db, study_id)
        wait_for_end(db, undisturbed)
    assert_whole(db, study_id, **LONG)
    pd.testing.assert_frame_equal(curves(db, study_id), curves(db, undisturbed), check_exact=True)


def test_sigterm_saves_hands_over_and_ends_within_5_seconds(stack: tuple[Settings, Database, Service]) -> None:
    settings, db, service = stack
    study_id = submit(service, **LONG)
    with running_worker(settings) as worker:
        wait_until(lambda: epochs_done(db, study_id) > FAR)
        worker.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert worker.wait(timeout=20) == 0
        assert time.monotonic() - started < 5
    assert len(list(settings.checkpoint_dir.glob("*.pt"))) == 1
    assert queries.list_workers(db) == ()
    done = epochs_done(db, study_id)
    with running_worker(settings):
        wait_for_end(db, study_id)
    assert_whole(db, study_id, **LONG)
    assert done > FAR
    assert list(settings.checkpoint_dir.glob("*.pt")) == []


def test_sigterm_ends_a_worker_that_prepares_data(stack: tuple[Settings, Database, Service]) -> None:
    settings, db, service = stack
    settings.cache_dir.mkdir(parents=True)
    version = PREPARATIONS["mnist"].version
    with (settings.cache_dir / f"mnist-synthetic-v{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as another worker does that takes its time to prepare them
        study_id = submit(service, workload="mnist-logistic", data="synthetic")
        with running_worker(settings) as worker:
            wait_until(lambda: any(found.study_id == study_id for found in queries.list_workers(db)))
            worker.send_signal(signal.SIGTERM)
            started = time.monotonic()
            assert worker.wait(timeout=20) == 0
            assert time.monotonic() - started < 5
    assert queries.list_workers(db) == ()
    assert queries.find_study(db, study_id).state == "waiting"


def test_wishes_act_within_5_seconds(stack: tuple[Settings, Database, Service]) -> None:
    settings, db, service = stack
    study_id = submit(service, **{**LONG, "epochs": 5000})
    with running_worker(settings):
        wait_until(lambda: epochs_done(db, study_id) > 100)
        service.pause(study_id)
        wait_until(lambda: queries.find_study(db, study_id).state == "paused", 5)
        service.resume(study_id)
        done = epochs_done(db, study_id)
        wait_until(lambda: epochs_done(db, study_id) > done, 15)
        service.cancel(study_id)
        wait_until(lambda: queries.find_study(db, study_id).state == "cancelled", 5)


def test_lost_and_repeated_messages_change_nothing(stack: tuple[Settings, Database, Service]) -> None:
    settings, db, service = stack
    spec = {"n_trials": 8, "n_seeds": 2, "epochs": 10}
    lost, repeated = submit(service, **spec), submit(service, **spec)
    assert settings.broker_url is not None
    with redis.Redis.from_url(settings.broker_url) as client:
        client.flushall()
    with running_worker(settings), running_worker(settings):
        wait_for_end(db, lost)
        wait_for_end(db, repeated)
        again = submissions.insert_study(db, make_spec(**spec))
        for _ in range(30):
            Bell(settings.broker_url).ring(again, "any")
        wait_for_end(db, again)
    for study_id in (lost, repeated, again):
        assert_whole(db, study_id, **spec)


def test_worker_without_a_broker_or_a_database_says_so_in_one_line(sqlite_settings: Settings) -> None:
    nowhere = replace(sqlite_settings, broker_url="redis://127.0.0.1:1/0")
    with running_worker(sqlite_settings) as alone, running_worker(nowhere, "--lanes", "0") as wrong:
        assert (alone.wait(timeout=30), wrong.wait(timeout=30)) == (1, 2)
    logs = [path.read_text() for path in sorted(sqlite_settings.home.glob("worker-*.log"))]
    assert logs[0].count("\n") == 1
    assert "ADAM_STUDIES_BROKER_URL" in logs[0]
    assert logs[1] == "adam-studies worker: argument --lanes: must be at least 1, got 0\n"
