"""Best settings compared: chosen on some seeds and judged on the others, paired by seed, transferred."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies.analysis.comparison import compare, over_workloads, ratio_estimate
from studies.analysis.contest import Entrant, against, standing
from studies.analysis.estimates import Estimate
from studies.analysis.finals import Finals, finals_of, finals_of_target, judge, judged_mean
from studies.analysis.targets import TargetTimes
from studies.analysis.transfer import TriedStudy, transfer_matrix
from studies.analysis.trials import complete_trials
from tests.factories import make_spec
from tests.studies.frames import make_record, trials_of

DEFAULTS = {"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}


def finals(values: Any) -> Finals:
    table = np.array(values, dtype=np.float64)
    return Finals("train_loss", np.arange(len(table)), table)


def ends(rows: list[tuple[int, int, float, float, bool]]) -> Any:
    return pd.DataFrame(rows, columns=["trial", "replicate", "first", "last", "diverged"])


def test_a_diverged_replicate_counts_as_the_cap_and_so_does_what_lies_above_it() -> None:
    rows = [(1, 0, 2.0, 0.5, False), (1, 1, 3.0, np.nan, True), (4, 0, 2.0, 90.0, False), (4, 1, 3.0, 1.0, False)]
    found = finals_of(ends([*rows, (7, 0, 2.0, 0.1, False)]), "train_loss", np.array([1, 4]))
    assert found.values.tolist() == [[0.5, 30.0], [20.0, 1.0]]
    assert found.best == 1 and found.means.tolist() == [15.25, 10.5]


def test_a_trial_without_all_its_replicates_is_left_out() -> None:
    rows = [(0, 0, 2.0, 0.1, False), (1, 0, 2.0, 0.5, False), (1, 1, 2.0, 0.7, False)]
    assert finals_of(ends(rows), "train_loss", np.array([0, 1])).numbers.tolist() == [1]
    assert finals_of(ends([]), "train_loss", np.array([0, 1])).best is None


def test_a_missed_target_is_later_than_every_time_and_a_mean_is_of_what_was_watched() -> None:
    times = TargetTimes(*(np.array(a) for a in ([0, 0], [0, 1], [3.0, 5.0], [3.0, 5.0], [3.0, 5.0], [True, False])))
    found = finals_of_target(times, 5, np.array([0]))
    assert found.values.tolist() == [[3.0, np.inf]] and found.means.tolist() == [4.0]


def test_of_missed_targets_there_are_wins_but_no_ratios() -> None:
    first, second = (
        replace(finals([values]), horizon=5.0) for values in ([2.0, np.inf, np.inf, 1.0], [3.0, 4.0, np.inf, np.inf])
    )
    found = compare(first, second)
    assert found is not None and (found.ratio, found.difference) == (None, None)
    assert found.wins.value == (2 + 0.5) / 4
    assert found.settings.value == 1.0  # 13 of 20 epochs against 17
    verdict = judge(replace(finals([[np.inf, 1.0], [4.0, 4.0]]), horizon=5.0))
    assert verdict is not None and verdict.trials.tolist() == [0, 1]


def test_each_half_of_the_seeds_judges_what_the_other_chose() -> None:
    verdict = judge(finals([[0.0, 5.0, 5.0], [1.0, 1.0, 1.0], [5.0, 0.0, 5.0]]))
    assert verdict is not None and verdict.is_fair
    assert verdict.trials.tolist() == [2, 1, 2] and verdict.values.tolist() == [5.0, 1.0, 5.0]
    alone = judge(finals([[2.0], [1.0]]))
    assert alone is not None and (alone.is_fair, alone.trials.tolist(), alone.values.tolist()) == (False, [1], [1.0])


def test_judging_by_other_seeds_takes_the_flattery_out() -> None:
    """All settings are equally good, so the true value of any choice is 1."""
    values = 1 + 0.3 * np.random.default_rng(0).normal(size=(300, 50, 3))
    fair = [one.values.mean() for one in map(judge, map(finals, values)) if one is not None]
    flattered = values.mean(axis=2).min(axis=1)
    assert np.mean(fair) == pytest.approx(1.0, abs=0.02)
    assert np.mean(flattered) < 0.7


def judged_coverage(n_samples: int, n_seeds: int) -> tuple[float, float]:
    """Return how often intervals hold the truth of one study's best and of two studies' difference.

    The truth is the mean of the settings that were chosen, from 1 to 1.3 evenly, where a seed adds noise of 0.3.
    """
    rng, hits = np.random.default_rng(0), []
    truths = 1 + 0.3 * np.arange(30) / 29
    for _ in range(n_samples):
        studies = [finals(truths[:, None] + 0.3 * rng.normal(size=(30, n_seeds))) for _ in range(2)]
        verdicts = [verdict for verdict in map(judge, studies) if verdict is not None]
        means = [truths[verdict.trials].mean() for verdict in verdicts]
        own, found = judged_mean(verdicts[0].values), compare(*studies)
        assert found is not None and found.difference is not None
        hits.append([holds(own, means[0]), holds(found.difference, means[0] - means[1])])
    one, two = np.mean(hits, axis=0)
    return float(one), float(two)


def holds(estimate: Estimate, truth: float) -> bool:
    assert estimate.low is not None and estimate.high is not None
    return estimate.low <= truth <= estimate.high


@pytest.mark.parametrize("n_seeds", [2, 3, 5])
def test_intervals_of_the_best_cover_at_least_19_in_20(n_seeds: int) -> None:
    for found in judged_coverage(400, n_seeds):
        assert found >= 0.95 - three_errors(400)


@pytest.mark.slow
@pytest.mark.parametrize("n_seeds", [2, 3, 5, 10, 20])
def test_intervals_of_the_best_cover_at_least_19_in_20_at_length(n_seeds: int) -> None:
    for found in judged_coverage(3_000, n_seeds):
        assert found >= 0.95 - three_errors(3_000)


def three_errors(n_samples: int) -> float:
    """Return three standard errors of a coverage of 95 % that so many samples count."""
    return float(3 * np.sqrt(0.95 * 0.05 / n_samples))


@pytest.mark.parametrize("n_seeds", [2, 3, 8])
def test_intervals_of_wins_cover_at_least_19_in_20(n_seeds: int) -> None:
    """The truth is how often a seed's noise of 0.3 lets what one study chose win against what the other chose."""
    rng, truths, covered, n = np.random.default_rng(0), 1 + 0.3 * np.arange(30) / 29, [], 300
    for _ in range(n):
        studies = [finals(truths[:, None] + 0.3 * rng.normal(size=(30, n_seeds))) for _ in range(2)]
        first, second = (truths[verdict.trials] for verdict in map(judge, studies) if verdict is not None)
        found = compare(*studies)
        assert found is not None
        covered.append(holds(found.wins, float(stats.norm.cdf((second - first) / (0.3 * 2**0.5)).mean())))
    assert np.mean(covered) >= 0.95 - three_errors(n)


