import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies.analysis.axes import searched_axes
from studies.analysis.fates import divergence, trial_survival
from studies.analysis.shares import binned_share, wilson, wilson_bounds
from tests.factories import make_spec
from tests.studies.frames import drawn_study


def test_wilsons_interval_of_known_shares() -> None:
    found = wilson(5, 10)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.2366, 0.7634), abs=1e-4)
    none = wilson(0, 10)
    assert (none.low, none.high) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(0, 0).low is None
    few = wilson(1, 60)
    assert few.low == pytest.approx(-np.log(0.95) / 60), "a Poisson count of 1 or more has a chance of 5 % there"
    assert few.high == pytest.approx(0.0886, abs=1e-4)
    most = wilson(59, 60)
    assert most.low is not None and most.high is not None
    assert (1 - most.high, 1 - most.low) == pytest.approx((few.low, few.high))


@pytest.mark.parametrize("n", [3, 8, 24, 50, 51, 128])
def test_intervals_of_shares_cover_19_in_20_on_average_and_no_share_much_less(n: int) -> None:
    """By the binomial distribution, exactly; Wilson's without correction covers 83 to 89 % of some."""
    hits, shares = np.arange(n + 1.0), np.linspace(0, 1, 2_001)[1:-1]
    low, high = (ends[:, None] for ends in wilson_bounds(hits, np.full(n + 1, float(n))))
    chances = stats.binom.pmf(hits[:, None], n, shares)
    covered = np.sum(chances * ((low <= shares) & (shares <= high)), axis=0)
    assert covered.mean() >= 0.95
    assert covered.min() >= 0.91


def test_intervals_of_bins_cover_19_in_20_on_average_over_bins() -> None:
    """Of trials that diverge the likelier the greater α, a share of positions x² that a bin averages in closed form."""
    axis, rng, covered = searched_axes(make_spec())[0], np.random.default_rng(0), []
    for _ in range(600):
        positions = rng.random(128)
        found = binned_share(axis, axis.at(positions), rng.random(128) < positions**2)
        left, right = axis.positions(found.left), axis.positions(found.right)
        truth = (right**3 - left**3) / (3 * (right - left))
        covered.append(np.mean((found.low <= truth) & (truth <= found.high)))
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)


def test_trials_end_by_divergence_or_by_being_pruned() -> None:
    states = ["complete", "complete", "pruned", "running", "failed", "waiting"]
    trials = pd.DataFrame({"trial": range(6), "state": states, "epochs_done": [10, 10, 4, 6, 3, 0]})
    at = pd.DataFrame({"trial": [1], "epoch": [2]})
    found = trial_survival(trials, at)
    assert (found.n, found.n_events, found.times.tolist()) == (5, 2, [2.0, 4.0])
    np.testing.assert_allclose(found.share, [4 / 5, 4 / 5 * 2 / 3])  # the failed one left at 3
    alone = trial_survival(trials, at, counts_pruned=False)
    assert alone.times.tolist() == [2.0]


def test_divergence_lies_where_it_was_planted() -> None:
    spec, trials = drawn_study(lambda setting: 1.0, n_trials=400)
    trials = trials.assign(diverged=(trials["alpha"] > 1e-3).astype("boolean"))
    found = divergence(spec, trials)
    share = found.axes[0].share  # α from 1e-5 to 0.1: the middle of twelve bins is 1e-3
    assert share.n.sum() == 400
    assert share.share[share.right < 0.99e-3].max() == 0.0
    assert share.share[share.left > 1.01e-3].min() == 1.0
    other = found.axes[1].share
    assert np.all((other.low < 0.5) & (0.5 < other.high) | (np.abs(other.share - 0.5) < 0.3))
    assert found.overall.value == pytest.approx(0.5, abs=0.08)


def test_bins_have_the_width_of_the_scale_and_lists_a_bin_a_value() -> None:
    (axis, *_) = searched_axes(make_spec())
    found = binned_share(axis, np.geomspace(1e-5, 0.1, 33), np.zeros(33, dtype=np.bool_))
    np.testing.assert_allclose(found.right / found.left, 10.0)  # four decades, four bins of eight trials
    spec = make_spec(search_space={"alpha": [0.1, 0.01, 0.001]})
    listed = binned_share(searched_axes(spec)[0], np.array([0.1, 0.01, 0.1]), np.array([True, False, False]))
    assert (listed.left.tolist(), listed.n.tolist(), listed.share.tolist()) == ([0.01, 0.1], [1, 2], [0.0, 0.5])


def test_no_trial_has_ended() -> None:
    spec, trials = drawn_study(lambda setting: 1.0, n_trials=3)
    found = divergence(spec, trials.assign(state="running"))
    assert (found.n_trials, found.axes, found.overall.low) == (0, (), None)
