"""What the read side tells of studies, suites and workers: the same on SQLite and PostgreSQL."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import event, insert, select, text, update

from studies.db import submissions
from studies.db.engine import Database, open_database
from studies.db.models import ArrayRow, StudyRow, TrialRow
from studies.db.queries import (
    curves_frame,
    find_study,
    find_suite,
    list_studies,
    list_suites,
    list_workers,
    trials_frame,
)
from studies.db.views import CURVES_COLUMNS, RESULTS_COLUMNS
from studies.errors import NotFoundError
from studies.settings import Settings
from studies.spec import SuiteSpec
from tests.factories import insert_study, insert_suite, insert_worker, make_spec

ALL_ENDED = {0: "complete", 1: "complete", 2: "pruned", 3: "cancelled"}


def set_study(database: Database, study_id: str, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(update(StudyRow).where(StudyRow.id == study_id).values(**values))


def set_trial(database: Database, study_id: str, number: int, **values: Any) -> None:
    with database.write() as connection:
        trial = update(TrialRow).where(TrialRow.study_id == study_id, TrialRow.number == number)
        connection.execute(trial.values(**values))


@contextmanager
def counted_queries(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(*args: Any) -> None:
        statements.append(args[2])

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


def test_a_complete_study(database: Database) -> None:
    spec = make_spec(n_trials=6, n_seeds=3, epochs=4)
    study_id = insert_study(database, spec, diverged=[5])
    record = find_study(database, study_id)
    assert record.spec == spec
    assert (record.id, record.name, record.suite_id, record.suite) == (study_id, "adam-on-digits", None, None)
    assert (record.state, record.is_final, record.fraction) == ("complete", True, 1.0)
    assert (record.counts, record.n_trials, record.n_finished) == ({"complete": 6}, 6, 6)
    assert (record.n_diverged, record.epochs_done) == (1, 6 * 4)
    assert record.created_at.tzinfo is UTC and record.finished_at is not None and record.finished_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - record.finished_at) < timedelta(seconds=30)


def test_the_best_trial_is_the_complete_one_of_least_objective(database: Database) -> None:
    study_id = insert_study(database, states={2: "pruned", 3: "failed"})
    assert (best := find_study(database, study_id)).best_objective == trials_frame(database, study_id).objective.min()
    assert best.best_trial not in (2, 3, None)
    set_trial(database, study_id, 2, objective=1e-3)  # pruned
    set_trial(database, study_id, 7, objective=2e-3)
    set_trial(database, study_id, 6, objective=2e-3)  # of equals the first
    record = find_study(database, study_id)
    assert (record.best_trial, record.best_objective) == (6, 2e-3)
    set_trial(database, study_id, 6, replaced_by=8)
    assert find_study(database, study_id).best_trial == 7


def test_an_objective_that_is_infinite_counts(database: Database) -> None:
    study_id = insert_study(database, make_spec(n_trials=2), trials=2)
    for number in (0, 1):
        set_trial(database, study_id, number, objective=float("inf"))
    assert find_study(database, study_id).best_objective == float("inf")
    assert np.isinf(trials_frame(database, study_id).objective).all()


@pytest.mark.parametrize(
    ("states", "wish", "expected"),
    [
        ({}, "run", "waiting"),
        ({0: "running"}, "run", "running"),
        ({0: "complete"}, "run", "running"),
        (ALL_ENDED, "run", "complete"),
        ({**ALL_ENDED, 1: "failed"}, "run", "failed"),
        ({0: "running"}, "cancel", "cancelling"),
        ({0: "complete", 1: "cancelled"}, "cancel", "cancelled"),
        ({}, "pause", "paused"),
        ({0: "running"}, "pause", "pausing"),
        ({0: "complete"}, "pause", "paused"),
        (ALL_ENDED, "pause", "complete"),
    ],
)
def test_states(database: Database, states: dict[int, str], wish: str, expected: str) -> None:
    study_id = insert_study(database, make_spec(n_trials=4), trials=len(states), states=states)
    set_study(database, study_id, wish=wish)
    assert find_study(database, study_id).state == expected


def test_a_pause_is_over_once_the_lease_is(database: Database) -> None:
    study_id = insert_study(database, states={0: "running"})
    set_study(database, study_id, wish="pause")
    assert find_study(database, study_id).state == "pausing"
    with database.write() as connection:
        connection.execute(update(ArrayRow).values(lease_expires_at=0.0))
    assert find_study(database, study_id).state == "paused"


def test_progress_of_a_running_study(database: Database) -> None:
    study_id = insert_study(database, make_spec(n_trials=4, epochs=6), trials=2, states={1: "running"})
    record = find_study(database, study_id)
    assert record.counts == {"complete": 1, "running": 1, "waiting": 2}
    assert (record.epochs_done, record.fraction) == (6 + 3, 9 / 24)
    assert (record.finished_at, record.best_trial) == (None, 0)


def test_a_running_trial_counts_no_epoch_before_its_first(database: Database) -> None:
    study_id = insert_study(database, states={0: "running"})
    with database.write() as connection:
        connection.execute(update(ArrayRow).values(epoch=-1))
    assert trials_frame(database, study_id).epochs_done[0] == 0


def test_a_replaced_trial_leaves_everything(database: Database) -> None:
    study_id = insert_study(database, states={3: "failed"})
    assert find_study(database, study_id).state == "failed"
    assert submissions.retry_failed(database, [study_id]) == [1]
    record = find_study(database, study_id)
    assert (record.state, record.counts) == ("running", {"complete": 7, "waiting": 1})
    assert list(trials_frame(database, study_id).trial) == [0, 1, 2, 4, 5, 6, 7, 8]
    assert 3 not in set(curves_frame(database, study_id).trial)


def test_studies_are_listed_newest_first_by_a_fixed_number_of_queries(database: Database) -> None:
    ids = [insert_study(database, make_spec(name=f"study-{index}"), trials=1) for index in range(5)]
    for index, study_id in enumerate(ids):
        set_study(database, study_id, created_at=datetime(2026, 1, 1 + index, tzinfo=UTC))
    with counted_queries(database) as statements:
        records = list_studies(database)
    assert [record.id for record in records] == ids[::-1]
    assert records[0].created_at == datetime(2026, 1, 5, tzinfo=UTC)
    assert len([statement for statement in statements if statement.upper().startswith("SELECT")]) == 4
    assert records == tuple(find_study(database, record.id) for record in records)


def test_suites(database: Database) -> None:
    suite_id, alone = insert_suite(database), insert_study(database)
    suite = find_suite(database, suite_id)
    assert (suite.id, suite.name, [study.name for study in suite.studies]) == (
        suite_id,
        "adam-vs-adamax",
        ["adam", "adamax"],
    )
    assert {(study.suite_id, study.suite, study.state) for study in suite.studies} == {
        (suite_id, "adam-vs-adamax", "complete")
    }
    assert list_suites(database) == (suite,)
    frame = trials_frame(database)
    assert set(frame[frame.study_id != alone].suite) == {"adam-vs-adamax"}
    assert frame[frame.study_id == alone].suite.isna().all()


def test_an_empty_database(database: Database) -> None:
    assert (list_studies(database), list_suites(database), list_workers(database)) == ((), (), ())
    assert trials_frame(database).empty


@pytest.mark.parametrize("find", [find_study, trials_frame, curves_frame])
def test_a_study_that_is_not_there(database: Database, find: Callable[[Database, str], object]) -> None:
    with pytest.raises(NotFoundError, match=r"^no study has the id 's-xyz'$"):
        find(database, "s-xyz")


def test_a_suite_is_of_one_moment_however_long_it_takes_to_write(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that listings, newest first, keep its studies in order."""
    insert_trials = submissions._insert_trials

    def slowly(*arguments: Any) -> None:
        time.sleep(1.1)  # the clock of SQLite has whole seconds
        insert_trials(*arguments)

    monkeypatch.setattr(submissions, "_insert_trials", slowly)
    studies = (make_spec(name="a"), make_spec(name="b"))
    suite = find_suite(database, submissions.insert_suite(database, SuiteSpec(suite="slow", studies=studies)))
    assert [study.created_at for study in suite.studies] == [suite.created_at] * 2
    assert [study.name for study in list_studies(database)] == ["a", "b"]


