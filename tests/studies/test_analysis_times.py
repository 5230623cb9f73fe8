"""The time to a target as an objective: half of the replicates reach it, and a miss is later than every time."""

from dataclasses import replace

import numpy as np
import pytest

from studies.analysis.axes import searched_axes
from studies.analysis.estimates import Estimate
from studies.analysis.importance import importances_of
from studies.analysis.ranking import boundary_hits, good_region, rank_default
from studies.analysis.response import marginal_response
from studies.analysis.sensitivity import sensitivity
from studies.analysis.targets import TargetTimes
from studies.analysis.times import with_steps_to_target
from studies.analysis.trials import TrialTable, complete_trials
from studies.spec import StudySpec
from tests.factories import make_spec
from tests.studies.frames import Setting, decades_from, drawn_study, trials_of

N_STEPS = 1_000


def distance(setting: Setting) -> float:
    return decades_from(setting["alpha"], 1e-2)


def times_of(steps: dict[tuple[int, int], float | None]) -> TargetTimes:
    """Return the times of replicates {(trial, replicate): steps}; None is a miss after the whole budget."""
    trials, replicates = (np.array(numbers) for numbers in zip(*steps, strict=True))
    reached = np.array([one is not None for one in steps.values()])
    watched = np.array([N_STEPS if one is None else one for one in steps.values()], dtype=np.float64)
    return TargetTimes(trials, replicates, watched / 10, watched, watched / 100, reached)


def test_half_of_the_replicates_reach_it_and_a_miss_is_infinite() -> None:
    spec, trials = drawn_study(distance, n_trials=3)
    table = complete_trials(spec, trials)
    times = times_of({(0, 0): 100.0, (0, 1): 300.0, (1, 0): 200.0, (1, 1): None, (2, 0): None, (2, 1): None})
    diverged = replace(times, steps=np.where(times.reached, times.steps, np.inf))
    found = with_steps_to_target(table, times)
    np.testing.assert_array_equal(found.objective, [100.0, 200.0, np.inf])
    np.testing.assert_array_equal(with_steps_to_target(table, diverged).objective, found.objective)
    assert (found.quantity, found.horizon, found.missed.tolist()) == ("steps_to_target", N_STEPS, [False, False, True])
    np.testing.assert_array_equal(found.finite_objective, [100.0, 200.0, N_STEPS])  # what was spent, nothing beyond
    assert found.estimate(0) == Estimate(100.0, None, None), "the median of two seeds has no interval"


def test_the_count_that_the_sampler_sees_is_a_miss_here() -> None:
    spec = make_spec(objective="epochs_to_target", target=0.1, epochs=5, n_trials=2)
    default = {"alpha": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    rows = [{**default, "objective": 10.0}, {**default, "alpha": 1e-2, "objective": 3.0}]
    table = complete_trials(spec, trials_of(spec, rows))
    assert (table.objective.tolist(), table.missed.tolist()) == ([np.inf, 3.0], [True, False])
    region = good_region(table, "alpha")
    assert region is not None and region.n_settings == 1
    rank = rank_default(table)
    assert rank is not None and (rank.rank, rank.percentile) == (2, 0.0)
    alone = complete_trials(spec, trials_of(spec, rows[:1]))
    assert alone.is_hopeless and good_region(alone, "alpha") is None
    assert boundary_hits(alone, searched_axes(spec)) == ()


def timed(n_trials: int = 60) -> tuple[StudySpec, TrialTable]:
    """Return a study whose steps to the target are 50 at α = 0.01, ten times more a decade off, of 1,000 watched."""
    spec, trials = drawn_study(lambda setting: 1.0, n_trials=n_trials)
    table = complete_trials(spec, trials)
    steps = [50 * 10 ** decades_from(alpha, 1e-2) for alpha in table.values["alpha"]]
    times = times_of({(trial, 0): (one if one <= N_STEPS else None) for trial, one in enumerate(steps)})
    return spec, with_steps_to_target(table, times)


def test_importances_take_the_time_to_target_and_do_not_ask_how_long_a_miss_is() -> None:
    spec, table = timed()
    assert 0.2 < table.missed.mean() < 0.8
    ranked = importances_of(spec, table)
    assert ranked.values[0].parameter == "alpha" and ranked.values[0].share.value > 0.8
    late = replace(table, objective=np.where(table.missed, 7.0 * N_STEPS, table.objective))
    assert importances_of(spec, late) == ranked


def test_the_response_is_the_median_time_infinite_where_half_miss() -> None:
    spec, table = timed(n_trials=400)
    axis = searched_axes(spec)[0]
    found = marginal_response(axis, table.values["alpha"], table.objective)
    assert found is not None
    truth = 50 * 10 ** np.abs(np.log10(found.coordinates / 1e-2))
    far = truth > 1.5 * N_STEPS
    assert far.any() and np.isinf(found.median[far]).all()
    near = truth < 0.6 * N_STEPS
    assert np.all((found.low <= 1.25 * truth)[near] & (0.8 * truth <= found.high)[near])


def test_a_surrogate_takes_the_steps_spent() -> None:
    spec, table = timed()
    found = sensitivity(spec, table)
    assert (found.quantity, found.is_log) == ("steps_to_target", True)
    assert found.variance.values[0].parameter == "alpha" and found.variance.values[0].first.value > 0.9
    assert found.tunability.alone[0].gain.value == pytest.approx(500 - 50, rel=0.2)
    never = replace(table, objective=np.full(len(table), np.inf))
    assert sensitivity(spec, never).variance.message == "All trials missed the target: nothing explains it."
    assert importances_of(spec, never).values == ()