@pytest.mark.parametrize("n_seeds", [2, 3, 8])
def test_intervals_of_ratios_cover_at_least_19_in_20_of_skewed_values(n_seeds: int) -> None:
    """Of lognormal values: their logarithms are compared."""
    rng, n = np.random.default_rng(0), 1_000
    values = rng.lognormal(sigma=1.0, size=(n, 2, n_seeds))
    found = [ratio_estimate(left, right) for left, right in values]
    assert np.mean([one is not None and holds(one, 1.0) for one in found]) >= 0.95 - three_errors(n)


def test_planted_pairs() -> None:
    noise = np.array([0.8, 1.0, 1.3])
    found = compare(finals([9 * noise, 2 * noise]), finals([4 * noise, 7 * noise]))
    assert found is not None and found.ratio is not None
    assert (found.ratio.low, found.ratio.value, found.ratio.high) == pytest.approx((0.5, 0.5, 0.5))
    assert found.difference is not None and found.difference.value == pytest.approx(np.mean(-2 * noise))
    assert (found.wins.value, found.n_pairs, found.is_fair) == (1.0, 3, True)
    assert found.settings.value == 0.5 and found.cliffs_delta.value == 0.0  # 2 is below both, 9 above both


def entrant(label: str, **overrides: Any) -> Entrant:
    """Return a study of three settings, the second of which is best."""
    spec = make_spec(n_trials=3, **overrides)
    values = [[3.0, 3.2, 3.1], [1.0, 1.4, 1.2], [2.0, 2.2, 2.1]]
    rows = [{**DEFAULTS, "alpha": 10.0**place, "objective": np.mean(one)} for place, one in enumerate(values, -3)]
    return Entrant(make_record(spec), label, complete_trials(spec, trials_of(spec, rows)), finals(values))


