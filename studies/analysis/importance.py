"""How much each hyperparameter matters, by PED-ANOVA with resampled intervals (Watanabe et al. 2023, arXiv 2304.10255).

The importance is that of reaching the best tenth of the trials; the shares of all searched hyperparameters add to 1.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.storages import InMemoryStorage
from optuna.study import create_study
from optuna.trial import FrozenTrial, TrialState
from scipy import stats

from studies.analysis.axes import Axis, searched_axes
from studies.analysis.estimates import LEVEL, Estimate, FloatArray, IntArray
from studies.analysis.trials import TrialTable, complete_trials
from studies.samplers import quiet
from studies.search_space import distributions, to_optuna
from studies.spec import StudySpec

MIN_TRIALS = 30  #: below this many complete trials no importance is shown
N_RESAMPLES = 100  #: behind each interval
MAX_RESAMPLE = 500  #: trials in a resample at most, which bounds the time that large studies take
TOP_SHARE = 0.1  #: the share of trials that counts as the best


@dataclass(frozen=True)
class Importance:
    """The share of a hyperparameter in what it takes to reach the best tenth of the trials."""

    parameter: str
    share: Estimate


@dataclass(frozen=True)
class Importances:
    """The importances, greatest first; none where `message` says why."""

    values: tuple[Importance, ...]
    n_missing: int  #: complete trials that are missing before importances can be shown
    message: str | None


def importances(spec: StudySpec, trials: pd.DataFrame, seed: int = 0) -> Importances:
    """Return PED-ANOVA importances of the searched hyperparameters with 95 % intervals.

    The intervals come from half samples without replacement: unlike a bootstrap's, these repeat no trial, which the
    density estimates behind PED-ANOVA would take for a peak. Their spread has the size of that of the whole (Politis,
    Romano & Wolf 1999, Subsampling, chapter 2), and smaller resamples are scaled to it. A share of a hyperparameter
    without effect is above 0 by chance, the more the fewer the trials; what resamples have of it beyond the whole tells
    how much, and the interval stands around the share without it. What it covers is the share that ever more trials
    would give at this width of the density estimates, which smooths a good region with sharp ends by some percent.

    Args:
        spec: the study's spec.
        trials: a frame with the columns of the view `results`.
        seed: of the resampling.
    """
    return importances_of(spec, complete_trials(spec, trials), seed)


def importances_of(spec: StudySpec, table: TrialTable, seed: int = 0) -> Importances:
    """Return the importances for the objective that a table of complete trials gives them.

    Only the order of the trials counts: times to a target that was missed tie for the last place.
    """
    axes = searched_axes(spec)
    if not axes:
        return Importances((), 0, "No hyperparameter is searched.")
    n_missing = max(0, MIN_TRIALS - len(table))
    if n_missing:
        return Importances((), n_missing, f"Importances need {n_missing} more complete trials ({MIN_TRIALS} in all).")
    if not _tells_apart(table.objective):
        return Importances((), 0, "Importances need more than a tenth of the trials to be better than the worst.")
    shares, draws = _estimate(spec, table, axes, seed)
    size = _resample_size(len(table))
    scale = size / (len(table) - size)
    centre = shares - scale * (np.mean(draws, axis=0) - shares)
    n_top = int(np.ceil(TOP_SHARE * len(table)))  # so few trials tell the spread
    half = stats.t.ppf((1 + LEVEL) / 2, n_top - 1) * np.sqrt(scale) * np.std(draws, axis=0, ddof=1)
    low, high = np.clip([centre - half, centre + half], 0.0, 1.0)
    found = [
        Importance(axis.parameter.name, Estimate(share, min(share, left), max(share, right)))
        for axis, share, left, right in zip(axes, shares.tolist(), low.tolist(), high.tolist(), strict=True)
    ]
    return Importances(tuple(sorted(found, key=lambda one: -one.share.value)), 0, None)


class _Shown(InMemoryStorage):
    """A storage that shows the trials it is told to: writing each resample into a study takes longer than PED-ANOVA."""

    trials: Sequence[FrozenTrial] = ()

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        return list(self.trials)


def _estimate(spec: StudySpec, table: TrialTable, axes: Sequence[Axis], seed: int) -> tuple[FloatArray, FloatArray]:
    """Return the shares of the axes, [P], and those in each resample, [R, P]."""
    storage, every = _Shown(), _frozen(spec, table)
    with quiet():
        study = create_study(storage=storage)
    evaluator = PedAnovaImportanceEvaluator(target_quantile=TOP_SHARE)

    def shares(chosen: IntArray) -> list[float]:
        if not _tells_apart(table.objective[chosen]):
            return [1 / len(axes)] * len(axes)
        storage.trials = [every[index] for index in chosen]
        found = get_param_importances(study, evaluator=evaluator)
        return [found[axis.parameter.optuna_name] for axis in axes]

    rng, size = np.random.default_rng(seed), _resample_size(len(every))
    draws = [shares(rng.choice(len(every), size, replace=False)) for _ in range(N_RESAMPLES)]
    return np.array(shares(np.arange(len(every)))), np.array(draws)


def _frozen(spec: StudySpec, table: TrialTable) -> list[FrozenTrial]:
    """Return the trials as Optuna has them; an infinite objective, which Optuna leaves out, stays the worst."""
    space, now, values = distributions(spec.search_space), datetime.now(), np.nan_to_num(table.objective)
    return [
        FrozenTrial(
            number=index,
            trial_id=index,
            state=TrialState.COMPLETE,
            value=float(values[index]),
            params=to_optuna(spec.search_space, table.setting(index)),
            distributions=space,
            datetime_start=now,
            datetime_complete=now,
            user_attrs={},
            system_attrs={},
            intermediate_values={},
        )
        for index in range(len(table))
    ]


def _tells_apart(objective: FloatArray) -> bool:
    """Return whether the best tenth of the trials is better than the worst of them."""
    cutoff = np.sort(objective)[int(np.ceil(TOP_SHARE * len(objective))) - 1]
    return bool(cutoff < np.max(objective))


def _resample_size(n: int) -> int:
    return min(n // 2, MAX_RESAMPLE)
