from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from studies.analysis.axes import searched_axes
from studies.analysis.ranking import BoundaryHit, boundary_hits, good_region, rank_default
from studies.analysis.trials import complete_trials
from tests.factories import make_spec
from tests.studies.frames import Setting, decades_from, drawn_study, trials_of

DEFAULT = {"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
OTHER = {**DEFAULT, "alpha": 0.01}


def rows(*objectives: float) -> list[dict[str, float]]:
    """Return the paper's default with the first objective, and other settings with the rest."""
    return [{**(OTHER if place else DEFAULT), "objective": value} for place, value in enumerate(objectives)]


@pytest.mark.parametrize(
    ("objectives", "rank", "percentile"),
    [((1, 2, 3, 4, 5), 1, 100.0), ((4, 1, 2, 3, 5), 4, 25.0), ((2, 1, 2, 2, 3), 2, 50.0), ((9, 1, 2), 3, 0.0)],
)
def test_rank_and_percentile_of_the_default(objectives: tuple[float, ...], rank: int, percentile: float) -> None:
    spec = make_spec()
    found = rank_default(complete_trials(spec, trials_of(spec, rows(*objectives))))
    assert found is not None
    assert (found.rank, found.n_trials, found.percentile) == (rank, len(objectives), percentile)


def test_the_default_alone_or_unfinished_has_no_percentile() -> None:
    spec = make_spec()
    alone = rank_default(complete_trials(spec, trials_of(spec, rows(3.0))))
    assert alone is not None and (alone.rank, alone.percentile) == (1, None)
    trials = trials_of(spec, rows(3.0, 4.0))
    trials.loc[0, "state"] = "running"
    assert rank_default(complete_trials(spec, trials)) is None


def test_the_best_of_equals_is_the_first_and_its_interval_is_students() -> None:
    spec = make_spec(n_seeds=3)
    trials = trials_of(spec, [*rows(3.0, 2.0, 2.0)]).assign(objective_std=0.1)
    table = complete_trials(spec, trials.sample(frac=1, random_state=0))
    assert table.best is not None and table.numbers[table.best] == 1
    found = table.estimate(table.best)
    assert found.high == pytest.approx(2.0 + 4.302653 * 0.1 / np.sqrt(3), abs=1e-6)


def found_hits(parameter: str, optimum: float, dimension: Any) -> list[tuple[str, bool, float]]:
    """Return the hits of a study of one parameter, whose optimum is planted on a log scale, that of 1−β for β1."""

    def distance(setting: Setting) -> float:
        return decades_from(1 - setting["beta1"] if parameter == "beta1" else setting["alpha"], optimum)

    spec, trials = drawn_study(distance, n_trials=64, search_space={**DEFAULT, parameter: dimension})
    hits = boundary_hits(complete_trials(spec, trials), searched_axes(spec))
    assert all(1 <= hit.n_near <= hit.n_top == 6 for hit in hits)
    return [(hit.parameter, hit.is_upper, hit.edge) for hit in hits]


ALPHA = {"low": 1e-5, "high": 1e-1}


@pytest.mark.parametrize(
    ("parameter", "optimum", "dimension", "expected"),
    [
        ("alpha", 1e-3, ALPHA, []),
        ("alpha", 10.0, ALPHA, [("alpha", True, 0.1)]),
        ("alpha", 1e-8, ALPHA, [("alpha", False, 1e-5)]),
        ("beta1", 1e-6, {"low": 0.0, "high": 0.999}, [("beta1", True, 0.999)]),  # the upper end of β1: least 1 − β1
        ("beta1", 1e3, {"low": 0.5, "high": 0.99}, [("beta1", False, 0.5)]),
        ("beta1", 1e3, {"low": 0.0, "high": 0.99}, []),  # β1 = 0 is the end of what it can be
        ("alpha", 1.0, [1e-4, 1e-3, 1e-2], [("alpha", True, 1e-2)]),
        ("alpha", 1e-3, [1e-4, 1e-3, 1e-2], []),
        ("alpha", 1.0, [1e-3, 1e-2], []),  # either of two is an end
    ],
)
def test_optima_beyond_the_search_space_are_boundary_hits(
    parameter: str, optimum: float, dimension: Any, expected: list[tuple[str, bool, float]]
) -> None:
    assert found_hits(parameter, optimum, dimension) == expected


def test_a_hit_is_more_than_chance() -> None:
    spec = make_spec(search_space={**DEFAULT, "alpha": {"low": 1e-4, "high": 1e-2}})
    alphas = [1e-3, 9.9e-3, 9.8e-3, *np.geomspace(2e-4, 5e-4, 17)]
    trials = trials_of(spec, [{**DEFAULT, "alpha": alpha, "objective": place} for place, alpha in enumerate(alphas)])
    axes = searched_axes(spec)
    assert boundary_hits(complete_trials(spec, trials), axes) == ()  # one of the best two: chance makes it 19 %
    trials.loc[1:2, "objective"] = [-1.0, -2.0]
    expected = BoundaryHit("alpha", True, 1e-2, best=9.8e-3, is_best_near=True, n_near=2, n_top=2)
    assert boundary_hits(complete_trials(spec, trials), axes) == (expected,)


def test_settings_without_effect_are_seldom_hits() -> None:
    rng = np.random.default_rng(0)
    spec, trials = drawn_study(lambda setting: 0.0, n_trials=100)
    table, axes = complete_trials(spec, trials), searched_axes(spec)
    n_hits = sum(bool(boundary_hits(replace(table, objective=rng.random(100)), axes)) for _ in range(400))
    assert n_hits <= 0.05 * 400 + 2 * np.sqrt(0.05 * 0.95 * 400)


def test_all_diverged_have_neither_hits_nor_a_good_region() -> None:
    spec = make_spec()
    table = complete_trials(
        spec, trials_of(spec, rows(23.0, 23.0)).assign(diverged=True).astype({"diverged": "boolean"})
    )
    assert boundary_hits(table, searched_axes(spec)) == ()
    assert good_region(table, "alpha") is None


def test_the_good_region_spans_the_settings_within_a_tenth() -> None:
    spec = make_spec()
    alphas, objectives = [1e-3, 1e-4, 2e-2, 1e-1], [1.0, 1.09, 1.1, 1.11]
    found = [{**DEFAULT, "alpha": alpha, "objective": value} for alpha, value in zip(alphas, objectives, strict=True)]
    region = good_region(complete_trials(spec, trials_of(spec, found)), "alpha")
    assert region is not None
    assert (region.n_settings, region.low, region.high) == (3, 1e-4, 2e-2)
    assert region.decades == pytest.approx(np.log10(200))
    single = good_region(complete_trials(spec, trials_of(spec, found[:1])), "alpha")
    assert single is not None and single.decades is None