def test_settings_that_a_sampler_chose_by_results_have_no_interval() -> None:
    one = entrant("one")
    others = [entrant("drawn"), entrant("sought", sampler="tpe"), entrant("pruned", pruner="median")]
    found = against(one, others)
    assert found["drawn"].settings.low is not None and found["drawn"].cliffs_delta.high is not None
    for name in ("sought", "pruned"):
        assert found[name].settings == Estimate(found["drawn"].settings.value, None, None)
        assert found[name].wins == found["drawn"].wins, "the seeds judge the best setting, however it was found"


def test_the_figures_that_chose_a_setting_have_no_interval_and_its_judges_have() -> None:
    one, seeds = entrant("one"), np.arange(3)
    times = TargetTimes(seeds, seeds, np.ones(3), np.ones(3), np.ones(3), np.ones(3, dtype=np.bool_))
    found = standing(one, times)
    assert found is not None and found.judged is not None
    assert found.chosen == Estimate(float(np.mean([1.0, 1.4, 1.2])), None, None)
    assert found.judged.low is not None and found.judged.value == pytest.approx(1.2)
    assert found.to_target.steps == Estimate(1.0, None, None), "three seeds are too few for a median's"


def test_pairing_takes_the_seeds_out_of_the_interval() -> None:
    rng = np.random.default_rng(0)
    seeds = rng.lognormal(size=12)
    first, second = (finals([scale * seeds * rng.lognormal(sigma=0.01, size=12)]) for scale in (1.0, 1.05))
    found = compare(first, second)
    assert found is not None and found.ratio is not None and found.ratio.high is not None
    assert found.ratio.high < 1, "5 % are seen, though seeds differ by a factor of ten"


def test_what_cannot_be_compared() -> None:
    assert compare(finals(np.empty((0, 3))), finals([[1.0, 1.0, 1.0]])) is None
    assert compare(finals([[np.inf, np.inf]]), finals([[1.0, 1.0]])) is None
    assert ratio_estimate(np.array([0.0, 1.0]), np.ones(2)) is None  # an error of 0


def test_only_shared_seeds_are_paired() -> None:
    found = compare(finals([[1.0, 2.0, 4.0]]), finals([[1.0, 1.0]]))
    assert found is not None and found.difference is not None
    assert (found.n_pairs, found.difference.value) == (2, 0.5)


def test_workloads_count_once_each() -> None:
    base = finals([[1.0, 1.0]])
    found = [compare(finals([[ratio, ratio]]), base) for ratio in (0.5, 0.5, 2.0)]
    pooled = over_workloads([one for one in found if one is not None])
    assert pooled is not None and pooled.low is not None and pooled.high is not None
    assert pooled.value == pytest.approx(0.5 ** (1 / 3))
    half = 4.302653 * np.std(np.log([0.5, 0.5, 2.0]), ddof=1) / np.sqrt(3)
    assert np.log(pooled.high / pooled.value) == pytest.approx(half, rel=1e-5)
    assert over_workloads([one for one in found[:1] if one is not None]) is None


