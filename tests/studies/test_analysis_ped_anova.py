"""PED-ANOVA of many resamples at once gives each of them what Optuna's evaluator gives it alone."""

import numpy as np
import optuna
import pytest

from studies.analysis.axes import searched_axes
from studies.analysis.ped_anova import grid_places, ped_anova
from studies.analysis.trials import complete_trials
from studies.search_space import distributions, to_optuna
from tests.studies.frames import Setting, decades_from, drawn_study

SPACE = {
    "alpha": {"low": 1e-5, "high": 1.0, "scale": "log"},
    "beta1": {"low": 0.0, "high": 0.99, "scale": "linear"},
    "beta2": [0.9, 0.99, 0.999, 0.9999],
    "epsilon": 1e-8,
}


def rounded(setting: Setting) -> float:
    """Return an objective with ties, and with an effect of each hyperparameter."""
    return round(decades_from(setting["alpha"], 1e-3) + setting["beta1"] + (setting["beta2"] == 0.99), 1)


@pytest.mark.parametrize("n_trials", [2, 7, 60])
def test_each_resample_has_the_shares_of_stock_optuna(n_trials: int) -> None:
    spec, trials = drawn_study(rounded, n_trials=120, search_space=SPACE)
    table, axes = complete_trials(spec, trials), searched_axes(spec)
    places = np.stack([grid_places(axis, axis.coordinates(table.values[axis.parameter.name])) for axis in axes])
    rows = np.stack([np.random.default_rng(seed).choice(120, n_trials, replace=False) for seed in range(5)])
    found = ped_anova(axes, places[:, rows], table.objective[rows])
    assert found.sum(axis=1) == pytest.approx(np.ones(5), rel=1e-12)
    for shares, chosen in zip(found, rows, strict=True):
        study = optuna.create_study()
        for index in chosen.tolist():
            params, value = to_optuna(spec.search_space, table.setting(index)), float(table.objective[index])
            study.add_trial(
                optuna.create_trial(params=params, distributions=distributions(spec.search_space), value=value)
            )
        stock = optuna.importance.get_param_importances(study)
        assert shares == pytest.approx([stock[axis.parameter.optuna_name] for axis in axes], rel=1e-9)


def test_trials_that_are_all_as_good_have_equal_shares() -> None:
    spec, _ = drawn_study(rounded, n_trials=20, search_space=SPACE)
    axes = searched_axes(spec)
    places = np.zeros((len(axes), 2, 20), dtype=np.int64)
    assert ped_anova(axes, places, np.ones((2, 20))) == pytest.approx(np.full((2, len(axes)), 1 / len(axes)))