def test_a_suite_that_is_not_there(database: Database) -> None:
    with pytest.raises(NotFoundError, match=r"^no suite has the id 'u-xyz'$"):
        find_suite(database, "u-xyz")


def test_workers(database: Database) -> None:
    insert_worker(database, "w-dead", silent_seconds=40.0)
    insert_worker(database, "w-live", study_id="s-1", silent_seconds=5.0)
    live, dead = list_workers(database)
    assert (live.id, live.is_live, live.study_id, live.is_gpu) == ("w-live", True, "s-1", False)
    assert (dead.id, dead.is_live) == ("w-dead", False)
    assert 5 <= live.seconds_since_heartbeat < 15 < 40 <= dead.seconds_since_heartbeat
    assert live.started_at.tzinfo is UTC


def test_the_frame_of_trials(database: Database) -> None:
    spec = make_spec(n_trials=4, objective="validation_loss")
    study_id = insert_study(database, spec, trials=3, states={1: "running"}, diverged=[2])
    set_trial(database, study_id, 0, other={"momentum": 0.5})
    frame = trials_frame(database, study_id)
    assert list(frame.columns) == list(RESULTS_COLUMNS)
    assert list(frame.state) == ["complete", "running", "complete", "waiting"]
    assert list(frame.is_default) == [True, False, False, False]
    assert frame.diverged.tolist() == [False, pd.NA, True, pd.NA]
    assert frame.other.tolist() == [{"momentum": 0.5}, None, None, None]
    assert frame.epochs_done.tolist() == [5, 2, 5, 0]
    assert set(frame.objective_name) == {"validation_loss"} and frame.bias_correction.all()
    first, curves = frame.iloc[0], curves_frame(database, study_id)
    assert (first.alpha, first.beta1, first.beta2, first.epsilon) == (0.001, 0.9, 0.999, 1e-8)
    last = curves[(curves.trial == 0) & (curves.epoch == 5)]
    assert first.objective == pytest.approx(last.validation_loss.mean(), rel=1e-15)
    assert frame.train_loss[2] is not None and np.isnan(frame.train_loss[2])
    assert frame.started_at[0].tzinfo is not None and frame.finished_at[[1, 3]].isna().all()


