import numpy as np
import pandas as pd
import pytest

from studies.analysis.comparison import StudyResults, compare_best
from tests.factories import make_spec
from tests.studies.frames import curves_of, make_record, trials_of

DEFAULTS = {"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}


def results(optimizer: str, finals: dict[int, list[float | None]], **overrides: object) -> StudyResults:
    """Return a study with trials {number: final loss of each replicate}; every curve starts at 2."""
    spec = make_spec(name=optimizer, optimizer=optimizer, n_seeds=3, **overrides)
    means = {trial: np.mean([20.0 if value is None else value for value in values]) for trial, values in finals.items()}
    rows = [{**DEFAULTS, "trial": trial, "objective": mean} for trial, mean in means.items()]
    pairs = {(trial, place): [2.0, value] for trial, values in finals.items() for place, value in enumerate(values)}
    return StudyResults(make_record(spec), trials_of(spec, rows), curves_of(pairs))


def test_the_best_trials_are_paired_by_replicate() -> None:
    adam = results("adam", {0: [9.0, 9.0, 9.0], 1: [0.1, 0.5, 0.9]})
    adamax = results("adamax", {0: [0.2, 0.7, 1.2], 1: [1.5, 1.5, 1.5]})
    found = compare_best(adam, adamax)
    assert found is not None
    assert (found.quantity, found.trials, found.n_pairs) == ("train_loss", (1, 0), 3)
    half = 4.302653 * 0.1 / np.sqrt(3)  # the differences are -0.1, -0.2 and -0.3
    assert (found.difference.low, found.difference.value, found.difference.high) == pytest.approx(
        (-0.2 - half, -0.2, -0.2 + half), abs=1e-6
    )


def test_a_diverged_replicate_counts_as_the_cap() -> None:
    found = compare_best(results("adam", {0: [1.0, 1.0, None]}), results("adamax", {0: [1.0, 1.0, 1.0]}))
    assert found is not None
    assert found.difference.value == pytest.approx((20.0 - 1.0) / 3)


def test_a_study_without_complete_trials_cannot_be_compared() -> None:
    adam, adamax = results("adam", {0: [1.0, 1.0, 1.0]}), results("adamax", {0: [1.0, 1.0, 1.0]})
    running = StudyResults(adam.record, adam.trials.assign(state="running"), adam.curves)
    assert compare_best(running, adamax) is None
    assert compare_best(StudyResults(adam.record, adam.trials, curves_of({})), adamax) is None


def test_only_shared_replicates_are_compared() -> None:
    adam, adamax = results("adam", {0: [1.0, 2.0, 4.0]}), results("adamax", {0: [1.0, 1.0, 1.0]})
    fewer: pd.DataFrame = adamax.curves[adamax.curves["replicate"] < 2]
    found = compare_best(adam, StudyResults(adamax.record, adamax.trials, fewer))
    assert found is not None
    assert (found.n_pairs, found.difference.value) == (2, 0.5)
