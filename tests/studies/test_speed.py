"""How long a study will take, from how long others took."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from studies.db.engine import Database
from studies.db.models import TrialRow
from studies.db.speed import Speed, measured_speeds, speeds_of, worker_seconds
from tests.factories import insert_study, make_spec

START = datetime(2026, 1, 1, tzinfo=UTC)


def set_time(database: Database, study_id: str, seconds: float) -> None:
    """Let every trial of the study begin at once and end so much later."""
    with database.write() as connection:
        own = update(TrialRow).where(TrialRow.study_id == study_id)
        connection.execute(own.values(started_at=START, finished_at=START + timedelta(seconds=seconds)))


@pytest.mark.parametrize(
    ("held_seconds", "expected"),
    [
        (0.0, 0.25),  # whole seconds may say nothing; each epoch of a run was trained for 0.25 s
        (40.0, 40.0 / (8 * 2 * 5)),  # evaluation and recording come on top
        (1e6, 4 * 0.25),  # it was paused over a weekend
    ],
)
def test_an_epoch_takes_what_its_array_held_the_worker_for(
    database: Database, held_seconds: float, expected: float
) -> None:
    set_time(database, insert_study(database), held_seconds)
    insert_study(database, make_spec(workload="digits-mlp"), trials=0)
    (speed,) = measured_speeds(database)
    assert (speed.workload, speed.batch_size, speed.device, speed.n_trials) == ("digits-logistic", 128, "CPU", 8)
    assert speed.epoch_seconds == pytest.approx(expected)


def test_diverged_and_running_trials_say_nothing(database: Database) -> None:
    insert_study(database, states={4: "running", 5: "failed", 6: "pruned"}, diverged=[0, 1])
    (speed,) = measured_speeds(database)
    assert speed.n_trials == 3


def test_only_the_same_workload_and_batch_size_count(database: Database) -> None:
    insert_study(database)
    speeds = measured_speeds(database)
    assert speeds_of(make_spec(optimizer="adamax", n_trials=100), speeds) == speeds
    assert not speeds_of(make_spec(batch_size=64), speeds) and not speeds_of(make_spec(workload="digits-mlp"), speeds)


def test_the_work_of_a_suite() -> None:
    speeds = [Speed("digits-logistic", 128, "cpu", 0.5, 8), Speed("digits-mlp", 128, "cpu", 2.0, 8)]
    speeds.append(Speed("digits-mlp", 128, "NVIDIA H200", 0.1, 8))
    logistic, mlp = make_spec(), make_spec(workload="digits-mlp", n_trials=4, epochs=10)
    assert worker_seconds([mlp], speeds) == pytest.approx({"cpu": 4 * 2 * 10 * 2.0, "NVIDIA H200": 4 * 2 * 10 * 0.1})
    assert worker_seconds([logistic, mlp], speeds) == pytest.approx({"cpu": 8 * 2 * 5 * 0.5 + 160.0})
    assert worker_seconds([make_spec(batch_size=32)], speeds) == {}
