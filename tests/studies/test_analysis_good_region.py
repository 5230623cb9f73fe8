"""The share of the search space that is good, where the good region is planted."""

from dataclasses import replace

import numpy as np
import pytest

from studies.analysis.axes import searched_axes
from studies.analysis.good_region import GoodVolume, good_volume
from studies.analysis.ranking import GOOD_FACTOR, good_region, good_share
from studies.analysis.sensitivity import sensitivity
from studies.analysis.surrogate import fit_table
from studies.analysis.trials import complete_trials
from tests.factories import make_spec
from tests.studies.frames import Setting, decades_from, drawn_study, trials_of

SPACE = {"alpha": {"low": 1e-4, "high": 1.0}, "beta1": {"low": 0.0, "high": 0.999}, "beta2": 0.999, "epsilon": 1e-8}
HALF_WIDTH = (GOOD_FACTOR - 1) ** 0.5  #: of the good region, decades


def valley(setting: Setting) -> float:
    return 1.0 + decades_from(setting["alpha"], 1e-2) ** 2


def bowl(setting: Setting) -> float:
    """Good within an ellipse of this half width along α and three times that along 1−β1."""
    return valley(setting) + decades_from(1 - setting["beta1"], 10**-1.5) ** 2 / 9


def test_the_share_of_evenly_drawn_trials_leaves_the_default_out() -> None:
    spec, trials = drawn_study(lambda setting: 2.0, n_trials=40, search_space=SPACE)
    trials.loc[1:10, "objective"] = 1.0
    table = complete_trials(spec, trials)
    share = good_share(spec, table)
    assert share is not None and share.low is not None and share.high is not None
    assert share.value == pytest.approx(10 / 39)
    assert (share.low, share.high) == pytest.approx((0.1457, 0.4109), abs=1e-4)  # Wilson's of 10 of 39


def test_a_grid_is_counted_and_seeking_or_pruned_studies_have_no_share() -> None:
    alphas = [1e-3, 1e-2, 1e-1, 1.0]
    spec = make_spec(search_space={**SPACE, "alpha": alphas, "beta1": 0.9}, sampler="grid", n_trials=4)
    rows = [{"alpha": alpha, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8} for alpha in alphas]
    found = trials_of(spec, [{**row, "objective": valley(row)} for row in rows])
    share = good_share(spec, complete_trials(spec, found))
    assert share is not None and (share.value, share.low, share.high) == (0.25, None, None)
    for changed in ({"sampler": "tpe"}, {"pruner": "median"}):
        spec, trials = drawn_study(valley, 40, search_space=SPACE)
        assert good_share(spec.model_copy(update=changed), complete_trials(spec, trials)) is None


def test_intervals_of_the_share_cover_the_truth() -> None:
    """Of trials drawn at random from four decades of α; the good region follows the best that a study found."""
    rng = np.random.default_rng(0)
    spec, trials = drawn_study(valley, 64, search_space=SPACE)
    table, covered = complete_trials(spec, trials), 0
    for _ in range(400):
        objective = 1 + rng.uniform(-2, 2, len(table)) ** 2
        truth = (GOOD_FACTOR * objective.min() - 1) ** 0.5 / 2
        share = good_share(spec, replace(table, objective=objective))
        assert share is not None and share.low is not None and share.high is not None
        covered += share.low <= truth <= share.high
    assert covered >= 0.92 * 400


def surrogate_volume(seed: int = 0, noise: float = 0.0) -> GoodVolume:
    """Return what a surrogate says of trials that gather around the optimum as an adaptive sampler's do."""
    rng = np.random.default_rng(seed)
    spec = make_spec(search_space=SPACE, n_trials=100)
    decades = np.concatenate([rng.uniform((-4, -3), (0, 0), (50, 2)), rng.normal((-2, -1.5), 0.4, (50, 2))])
    settings = [{"alpha": 10**x, "beta1": 1 - 10**y, "beta2": 0.999, "epsilon": 1e-8} for x, y in decades]
    rows = [{**setting, "objective": bowl(setting) * np.exp(noise * rng.normal())} for setting in settings]
    table = complete_trials(spec, trials_of(spec, rows))
    return good_volume(fit_table(table, searched_axes(spec)))


def test_a_surrogate_knows_the_volume_where_trials_gather() -> None:
    found = surrogate_volume()
    assert found.message is None and found.share is not None
    assert found.share.value == pytest.approx(np.pi * HALF_WIDTH * 3 * HALF_WIDTH / 12, abs=0.01)
    widths = {extent.parameter: extent.decades.value for extent in found.extents}
    assert widths == pytest.approx({"alpha": 2 * HALF_WIDTH, "beta1": 6 * HALF_WIDTH}, abs=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_intervals_of_a_surrogates_volume_and_widths_cover_the_truth(noise: float) -> None:
    n_repeats, covered = 60, []
    truths = (np.pi * HALF_WIDTH * 3 * HALF_WIDTH / 12, 2 * HALF_WIDTH, 6 * HALF_WIDTH)
    for seed in range(n_repeats):
        found = surrogate_volume(seed, noise)
        assert found.share is not None
        ends = [(one.low or 0.0, one.high or 0.0) for one in (found.share, *(one.decades for one in found.extents))]
        covered.append([low <= truth <= high for (low, high), truth in zip(ends, truths, strict=True)])
    assert np.mean(covered, axis=0).min() >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / n_repeats)


def test_nothing_is_within_a_tenth_of_a_best_that_is_not_above_0() -> None:
    spec, trials = drawn_study(lambda setting: bowl(setting) - 5, 40, search_space=SPACE)
    table = complete_trials(spec, trials)
    assert (good_region(table, "alpha"), good_share(spec, table)) == (None, None)
    found = good_volume(fit_table(table, searched_axes(spec)))
    assert found.message == "The best objective is not above 0: nothing is within 10 % of it."


def test_what_a_surrogate_needs_is_told() -> None:
    spec, trials = drawn_study(bowl, 40, search_space=SPACE)
    few = sensitivity(spec, complete_trials(spec, trials.head(12)))
    assert (few.n_missing, few.r2) == (18, None)
    for part in (few.variance, few.tunability, few.good_volume):
        assert part.message == "A surrogate needs 18 more complete trials (30 in all)."
    same = sensitivity(spec, complete_trials(spec, trials.assign(objective=2.0)))
    assert same.variance.message == "All trials have the same objective: nothing explains it."
    rng = np.random.default_rng(0)
    noise = sensitivity(spec, complete_trials(spec, trials.assign(objective=rng.random(40))))
    assert noise.r2 is not None and noise.r2 < 0.7
    assert noise.good_volume.share is None and noise.tunability.all is None
    whole = sensitivity(spec, complete_trials(spec, trials))
    assert whole.r2 is not None and whole.r2 > 0.9
    assert [one.parameter for one in whole.variance.values] == ["alpha", "beta1"]
    infinite = trials.assign(objective=trials["objective"].where(trials["objective"] < 3, np.inf))
    assert sensitivity(spec, complete_trials(spec, infinite)).variance.values[0].parameter == "alpha"
