"""What the downloads of figures hold: the very numbers that the figures draw."""

import numpy as np
import pandas as pd
import pytest

from studies.analysis.fates import divergence
from studies.analysis.survival import kaplan_meier
from studies.figures.convergence import convergence_data
from studies.figures.entrants import Look
from studies.figures.pair_map import pair_map_data
from studies.figures.sensitivity import sensitivity_data
from studies.figures.survival import survival_data
from studies.figures.tables import (
    convergence_table,
    divergence_table,
    pair_map_table,
    sensitivity_table,
    survival_table,
    trajectories_table,
)
from studies.figures.trajectories import TrajectoriesData, path_of
from tests.studies.frames import drawn_study, make_record

LOOK = Look("Adam", "#0072B2", "circle", "solid")


def test_survival_has_a_row_for_each_step() -> None:
    found = kaplan_meier(np.array([2.0, 3.0, 5.0, 5.0]), np.array([True, True, False, False]))
    table = survival_table(survival_data([(LOOK, found)], "reached", "steps", "trials"))
    assert table["steps"].tolist() == [0.0, 2.0, 3.0, 5.0]
    assert table["share"].tolist() == [0.0, 0.25, 0.5, 0.5]
    assert set(table["series"]) == {"Adam"} and (table["low"] <= table["share"]).all()


def test_bins_of_maps_and_of_divergence_hold_all_trials() -> None:
    spec, trials = drawn_study(lambda setting: 1.0 + setting["alpha"], n_trials=64)
    maps = pair_map_table(pair_map_data(spec, trials))
    assert (maps.groupby(["x", "y"])["n_trials"].sum() == 64).all() and len(maps.groupby(["x", "y"])) == 6
    assert maps.loc[maps["n_trials"] == 0, "mean"].isna().all()
    assert (maps["x_from"] < maps["x_to"]).all() and (maps["y_from"] < maps["y_to"]).all()
    shares = divergence_table(divergence(spec, trials))
    assert (shares.groupby("hyperparameter")["n_trials"].sum() == 64).all()
    assert (shares["share_diverged"] == 0).all() and (shares["high"] > 0).all()


def test_sensitivity_has_a_row_for_each_trial() -> None:
    spec, trials = drawn_study(lambda setting: 1.0 + setting["alpha"], n_trials=64)
    table = sensitivity_table(sensitivity_data(make_record(spec), trials)).set_index("trial")
    by_trial = trials.set_index("trial")
    assert table["α"].tolist() == pytest.approx(by_trial.loc[table.index, "alpha"].tolist())
    assert table["1 − β1"].tolist() == pytest.approx((1 - by_trial.loc[table.index, "beta1"]).tolist())
    assert table["objective"].tolist() == by_trial.loc[table.index, "objective"].tolist()


def test_trajectories_have_a_row_for_each_step_and_nothing_is_an_empty_table() -> None:
    rows = pd.DataFrame(
        {"trial": 0, "replicate": 0, "epoch": [0, 1], "steps": [0, 5], "x": [1.0, 0.5], "y": [2.0, 0.0]}
    )
    data = TrajectoriesData((path_of("best", {}, rows),), None)
    assert trajectories_table(data).to_numpy().tolist() == [["best", 0.0, 1.0, 2.0], ["best", 5.0, 0.5, 0.0]]
    assert trajectories_table(TrajectoriesData((), None)).empty


def test_convergence_has_a_row_for_each_series_and_epoch() -> None:
    spec, trials = drawn_study(lambda setting: 1.0 + setting["alpha"], n_trials=32)
    rows = [
        {"trial": trial, "replicate": 0, "epoch": epoch, "train_loss": 2.0 - epoch, "diverged": False}
        for trial in range(8)
        for epoch in range(2)
    ]
    curves = pd.DataFrame(rows).astype({"diverged": "boolean"})
    table = convergence_table(convergence_data(make_record(spec), trials, curves, n_trials=32))
    median = table[table["series"] == "median of 8 of 32 trials"]
    assert median[["epoch", "median"]].to_numpy().tolist() == [[0, 2.0], [1, 1.0]]