def test_the_interval_over_workloads_covers_19_in_20() -> None:
    """Of six workloads whose ratios are e to the power of -0.3, give or take 0.5."""
    rng, covered, n = np.random.default_rng(0), [], 1_500
    comparison = compare(finals([[1.0, 1.0]]), finals([[1.0, 1.0]]))
    assert comparison is not None
    for ratios in np.exp(rng.normal(-0.3, 0.5, (n, 6))):
        pooled = over_workloads([replace(comparison, ratio=Estimate(float(ratio), None, None)) for ratio in ratios])
        assert pooled is not None
        covered.append(holds(pooled, float(np.exp(-0.3))))
    assert np.mean(covered) == pytest.approx(0.95, abs=three_errors(n))


@pytest.mark.parametrize("n_seeds", [3, 6])
def test_intervals_of_a_transfer_cover_at_least_19_in_20(n_seeds: int) -> None:
    """The target's settings differ by up to 30 %; the truth is what the source's best is there over those chosen."""
    rng, covered, n = np.random.default_rng(0), [], 250
    alphas, truths = np.geomspace(1e-4, 1.0, 20), np.exp(0.3 * np.arange(20) / 19)
    source = tried("digits-logistic", {alphas[4]: [1.0] * n_seeds})
    target = tried("mnist-logistic", {alpha: [1.0] * n_seeds for alpha in alphas})
    for _ in range(n):
        values = finals(truths[:, None] * np.exp(0.2 * rng.normal(size=(20, n_seeds))))
        verdict, found = judge(values), transfer_matrix([source, replace(target, finals=values)])[0][1]
        assert verdict is not None and found.ratio is not None and found.trial == 4
        covered.append(holds(found.ratio, float(np.exp(np.mean(np.log(truths[4] / truths[verdict.trials]))))))
    assert np.mean(covered) >= 0.95 - three_errors(n)


def tried(workload: str, trials: dict[float, list[float]], **space: Any) -> TriedStudy:
    """Return a study with {α: final value of each seed}."""
    space = {"alpha": {"low": 1e-4, "high": 1.0}, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, **space}
    spec = make_spec(workload=workload, search_space=space, n_trials=len(trials))
    constants = {name: value for name, value in space.items() if name != "alpha"}
    rows = [{**DEFAULTS, **constants, "alpha": alpha, "objective": np.mean(values)} for alpha, values in trials.items()]
    return TriedStudy(spec, complete_trials(spec, trials_of(spec, rows)), finals([*trials.values()]))


def test_a_setting_is_judged_where_it_was_tried() -> None:
    digits = tried("digits-logistic", {0.01: [1.0, 1.2], 0.1: [4.0, 4.8]})
    mnist = tried("mnist-logistic", {0.01: [3.0, 3.0], 0.1: [2.0, 2.0]})
    (own, there), (back, _) = transfer_matrix([digits, mnist])
    assert own.ratio is not None and (own.ratio.value, own.distance) == (1.0, 0.0)
    assert (there.source, there.target, there.trial, there.distance) == ("digits-logistic", "mnist-logistic", 0, 0.0)
    assert there.ratio is not None and there.ratio.value == pytest.approx(1.5)
    assert back.ratio is not None and (back.ratio.low, back.ratio.value) == pytest.approx((4.0, 4.0))


def test_a_near_setting_stands_for_another_and_a_far_one_does_not() -> None:
    digits = tried("digits-logistic", {0.01: [1.0, 1.0]})
    near = tried("mnist-logistic", {0.01 * 10**0.2: [3.0, 3.0], 1.0: [2.0, 2.0]})
    (_, found), _ = transfer_matrix([digits, near])
    assert found.trial == 0 and found.distance == pytest.approx(0.05)  # a fifth of a decade of four
    far = tried("mnist-logistic", {0.1: [3.0, 3.0]})
    (_, missing), _ = transfer_matrix([digits, far])
    assert (missing.trial, missing.ratio) == (None, None) and missing.distance == pytest.approx(0.25)
    other = tried("mnist-logistic", {0.01: [3.0, 3.0]}, beta2=0.99)
    (_, differs), _ = transfer_matrix([digits, other])
    assert differs.trial is None and differs.distance == np.inf
