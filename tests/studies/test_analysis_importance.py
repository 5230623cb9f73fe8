import time

import numpy as np
import optuna
import pytest

from studies.analysis.importance import importances
from studies.search_space import distributions, to_optuna
from tests.studies.frames import Setting, decades_from, drawn_study, trials_of


def only_alpha(setting: Setting) -> float:
    return 0.1 + decades_from(setting["alpha"], 1e-2) ** 2


def alpha_and_beta1(setting: Setting) -> float:
    return 0.1 + decades_from(setting["alpha"], 1e-2) ** 2 + decades_from(1 - setting["beta1"], 1e-1) ** 2


def test_a_planted_optimum_is_found() -> None:
    found = importances(*drawn_study(only_alpha))
    assert found.values[0].parameter == "alpha"
    first, *others = (one.share for one in found.values)
    assert first.value > 0.8
    assert first.low is not None and first.low > max(other.high or 0.0 for other in others)
    assert sum(one.share.value for one in found.values) == pytest.approx(1.0)
    assert (found.n_missing, found.message) == (0, None)


def test_another_planted_optimum_is_found_on_its_own_scale() -> None:
    spec, trials = drawn_study(lambda setting: decades_from(1 - setting["beta2"], 1e-3))
    assert importances(spec, trials).values[0].parameter == "beta2"


def test_shares_are_those_of_stock_optuna() -> None:
    spec, trials = drawn_study(alpha_and_beta1, n_trials=60)
    study, space = optuna.create_study(), distributions(spec.search_space)
    for row in trials.to_dict("records"):
        params = to_optuna(spec.search_space, {name: row[name] for name in spec.search_space})
        study.add_trial(optuna.create_trial(params=params, distributions=space, value=row["objective"]))
    stock = optuna.importance.get_param_importances(study)
    found = {one.parameter: one.share.value for one in importances(spec, trials).values}
    names = {"beta1": "one_minus_beta1", "beta2": "one_minus_beta2"}
    assert found == pytest.approx({name: stock[names.get(name, name)] for name in found}, rel=1e-12)


def test_intervals_repeat_with_the_seed_and_hold_the_shares() -> None:
    spec, trials = drawn_study(alpha_and_beta1)
    found = importances(spec, trials)
    assert found == importances(spec, trials.sample(frac=1, random_state=3))
    assert found != importances(spec, trials, seed=1)
    for one in found.values:
        assert one.share.low is not None and one.share.high is not None
        assert 0 <= one.share.low <= one.share.value <= one.share.high <= 1
        assert one.share.high - one.share.low > 0.02


@pytest.mark.parametrize(("n_complete", "n_missing"), [(0, 30), (1, 29), (29, 1), (30, 0)])
def test_below_30_complete_trials_only_their_lack_is_told(n_complete: int, n_missing: int) -> None:
    spec, trials = drawn_study(only_alpha, n_trials=40)
    trials.loc[n_complete:, "state"] = "running"
    found = importances(spec, trials)
    assert found.n_missing == n_missing
    assert bool(found.values) == (n_missing == 0)
    expected = f"Importances need {n_missing} more complete trials (30 in all)." if n_missing else None
    assert found.message == expected


def test_constants_have_no_importance() -> None:
    space = {"alpha": {"low": 1e-5, "high": 0.1}, "beta1": 0.9, "beta2": [0.99, 0.999], "epsilon": 1e-8}
    found = importances(*drawn_study(only_alpha, search_space=space))
    assert [one.parameter for one in found.values] == ["alpha", "beta2"]
    one = {"alpha": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    none = importances(*drawn_study(only_alpha, n_trials=1, search_space=one))
    assert (none.values, none.n_missing, none.message) == ((), 0, "No hyperparameter is searched.")


def test_trials_that_are_all_the_same_tell_nothing() -> None:
    found = importances(*drawn_study(lambda setting: 23.0))
    assert found.values == ()
    assert found.message == "Importances need more than a tenth of the trials to be better than the worst."


def test_an_infinite_objective_is_the_worst_not_absent() -> None:
    spec, trials = drawn_study(only_alpha)
    infinite, capped = trials.copy(), trials.copy()
    bad = trials["objective"] > trials["objective"].quantile(0.8)
    infinite.loc[bad, "objective"], capped.loc[bad, "objective"] = np.inf, 1e6
    assert importances(spec, infinite) == importances(spec, capped)


def test_intervals_of_128_trials_take_less_than_2_seconds() -> None:
    spec, trials = drawn_study(alpha_and_beta1)
    start = time.process_time()
    importances(spec, trials)
    assert time.process_time() - start < 2.0


FREE = {"low": 1e-10, "high": 1e-2}
BOX = {"alpha": {"low": 1e-4, "high": 1.0}, "beta1": 0.9, "beta2": {"low": 0.9, "high": 0.9999}, "epsilon": FREE}
BOX_SHARES = {"alpha": 0.8, "beta2": 0.2, "epsilon": 0.0}


def box(setting: Setting) -> float:
    """A loss whose best tenth fills a fifth of the range of α and half of that of 1−β2.

    Densities there are 5 and 2 times those of all trials, so the divergences are 5 - 1 and 2 - 1: shares of 4 and 1.
    """
    return 1 + max(5 * decades_from(setting["alpha"], 1e-2) / 4, 2 * decades_from(1 - setting["beta2"], 10**-2.5) / 3)


def test_shares_of_a_box_are_those_of_closed_form() -> None:
    found = importances(*drawn_study(box, n_trials=4_000, search_space=BOX))
    for one in found.values:
        assert one.share.value == pytest.approx(BOX_SHARES[one.parameter], abs=0.05)
    assert found.values[-1].share.low == 0.0, "ε has no effect, and its interval says so"


@pytest.mark.parametrize(
    ("n_repeats", "n_trials"), [(8, 40), *(pytest.param(50, n, marks=pytest.mark.slow) for n in (40, 100))]
)
def test_intervals_cover_the_shares_of_closed_form(n_repeats: int, n_trials: int) -> None:
    covered = []
    for seed in range(n_repeats):
        found = importances(*drawn_study(box, n_trials, search_space=BOX, seed=seed))
        ends = {one.parameter: (one.share.low, one.share.high) for one in found.values}
        covered.append(
            [(ends[name][0] or 0.0) <= share <= (ends[name][1] or 0.0) for name, share in BOX_SHARES.items()]
        )
    assert np.mean(covered, axis=0).min() >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / n_repeats)


def test_adamax_without_epsilon() -> None:
    spec, trials = drawn_study(only_alpha, optimizer="adamax")
    assert {one.parameter for one in importances(spec, trials).values} == {"alpha", "beta1", "beta2"}
    assert importances(spec, trials_of(spec, [])).n_missing == 30
