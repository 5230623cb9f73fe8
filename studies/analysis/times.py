"""The time to a target as the objective of trials: what analyses trials takes it as it takes a loss."""

from dataclasses import replace

import numpy as np

from studies.analysis.estimates import FloatArray
from studies.analysis.targets import TargetTimes
from studies.analysis.trials import TrialTable


def with_steps_to_target(table: TrialTable, times: TargetTimes, n_steps: int) -> TrialTable:
    """Return the trials with the steps to a target for their objective: the mean over the replicates of each.

    A replicate that missed the target or diverged counts as twice the steps of the study, as `epochs_to_target` counts
    it: how long it would have taken is not known. To PED-ANOVA, which sees ranks, such trials tie for the last place.

    Args:
        table: complete trials, [N].
        times: of their replicates, at least one of each.
        n_steps: that the study trains a replicate for.
    """
    steps = np.where(times.reached, times.steps, 2.0 * n_steps)
    objective, std = np.empty(len(table)), np.full(len(table), np.nan)
    for index, number in enumerate(table.numbers):
        own: FloatArray = steps[times.trials == number]
        objective[index] = own.mean()
        if len(own) > 1:
            std[index] = own.std(ddof=1)
    return replace(table, objective=objective, std=std)
