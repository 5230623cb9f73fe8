"""Workloads of one or two parameters have their positions recorded, a row for each replicate and epoch."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from studies.db import calibrations, queries, submissions
from studies.db.engine import Database
from studies.export import render
from studies.surfaces import SURFACES
from tests.factories import make_spec
from tests.worker.test_runner import finish, make_runner

SPACE = {"alpha": {"low": 1e-2, "high": 1.0}, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}


def _trained(db: Database, folder: Path, workload: str, **changes: Any) -> str:
    budget = {"n_trials": 3, "n_seeds": 2, "epochs": 4, "search_space": SPACE, **changes}
    study_id = submissions.insert_study(db, make_spec(workload=workload, **budget))
    calibrations.set_block_width(db, study_id, 4)
    finish(make_runner(db, folder, lanes=64), db, study_id)
    return study_id


def _places(n_epochs: int) -> list[tuple[int, int, int]]:
    return [(trial, replicate, epoch) for trial in range(3) for replicate in range(2) for epoch in range(n_epochs + 1)]


def test_positions_on_a_surface_are_where_its_loss_is(database: Database, tmp_path: Path) -> None:
    study_id = _trained(database, tmp_path, "surface-ravine")
    found = queries.trajectories_frame(database, study_id)
    assert list(found[["trial", "replicate", "epoch"]].itertuples(index=False, name=None)) == _places(4)
    assert (found["steps"] == found["epoch"]).all() and (found["study"] == "adam-on-digits").all()
    losses = queries.curves_frame(database, study_id)["train_loss"]
    np.testing.assert_allclose(SURFACES["ravine"].value(np, found["x"], found["y"]), losses, rtol=1e-12)
    starts = found[found["epoch"] == 0].groupby("replicate")[["x", "y"]].nunique()
    assert (starts == 1).all(axis=None), "all trials of a seed start from the same point"
    exported = pd.read_csv(io.BytesIO(render(found, "csv")))
    assert exported[["x", "y"]].equals(found[["x", "y"]])
    submissions.delete_study(database, study_id)
    with database.read() as connection:
        assert connection.execute(text("select count(*) from result_trajectories")).scalar_one() == 0


def test_positions_of_one_parameter_have_no_y(database: Database, tmp_path: Path) -> None:
    study_id = _trained(database, tmp_path, "reddi-counterexample", epochs=2)
    found = queries.trajectories_frame(database, study_id)
    assert list(found[["trial", "replicate", "epoch"]].itertuples(index=False, name=None)) == _places(2)
    assert found["y"].isna().all() and found["x"].between(-1.0, 1.0).all()
    assert (found["steps"] == 300 * found["epoch"]).all()
    trials = queries.trials_frame(database, study_id)
    assert trials["test_loss"].isna().all() and (trials["data"] == "real").all()


@pytest.mark.parametrize("workload", ["online-convex", "digits-logistic"])
def test_others_have_no_trajectory(database: Database, tmp_path: Path, workload: str) -> None:
    study_id = _trained(database, tmp_path, workload, epochs=1)
    assert queries.trajectories_frame(database, study_id).empty
    trials = queries.trials_frame(database, study_id)
    assert trials[["train_loss", "test_loss", "test_error"]].notna().all(axis=None)


def test_a_lane_that_diverges_has_positions_up_to_there(database: Database, tmp_path: Path) -> None:
    space = {"alpha": [1e-2, 1e30]}
    study_id = _trained(
        database, tmp_path, "surface-ravine", optimizer="sgd", search_space=space, sampler="grid", n_trials=2
    )
    trials = queries.trials_frame(database, study_id).set_index("trial")
    (diverged,) = trials.index[trials["diverged"]]
    assert trials.loc[diverged, "alpha"] == 1e30
    positions = queries.trajectories_frame(database, study_id)
    mine = positions[positions["trial"] == diverged]
    curves = queries.curves_frame(database, study_id)
    finite = curves[(curves["trial"] == diverged) & ~curves["diverged"]]
    assert list(mine["epoch"]) == list(finite["epoch"]) and np.isfinite(mine[["x", "y"]]).all(axis=None)


@pytest.mark.parametrize("workload", ["surface-noisy-gradients", "surface-cliff", "online-convex"])
def test_calibration_and_curves_hold_for_an_epoch_of_one_update(
    database: Database, tmp_path: Path, workload: str
) -> None:
    """The width is measured, and the curves do not depend on how many lanes an array has."""
    found = []
    for lanes in (None, 4):
        spec = make_spec(workload=workload, n_trials=5, n_seeds=2, epochs=2, search_space=SPACE)
        study_id = submissions.insert_study(database, spec)
        finish(make_runner(database, tmp_path, lanes=lanes), database, study_id)
        assert queries.find_study(database, study_id).state == "complete"
        found.append(queries.curves_frame(database, study_id)["train_loss"].tolist())
    assert found[0] == found[1]
