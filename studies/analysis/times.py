"""The time to a target as the objective of trials: what analyses trials takes it as it takes a loss."""

from dataclasses import replace

import numpy as np

from studies.analysis.targets import TargetTimes, of_trials
from studies.analysis.trials import TrialTable


def with_steps_to_target(table: TrialTable, times: TargetTimes) -> TrialTable:
    """Return the trials with the steps after which half of their replicates had reached a target as their objective.

    A trial that missed it is later than every other, infinite: to ranks and medians, and so to PED-ANOVA, to the
    marginal response and to the good region, that is all that counts. Means, and so the maps and the surrogate behind
    variance shares and tunability, are of the steps spent until the target or the end of training (`finite_objective`,
    the restricted time): a gain is one within the study's budget, and may be more where trials have longer.

    Args:
        table: complete trials, [N].
        times: of their replicates, at least one of each.
    """
    whole = of_trials(times)
    rows = np.searchsorted(whole.trials, table.numbers)
    objective = np.where(whole.reached, whole.steps, np.inf)[rows]
    watched = times.steps[np.isfinite(times.steps)]
    horizon = float(watched.max()) if len(watched) else 1.0
    none = np.full(len(table), np.nan)
    return replace(table, objective=objective, std=none, quantity="steps_to_target", horizon=horizon)
