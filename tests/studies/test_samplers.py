"""Settings: a function of seed and number where they should be, inside the space, and adaptive where they should be."""

import math
from typing import Any

import pytest

from studies.parameters import complement
from studies.pruners import judge
from studies.samplers import PastTrial, draw_adaptive, draw_settings
from studies.search_space import contains, distributions, from_optuna, to_optuna
from studies.spec import StudySpec
from tests.factories import make_spec

MIXED = {"beta2": [0.99, 0.999, 0.9999], "epsilon": 1e-8, "beta1": {"low": 0.5, "high": 0.9, "scale": "linear"}}


@pytest.mark.parametrize("sampler", ["random", "qmc"])
@pytest.mark.parametrize("space", [{}, MIXED])
def test_drawn_settings_are_a_function_of_seed_and_number(sampler: str, space: dict[str, Any]) -> None:
    spec = make_spec(sampler=sampler, search_space=space, n_trials=40, enqueue=[{"alpha": 0.05}])
    settings = draw_settings(spec)
    assert len(settings) == 40
    assert settings[:2] == spec.first_settings
    assert all(contains(spec.search_space, setting) is None for setting in settings)
    assert draw_settings(spec, 60)[:40] == settings
    assert draw_settings(spec.model_copy(update={"seed": 1}))[2:] != settings[2:]
    assert len({setting["alpha"] for setting in settings}) == 40


def test_quasi_random_settings_fill_the_space_more_evenly_than_chance_would() -> None:
    spec = make_spec(sampler="qmc", n_trials=65)
    drawn = draw_settings(spec)[1:]
    quarters = [int((math.log10(setting["alpha"]) + 5) / 4 * 8) for setting in drawn]
    assert [quarters.count(eighth) for eighth in range(8)] == [8] * 8


def test_grid_tries_every_point_once_and_the_default_first() -> None:
    space = {"alpha": [0.01, 0.001], "beta1": [0.0, 0.9], "beta2": [0.99, 0.999], "epsilon": 1e-8}
    spec = StudySpec.model_validate(
        {"name": "g", "workload": "digits-logistic", "optimizer": "adam", "sampler": "grid", "search_space": space}
    )
    settings = draw_settings(spec)
    assert settings[0] == spec.default_setting
    assert len({tuple(setting.items()) for setting in settings}) == len(settings) == 8


def test_constants_only_are_one_trial() -> None:
    constants = {"alpha": 0.1, "beta1": 0.5, "beta2": 0.9, "epsilon": 0.1}
    assert draw_settings(make_spec(search_space=constants, n_trials=1)) == [constants]


@pytest.mark.parametrize("sampler", ["tpe", "gp", "cmaes"])
def test_adaptive_samplers_learn(sampler: str) -> None:
    n_trials = 32 if sampler == "gp" else 48  # its draws take long
    spec = make_spec(sampler=sampler, n_trials=n_trials)
    assert draw_settings(spec) == [spec.default_setting]
    history: list[PastTrial] = []
    for first in range(0, n_trials, 4):
        drawn = list(draw_adaptive(spec, history, range(first, first + 4)))
        again = list(draw_adaptive(spec, history, range(first, first + 4)))
        assert drawn == again, "a function of history, seed and number"
        for number, found in enumerate(drawn, first):
            params = to_optuna(spec.search_space, found.setting)
            value = (math.log10(found.setting["alpha"]) + 2) ** 2
            history.append(PastTrial(number, "complete", params, value, found.attrs))
    values = [past.objective or 0.0 for past in history]
    assert sum(values[-n_trials // 4 :]) < 0.5 * sum(values[: n_trials // 4])


def test_pruned_and_running_trials_are_seen() -> None:
    spec = make_spec(sampler="tpe", n_trials=48)
    params = to_optuna(spec.search_space, spec.default_setting or {})
    states = ["complete"] * 11 + ["pruned", "running", "failed", "cancelled"]
    history = [PastTrial(i, state, params, 1.0, {}) for i, state in enumerate(states)]
    history.append(PastTrial(15, "waiting", None, None, {}))
    assert len(list(draw_adaptive(spec, history, [16]))) == 1


@pytest.mark.parametrize("value", [0.9, 0.999, 0.9999, 0.0, 0.123456789012345])
def test_one_minus_beta_goes_there_and_back(value: float) -> None:
    assert complement(complement(value)) == value


def test_optuna_sees_one_minus_beta() -> None:
    spec = make_spec(search_space={"beta1": {"low": 0.0, "high": 0.999}, "beta2": [0.999]})
    found = distributions(spec.search_space)
    assert (found["one_minus_beta1"].low, found["one_minus_beta1"].high) == (0.001, 1.0)  # type: ignore[attr-defined]
    assert found["one_minus_beta2"].choices == (0.001,)  # type: ignore[attr-defined]
    setting = {"alpha": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    assert from_optuna(spec.search_space, to_optuna(spec.search_space, setting)) == setting


@pytest.mark.parametrize("pruner", ["successive-halving", "hyperband", "median"])
def test_pruners_end_the_worse_trials(pruner: str) -> None:
    spec = make_spec(pruner=pruner, n_trials=30, epochs=9)
    params = to_optuna(spec.search_space, spec.default_setting or {})
    values = {i: {1: float(i % 15)} for i in range(30)}
    early = [PastTrial(i, "running", params, None, {}) for i in range(15)]
    attrs = {i: verdict.attrs for i, verdict in judge(spec, early, values, range(15)).items()}
    ended = [PastTrial(i, "complete", params, float(i), attrs[i]) for i in range(15)]
    late = [PastTrial(i, "running", params, None, {}) for i in range(15, 30)]
    verdicts = judge(spec, ended + late, values, range(15, 30))
    pruned = [number for number, verdict in verdicts.items() if verdict.is_pruned]
    kept = [number for number in verdicts if number not in pruned]
    assert pruned
    assert 15 in kept, "the best stays"
    assert sum(pruned) / len(pruned) > sum(kept) / len(kept)
