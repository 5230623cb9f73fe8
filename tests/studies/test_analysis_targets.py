import numpy as np
import pandas as pd
import pytest

from studies.analysis.targets import TargetTimes, of_trials, target_summary, target_times

INF = np.inf
COLUMNS = ("trial", "replicate", "reached", "diverged", "epochs", "steps", "seconds")


def times_of(*rows: tuple[int, int, bool, bool, float]) -> TargetTimes:
    """Return the times of replicates (trial, replicate, reached, diverged, epochs), 10 steps and 2 s an epoch."""
    full = [(*row, 10 * row[-1], 2 * row[-1]) for row in rows]
    return target_times(pd.DataFrame(full, columns=list(COLUMNS)))


def test_a_miss_is_censored_and_a_diverged_one_never_gets_there() -> None:
    found = times_of((0, 0, True, False, 3), (0, 1, False, False, 5), (0, 2, False, True, 1))
    assert found.epochs.tolist() == [3, 5, INF]
    assert found.steps.tolist() == [30, 50, INF]
    assert found.reached.tolist() == [True, False, False]


def test_one_that_diverged_after_the_target_has_reached_it() -> None:
    assert times_of((0, 0, True, True, 3)).epochs.tolist() == [3]


def test_medians_and_the_share_of_misses() -> None:
    found = target_summary(times_of(*((0, seed, True, False, seed + 1) for seed in range(3)), (0, 3, False, True, 1)))
    assert (found.epochs.value, found.steps.value, found.seconds.value) == (2, 20, 4)
    assert (found.missed.value, found.n) == (0.25, 4)
    assert (found.missed.low, found.missed.high) == pytest.approx(
        (0.0128, 0.6994), abs=1e-4
    )  # Poisson's of 1, Wilson's of 3


def test_a_median_of_mostly_misses_is_infinite() -> None:
    found = target_summary(times_of((0, 0, True, False, 1), (0, 1, False, False, 5), (0, 2, False, False, 5)))
    assert found.epochs.value == INF and found.missed.value == pytest.approx(2 / 3)


def test_a_trial_reaches_the_target_with_half_of_its_seeds() -> None:
    found = of_trials(
        times_of(
            *((2, 0, True, False, 4), (2, 1, True, False, 2), (2, 2, False, True, 1)),  # at 4, with the second seed
            *((5, 0, True, False, 1), (5, 1, False, False, 6), (5, 2, False, False, 7)),  # not while it was watched
            *((7, 0, True, False, 1), (7, 1, False, True, 3), (7, 2, False, True, 2)),  # two diverged: never
            *((9, 0, True, False, 3), (9, 1, False, False, 8)),  # half of two
        )
    )
    assert found.trials.tolist() == [2, 5, 7, 9]
    assert found.reached.tolist() == [True, False, False, True]
    assert found.epochs.tolist() == [4, 6, INF, 3]


def test_no_replicates_at_all() -> None:
    found = of_trials(times_of())
    assert len(found.trials) == 0
    assert target_summary(found).missed.low is None
