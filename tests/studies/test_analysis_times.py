"""The time to a target as an objective: steps of each replicate, misses counted as twice the budget."""

from dataclasses import replace

import numpy as np
import pytest

from studies.analysis.importance import importances_of
from studies.analysis.sensitivity import sensitivity
from studies.analysis.targets import TargetTimes
from studies.analysis.times import with_steps_to_target
from studies.analysis.trials import complete_trials
from tests.studies.frames import Setting, decades_from, drawn_study

N_STEPS = 1_000


def distance(setting: Setting) -> float:
    return decades_from(setting["alpha"], 1e-2)


def times_of(steps: dict[tuple[int, int], float | None]) -> TargetTimes:
    """Return the times of replicates {(trial, replicate): steps}; None is a miss after the whole budget."""
    trials, replicates = (np.array(numbers) for numbers in zip(*steps, strict=True))
    reached = np.array([one is not None for one in steps.values()])
    watched = np.array([N_STEPS if one is None else one for one in steps.values()], dtype=np.float64)
    return TargetTimes(trials, replicates, watched / 10, watched, watched / 100, reached)


def test_the_mean_over_replicates_counts_a_miss_as_twice_the_budget() -> None:
    spec, trials = drawn_study(distance, n_trials=3)
    table = complete_trials(spec, trials)
    times = times_of({(0, 0): 100.0, (0, 1): 300.0, (1, 0): 200.0, (1, 1): None, (2, 0): None, (2, 1): None})
    diverged = replace(times, steps=np.where(times.reached, times.steps, np.inf))
    for one in (times, diverged):
        found = with_steps_to_target(table, one, N_STEPS)
        np.testing.assert_array_equal(found.objective, [200.0, 1_100.0, 2_000.0])
        np.testing.assert_allclose(found.std, [20_000**0.5, 1_620_000**0.5, 0.0])
    assert np.isnan(with_steps_to_target(table, times_of({(0, 0): 1.0, (1, 0): 2.0, (2, 0): 3.0}), N_STEPS).std).all()


def test_importances_and_a_surrogate_take_the_time_to_target() -> None:
    spec, trials = drawn_study(lambda setting: 1.0, n_trials=60)
    table = complete_trials(spec, trials)
    steps = [50 * 10 ** decades_from(alpha, 1e-2) for alpha in table.values["alpha"]]
    times = times_of({(trial, 0): (one if one <= N_STEPS else None) for trial, one in enumerate(steps)})
    assert 0.2 < times.reached.mean() < 0.9
    timed = with_steps_to_target(table, times, N_STEPS)
    ranked = importances_of(spec, timed)
    assert ranked.values[0].parameter == "alpha" and ranked.values[0].share.value > 0.8
    assert importances_of(spec, replace(timed, objective=np.where(times.reached, steps, np.inf))) == ranked
    found = sensitivity(spec, timed)
    assert found.is_log and found.variance.values[0].parameter == "alpha"
    assert found.variance.values[0].first.value > 0.9
    assert found.tunability.alone[0].gain.value == pytest.approx(500 - 50, rel=0.2)
