"""Pruning by Optuna's pruners, in memory, from the values that our tables hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner

from studies.samplers import PastTrial, frozen_trial, quiet
from studies.search_space import distributions
from studies.spec import StudySpec


@dataclass(frozen=True)
class Verdict:
    """Whether a trial is to end, and what the pruner wants to find again with it."""

    is_pruned: bool
    attrs: dict[str, Any]


def judge(
    spec: StudySpec, history: Sequence[PastTrial], values: Mapping[int, Mapping[int, float]], numbers: Sequence[int]
) -> dict[int, Verdict]:
    """Return the verdict on each of these running trials.

    Args:
        spec: the study's spec.
        history: all trials of the study in order of their numbers, without a gap.
        values: their values so far, by number and epoch.
        numbers: the trials to judge, all with a value at the same last epoch.
    """
    space = distributions(spec.search_space)
    with quiet():
        study = optuna.create_study(study_name=spec.name, pruner=_pruner(spec))
        study.add_trials(
            [frozen_trial(past, space, intermediate_values=dict(values.get(past.number, {}))) for past in history]
        )
        trials = study.get_trials(deepcopy=False)
        pruned = {number: study.pruner.prune(study, trials[number]) for number in numbers}
    attrs = {trial.number: trial.system_attrs for trial in study.get_trials(deepcopy=False)}
    return {number: Verdict(pruned[number], dict(attrs[number])) for number in numbers}


def _pruner(spec: StudySpec) -> BasePruner:
    if spec.pruner == "successive-halving":
        return SuccessiveHalvingPruner(min_resource=1)
    if spec.pruner == "hyperband":
        return HyperbandPruner(min_resource=1, max_resource=spec.epochs)
    return MedianPruner()
