"""Optuna's tables hold the same trials, values and states, whoever mirrors and however often."""

import threading
from itertools import count
from typing import Any

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import text, update

from studies.db import mirror as mirror_module
from studies.db.engine import Database, open_database
from studies.db.mirror import forget, mirror, unmirrored_studies
from studies.db.models import StudyRow
from studies.db.queries import find_study, trials_frame
from studies.errors import ServiceError
from studies.parameters import complement
from studies.settings import Settings
from tests.factories import insert_study, make_spec

STATES = {3: "pruned", 4: "failed", 5: "cancelled"}


def load(db: Database, study_id: str) -> list[FrozenTrial]:
    """Return what stock Optuna sees of the study."""
    storage = RDBStorage(db.url)
    try:
        return optuna.load_study(study_name=find_study(db, study_id).optuna_name, storage=storage).trials
    finally:
        storage.remove_session()
        storage.engine.dispose()


def test_optuna_shows_the_same_trials_values_and_states(database: Database) -> None:
    study_id = insert_study(database, states=STATES, diverged=[2])
    mirror(database, study_id)
    ours, theirs = trials_frame(database, study_id), load(database, study_id)
    assert [trial.number for trial in theirs] == list(ours["trial"])
    expected = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
    assert [trial.state for trial in theirs] == [expected.get(state, TrialState.FAIL) for state in ours["state"]]
    for trial, row in zip(theirs, ours.to_dict("records"), strict=True):
        assert trial.params["one_minus_beta1"] == complement(row["beta1"])
        assert trial.params["alpha"] == row["alpha"]
        assert trial.user_attrs["state"] == row["state"]
        if row["state"] == "complete":
            assert trial.value == row["objective"]
            assert trial.intermediate_values[5] == pytest.approx(row["objective"], rel=1e-15)
    best = min((trial for trial in theirs if trial.state == TrialState.COMPLETE), key=lambda trial: trial.value or 0.0)
    assert best.number == find_study(database, study_id).best_trial


def test_mirror_adds_only_what_no_unfinished_trial_precedes(database: Database) -> None:
    study_id = insert_study(database, states={4: "running"})
    mirror(database, study_id)
    assert len(load(database, study_id)) == 4
    assert unmirrored_studies(database) == []


def test_mirror_after_a_crash_adds_nothing_twice(database: Database) -> None:
    study_id = insert_study(database)
    mirror(database, study_id)
    with database.write() as connection:  # as if the process had died before it wrote what it had added
        connection.execute(update(StudyRow).values(n_mirrored=3))
    assert unmirrored_studies(database) == [study_id]
    mirror(database, study_id)
    assert len(load(database, study_id)) == 8
    assert unmirrored_studies(database) == []


def test_mirror_does_not_read_what_optuna_has(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each array that ends would read all trials of its study."""
    study_id = insert_study(database)

    def read_all(*_: object, **__: object) -> None:
        raise AssertionError("all trials were read")

    with monkeypatch.context() as patched:
        patched.setattr(RDBStorage, "get_all_trials", read_all)
        mirror(database, study_id)
    assert len(load(database, study_id)) == 8


def test_mirror_leaves_no_connection_and_says_nothing(
    postgresql_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    database = open_database(postgresql_settings)
    study_id = insert_study(database)
    database.close()
    with caplog.at_level("WARNING"):
        mirror(database, study_id)
    database.close()
    assert caplog.records == []
    with database.read() as connection:
        others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        assert connection.execute(text(others)).scalar_one() == 0
    database.close()


def test_mirrors_at_once_add_nothing_twice(database: Database) -> None:
    study_ids = [insert_study(database, make_spec(n_trials=60, epochs=1)) for _ in range(2)]
    threads = [threading.Thread(target=mirror, args=(database, study_id)) for study_id in study_ids * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for study_id in study_ids:
        mirror(database, study_id)
        assert [trial.number for trial in load(database, study_id)] == list(range(60))


def test_mirror_that_lost_its_lock_adds_nothing_twice(
    postgresql_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, other = open_database(postgresql_settings), open_database(postgresql_settings)
    study_id = insert_study(database)
    pending, final_prefix, calls = mirror_module._pending, mirror_module._final_prefix, count()

    def cut_under_the_lock(*args: Any) -> Any:
        if next(calls) == 1:  # the first look is before the lock
            cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            with other.read() as connection:
                connection.execute(text(f"{cut} and pid <> pg_backend_pid()"))
        return pending(*args)

    def let_another_go_first(*args: Any) -> Any:
        found = final_prefix(*args)
        monkeypatch.undo()
        mirror(other, study_id)
        return found

    monkeypatch.setattr(mirror_module, "_pending", cut_under_the_lock)
    monkeypatch.setattr(mirror_module, "_final_prefix", let_another_go_first)
    with pytest.raises(ServiceError):
        mirror(database, study_id)
    monkeypatch.undo()
    mirror(other, study_id)
    assert [trial.value for trial in load(other, study_id)] == list(trials_frame(other, study_id)["objective"])
    database.close()
    other.close()


def test_database_that_optuna_cannot_use_is_told_in_one_line(sqlite_settings: Settings) -> None:
    database = open_database(sqlite_settings)
    database.close()
    database.file.write_bytes(b"no database" * 1000)
    with pytest.raises(ServiceError, match="file is not a database"):
        forget(database, "a-study")


def test_forget_deletes_the_study(database: Database) -> None:
    study_id = insert_study(database)
    mirror(database, study_id)
    name = find_study(database, study_id).optuna_name
    forget(database, name)
    forget(database, name)
    with pytest.raises(KeyError):
        load(database, study_id)
