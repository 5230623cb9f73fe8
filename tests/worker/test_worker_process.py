"""Real Celery worker processes with a real Redis: what is killed, stopped, paused or never rung for still ends well."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
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

LONG = {"n_trials": 16, "n_seeds": 2, "epochs": 150}


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
    with running_worker(settings, "--lanes", "16") as worker:
        wait_until(lambda: epochs_done(db, study_id) > 300)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert queries.find_study(db, study_id).state == "running"
    with ExitStack() as workers:
        for lanes in ("48", "16", "4"):
            workers.enter_context(running_worker(settings, "--lanes", lanes))
        wait_for_end(db, study_id)
    assert_whole(db, study_id, **LONG)
    undisturbed = submit(service, **LONG)
    with running_worker(settings):
        wait_for_end(db, undisturbed)
    pd.testing.assert_frame_equal(curves(db, study_id), curves(db, undisturbed), check_exact=True)


def test_sigterm_saves_hands_over_and_ends_within_5_seconds(stack: tuple[Settings, Database, Service]) -> None:
    settings, db, service = stack
    study_id = submit(service, **LONG)
    with running_worker(settings) as worker:
        wait_until(lambda: epochs_done(db, study_id) > 300)
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
    assert done > 300
    assert list(settings.checkpoint_dir.glob("*.pt")) == []


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
    spec = {"n_trials": 8, "n_seeds": 2, "epochs": 30}
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
    with running_worker(sqlite_settings) as worker:
        assert worker.wait(timeout=30) == 1
    with running_worker(replace(sqlite_settings, broker_url="redis://127.0.0.1:1/0"), "--lanes", "0") as worker:
        assert worker.wait(timeout=30) == 2
    logs = [path.read_text() for path in sorted(sqlite_settings.home.glob("worker-*.log"))]
    assert logs[0].count("\n") == 1
    assert "ADAM_STUDIES_BROKER_URL" in logs[0]
    assert logs[1] == "adam-studies worker: argument --lanes: must be at least 1, got 0\n"
