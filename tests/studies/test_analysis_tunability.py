"""Gains of tuning over the default, where the optimum is planted."""

from collections.abc import Callable

import numpy as np
import pytest

from studies.analysis.axes import searched_axes
from studies.analysis.good_region import good_volume
from studies.analysis.ranking import GOOD_FACTOR
from studies.analysis.surrogate import Surrogate, fit_table
from studies.analysis.trials import complete_trials
from studies.analysis.tunability import Tunability, Tuned, tunability
from studies.spec import StudySpec
from tests.studies.frames import Setting, decades_from, drawn_study

SPACE = {"alpha": {"low": 1e-4, "high": 1e-1}, "beta1": {"low": 0.0, "high": 0.999}, "epsilon": 1e-8}


def separable(setting: Setting) -> float:
    """A loss of 3 at the default, of which α gives 1 and β1 another; β2 does nothing."""
    return 1.0 + decades_from(setting["alpha"], 1e-2) ** 2 + decades_from(1 - setting["beta1"], 1e-2) ** 2


def compensating(setting: Setting) -> float:
    """α ten times greater makes up for a momentum ten times less: either alone gains all."""
    return 1.0 + float(np.log10(setting["alpha"] / 1e-3) + np.log10((1 - setting["beta1"]) / 0.1) - 1) ** 2


def fitted(
    objective: Callable[[Setting], float], seed: int = 0, noise: float = 0.0, n_trials: int = 100
) -> tuple[StudySpec, Surrogate]:
    rng = np.random.default_rng(seed)
    spec, trials = drawn_study(
        lambda setting: objective(setting) * np.exp(noise * rng.normal()), n_trials, search_space=SPACE, seed=seed
    )
    return spec, fit_table(complete_trials(spec, trials), searched_axes(spec))


def analysed(objective: Callable[[Setting], float], seed: int = 0, noise: float = 0.0) -> Tunability:
    return tunability(*fitted(objective, seed, noise))


def gains(found: Tunability) -> dict[tuple[str, ...], Tuned]:
    assert found.message is None and found.all is not None
    return {one.parameters: one for one in (*found.alone, *found.pairs, found.all)}


def test_gains_of_a_separable_loss() -> None:
    found = analysed(separable)
    assert found.default is not None and found.default.value == pytest.approx(3.0, abs=0.05)
    values = {which: one.gain.value for which, one in gains(found).items()}
    expected = {("alpha",): 1, ("beta1",): 1, ("beta2",): 0, ("alpha", "beta1"): 2, ("alpha", "beta2"): 1}
    expected |= {("beta1", "beta2"): 1, ("alpha", "beta1", "beta2"): 2}
    assert values == pytest.approx(expected, abs=0.08)
    setting = gains(found)["alpha", "beta1"].setting
    assert decades_from(setting["alpha"], 1e-2) < 0.15
    assert decades_from(1 - setting["beta1"], 1e-2) < 0.15


def test_gains_grow_with_what_is_tuned_and_lie_in_their_intervals() -> None:
    found = gains(analysed(separable, noise=0.1))
    for which, one in found.items():
        assert one.gain.low is not None and one.gain.high is not None
        assert 0 <= one.gain.low <= one.gain.value <= one.gain.high
        fewer = [other.gain.value for names, other in found.items() if set(names) < set(which)]
        assert all(one.gain.value >= gain - 1e-9 for gain in fewer)


def test_what_makes_up_for_each_other_is_tuned_by_either() -> None:
    found = gains(analysed(compensating))
    for which in (("alpha",), ("beta1",), ("alpha", "beta1")):
        assert found[which].gain.value == pytest.approx(1.0, abs=0.08)


def test_a_default_outside_the_space_is_told() -> None:
    space = {**SPACE, "alpha": {"low": 1e-2, "high": 1.0}}
    spec, trials = drawn_study(separable, 60, search_space=space)
    found = tunability(spec, fit_table(complete_trials(spec, trials), searched_axes(spec)))
    assert found.message == "Tunability is over the default, which the search space does not contain."
    assert (found.default, found.alone, found.pairs, found.all) == (None, (), (), None)


@pytest.mark.parametrize(("n_repeats", "least"), [(6, 0.75), pytest.param(80, 0.88, marks=pytest.mark.slow)])
def test_intervals_cover_the_truth(n_repeats: int, least: float) -> None:
    """Of gains, of the objective at the default, and of the good region, which is a disk in the plane of α and β1."""
    radius = (GOOD_FACTOR - 1) ** 0.5
    gained = {("alpha",): 1.0, ("beta1",): 1.0, ("beta2",): 0.0, ("alpha", "beta1", "beta2"): 2.0}
    truths = [*gained.values(), 3.0, np.pi * radius**2 / 9, 2 * radius, 2 * radius]
    covered = []
    for seed in range(n_repeats):
        spec, surrogate = fitted(separable, seed, noise=0.1)
        found, good = tunability(spec, surrogate), good_volume(surrogate)
        widths = {one.parameter: one.decades for one in good.extents}
        of_gains = [gains(found)[which].gain for which in gained]
        estimates = [*of_gains, found.default, good.share, widths["alpha"], widths["beta1"]]
        ends = [(one.low or 0.0, one.high or 0.0) for one in estimates if one is not None]
        covered.append([low <= truth <= high for (low, high), truth in zip(ends, truths, strict=True)])
    assert np.mean(covered, axis=0).min() >= least
