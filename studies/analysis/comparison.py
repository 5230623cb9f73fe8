"""Two studies of one workload and seed compared by their best settings, paired by replicate."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from studies.analysis.curves import align, cap_of, of_trial
from studies.analysis.estimates import Estimate, mean_estimate
from studies.analysis.trials import complete_trials
from studies.db.records import StudyRecord
from studies.objective import objective_column


@dataclass(frozen=True)
class StudyResults:
    """A study with its frames: the columns of the views `results` and `curves`."""

    record: StudyRecord
    trials: pd.DataFrame
    curves: pd.DataFrame


@dataclass(frozen=True)
class Comparison:
    """The final value of one study's best trial less that of the other's, replicate by replicate."""

    quantity: str  #: what is compared, a column of the view `curves`
    trials: tuple[int, int]  #: the best trial of each
    difference: Estimate  #: mean over the pairs; below 0 the first is better
    n_pairs: int


def compare_best(first: StudyResults, second: StudyResults) -> Comparison | None:
    """Return the paired difference of the two studies' best trials with Student's 95 % interval.

    Replicates of one index share initial weights and the order of the data, so their difference is free of both. A
    diverged replicate counts as ten times the value at initialisation. None where a study has no complete trial yet.
    Each best trial was chosen by the very figures that are compared, so both look a little better than they are.
    """
    columns = {objective_column(results.record.spec.objective) for results in (first, second)}
    quantity = columns.pop() if len(columns) == 1 else "train_loss"
    finals, numbers = [], []
    for results in (first, second):
        table = complete_trials(results.record.spec, results.trials)
        if table.best is None:
            return None
        numbers.append(int(table.numbers[table.best]))
        finals.append(_final_values(results.curves, quantity, numbers[-1]))
    shared = sorted(finals[0].keys() & finals[1].keys())
    if not shared:
        return None
    difference = np.array([finals[0][replicate] - finals[1][replicate] for replicate in shared])
    return Comparison(quantity, (numbers[0], numbers[1]), mean_estimate(difference), len(shared))


def _final_values(curves: pd.DataFrame, quantity: str, trial: int) -> dict[int, float]:
    """Return the last value of each replicate of a trial, at most the cap."""
    aligned = align(curves[curves["trial"] == trial], quantity)
    cap = cap_of(aligned)
    last = of_trial(aligned, trial)[:, -1:].ravel()
    known = ~np.isnan(last)
    values = np.minimum(last, np.inf if cap is None else cap)
    return dict(zip(aligned.replicates[known].tolist(), values[known].tolist(), strict=True))
