"""A study that asks for diagnostics has a row for each replicate and epoch, of the updates as they were made."""

from pathlib import Path
from typing import Any

import pytest

from studies.analysis.step_bounds import with_step_bounds
from studies.db import calibrations, queries, submissions
from studies.db.engine import Database
from tests.factories import make_spec
from tests.worker.test_runner import finish, make_runner

SPACE = {"alpha": {"low": 1e-3, "high": 1e-1}, "beta1": 0.9, "beta2": 0.999}
BUDGET: dict[str, Any] = {"n_trials": 3, "n_seeds": 2, "epochs": 3, "search_space": SPACE}


def _trained(db: Database, folder: Path, **changes: Any) -> str:
    study_id = submissions.insert_study(db, make_spec(**{**BUDGET, **changes}))
    calibrations.set_block_width(db, study_id, 4)
    finish(make_runner(db, folder, lanes=64), db, study_id)
    return study_id


def test_a_row_for_each_replicate_and_epoch(database: Database, tmp_path: Path) -> None:
    study_id = _trained(database, tmp_path, diagnostics=True)
    trials = queries.trials_frame(database, study_id)
    found = with_step_bounds(queries.diagnostics_frame(database, study_id), trials)
    places = [(trial, replicate, epoch) for trial in range(3) for replicate in range(2) for epoch in (1, 2, 3)]
    assert list(found[["trial", "replicate", "epoch"]].itertuples(index=False, name=None)) == places
    assert (found["steps"] == found["epoch"] * 12).all()
    assert (found["max_step"] <= found["provable_bound"] * (1 + 1e-4)).all()  # float32
    assert found["epsilon_share"].between(0.0, 1.0).all() and found["signal_to_noise"].gt(0.0).all()
    assert found[["max_step", "update_norm", "weight_norm", "gradient_norm"]].gt(0.0).all(axis=None)
    unobserved = _trained(database, tmp_path, name="unobserved")
    assert len(queries.diagnostics_frame(database, unobserved)) == 0
    losses = [queries.curves_frame(database, study)["train_loss"].tolist() for study in (study_id, unobserved)]
    assert losses[0] == losses[1]  # observing changes no bit
    submissions.delete_study(database, study_id)


def test_rules_without_moments_have_norms_only(database: Database, tmp_path: Path) -> None:
    study_id = _trained(
        database, tmp_path, optimizer="sgd", search_space={"alpha": {"low": 0.1, "high": 1.0}}, diagnostics=True
    )
    found = queries.diagnostics_frame(database, study_id)
    assert found[["signal_to_noise", "epsilon_share"]].isna().all(axis=None)
    assert found[["max_step", "update_norm"]].gt(0.0).all(axis=None)


def test_a_lane_that_diverges_has_rows_as_long_as_its_figures_are_finite(database: Database, tmp_path: Path) -> None:
    space = {**SPACE, "alpha": [1e-2, 1e38], "epsilon": 1e-8}
    study_id = _trained(database, tmp_path, search_space=space, sampler="grid", n_trials=2, diagnostics=True)
    found = queries.diagnostics_frame(database, study_id)
    trials = queries.trials_frame(database, study_id).set_index("trial")
    assert trials["diverged"].sum() == 1
    (diverged,) = trials.index[trials["diverged"]]
    assert set(found["trial"]) == set(trials.index) - {diverged}


@pytest.mark.parametrize("optimizer", ["adam", "adamax", "rmsprop"])
def test_averaging_and_weight_decay_are_observed_too(database: Database, tmp_path: Path, optimizer: str) -> None:
    options = {"averaging": "polyak", "weight_decay_mode": "l2"}
    space = {"alpha": {"low": 1e-3, "high": 1e-2}, "weight_decay": 1e-3}
    study_id = _trained(
        database, tmp_path, optimizer=optimizer, options=options, search_space=space, diagnostics=True, n_trials=2
    )
    assert len(queries.diagnostics_frame(database, study_id)) == 2 * 2 * 3