def test_the_frame_of_curves(database: Database) -> None:
    study_id = insert_study(database, make_spec(n_trials=2), diverged=[1])
    frame = curves_frame(database, study_id)
    assert list(frame.columns) == [*CURVES_COLUMNS[:2], "data", *CURVES_COLUMNS[2:]]
    assert (frame["data"] == "real").all()
    first = frame[(frame.trial == 0) & (frame.replicate == 1)]
    assert first.epoch.tolist() == [0, 1, 2, 3, 4, 5] and first.steps.tolist() == [0, 12, 24, 36, 48, 60]
    ended = frame[frame.diverged]
    assert ended[["trial", "replicate", "epoch"]].to_numpy().tolist() == [[1, 0, 2]]
    assert np.isnan(ended.train_loss).all()
    assert frame[["trial", "replicate", "epoch"]].apply(tuple, axis=1).is_monotonic_increasing


def test_curves_of_synthetic_data_say_so(database: Database) -> None:
    spec = make_spec(workload="mnist-logistic", data="synthetic", n_trials=1, epochs=1)
    assert set(curves_frame(database, insert_study(database, spec))["data"]) == {"synthetic"}


def test_figures_come_back_bit_for_bit(database: Database) -> None:
    study_id = insert_study(database, trials=1)
    exact = 0.1 + 0.2, 5e-324, 1.7976931348623157e308
    set_trial(database, study_id, 0, train_loss=exact[0], test_loss=exact[1], seconds=exact[2])
    row = trials_frame(database, study_id).iloc[0]
    assert (row.train_loss, row.test_loss, row.seconds) == exact


def test_frames_have_the_same_types_with_and_without_rows(database: Database) -> None:
    empty = trials_frame(database)
    study_id = submissions.insert_study(database, make_spec())
    no_curves = curves_frame(database, study_id)
    full = curves_frame(database, insert_study(database, states={1: "running"}))
    assert empty.dtypes.equals(trials_frame(database).dtypes)
    assert no_curves.empty and no_curves.dtypes.equals(full.dtypes)
    assert str(empty.dtypes["started_at"]) == "datetime64[us, UTC]"


def test_the_views_take_no_part_in_what_adamax_has_not(database: Database) -> None:
    study_id = insert_study(database, make_spec(optimizer="adamax", n_trials=2))
    frame = trials_frame(database, study_id)
    assert frame.epsilon.isna().all() and frame.bias_correction.isna().all()
    with database.read() as connection:
        assert connection.execute(text("select count(*) from results where epsilon is null")).scalar() == 2


def test_two_databases_tell_the_same(sqlite_settings: Settings, postgresql_settings: Settings) -> None:
    first, second = open_database(sqlite_settings), open_database(postgresql_settings)
    study_id = insert_study(first, states={1: "running", 2: "failed", 3: "pruned"}, trials=6, diverged=[4])
    for model in (StudyRow, ArrayRow, TrialRow):
        with first.read() as connection:
            rows = [dict(row._mapping) for row in connection.execute(select(model.__table__))]
        for row in rows:
            row |= {key: value.replace(tzinfo=UTC) for key, value in row.items() if isinstance(value, datetime)}
        with second.write() as connection:
            connection.execute(insert(model), rows)
    pd.testing.assert_frame_equal(trials_frame(first, study_id), trials_frame(second, study_id))
    assert find_study(first, study_id) == find_study(second, study_id)
    first.close()
    second.close()
