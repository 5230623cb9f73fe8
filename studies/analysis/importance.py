"""How much each hyperparameter matters, by PED-ANOVA with resampled intervals (Watanabe et al. 2023, arXiv 2304.10255).

The importance is that of reaching the best tenth of the trials; the shares of all searched hyperparameters add to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from studies.analysis.axes import Axis, searched_axes
from studies.analysis.estimates import LEVEL, Estimate, FloatArray
from studies.analysis.ped_anova import TOP_SHARE, grid_places, ped_anova
from studies.analysis.trials import TrialTable, complete_trials
from studies.spec import StudySpec

MIN_TRIALS = 30  #: below this many complete trials no importance is shown
N_RESAMPLES = 100  #: behind each interval
MAX_RESAMPLE = 500  #: trials in a resample at most, which bounds the time that large studies take


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
    shares, draws = _estimate(table, axes, seed)
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


def _estimate(table: TrialTable, axes: Sequence[Axis], seed: int) -> tuple[FloatArray, FloatArray]:
    """Return the shares of the axes, [P], and those in each resample, [R, P]."""
    places = np.stack([grid_places(axis, axis.coordinates(table.values[axis.parameter.name])) for axis in axes])
    rng, n = np.random.default_rng(seed), len(table)
    drawn = np.stack([rng.choice(n, _resample_size(n), replace=False) for _ in range(N_RESAMPLES)])
    every = np.arange(n)[None]
    shares, draws = (ped_anova(axes, places[:, rows], table.objective[rows]) for rows in (every, drawn))
    return shares[0], draws


def _tells_apart(objective: FloatArray) -> bool:
    """Return whether the best tenth of the trials is better than the worst of them."""
    cutoff = np.sort(objective)[int(np.ceil(TOP_SHARE * len(objective))) - 1]
    return bool(cutoff < np.max(objective))


def _resample_size(n: int) -> int:
    return min(n // 2, MAX_RESAMPLE)
