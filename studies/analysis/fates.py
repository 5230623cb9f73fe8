"""What becomes of trials: for how many epochs they survive, and where in the search space they diverge."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from studies.analysis.axes import Axis, searched_axes
from studies.analysis.estimates import BoolArray, Estimate, FloatArray
from studies.analysis.shares import BinnedShare, binned_share, wilson
from studies.analysis.survival import Survival, kaplan_meier
from studies.analysis.trials import booleans, floats, parameter_column
from studies.spec import StudySpec


@dataclass(frozen=True)
class AxisDivergence:
    """The share of trials that diverge in at least one seed, along a hyperparameter."""

    axis: Axis
    share: BinnedShare


@dataclass(frozen=True)
class Divergence:
    """How often trials diverge, in all and along each searched hyperparameter."""

    overall: Estimate
    n_trials: int
    axes: tuple[AxisDivergence, ...]


def trial_survival(trials: pd.DataFrame, diverged_at: pd.DataFrame, counts_pruned: bool = True) -> Survival:
    """Return the share of trials that are neither diverged nor pruned, against epochs.

    A trial ends when its first replicate diverges, or when it is pruned; one that completes, runs, failed or was
    cancelled is censored at its last epoch.

    Args:
        trials: a frame with the columns of the view `results`.
        diverged_at: columns `trial` and `epoch`, of the trials that diverged the first epoch at which one did
            (`studies.db.aggregates.diverged_frame`).
        counts_pruned: whether a pruned trial ends by it; else it is censored.
    """
    begun = trials[trials["state"] != "waiting"]
    first = begun["trial"].map(dict(zip(diverged_at["trial"], diverged_at["epoch"], strict=True)))
    diverged: BoolArray = first.notna().to_numpy(np.bool_)
    pruned: BoolArray = begun["state"].eq("pruned").to_numpy(np.bool_)
    times: FloatArray = np.where(diverged, floats(first), floats(begun["epochs_done"]))
    return kaplan_meier(times, diverged | pruned if counts_pruned else diverged)


def divergence(spec: StudySpec, trials: pd.DataFrame) -> Divergence:
    """Return the share of the complete and pruned trials that diverged in at least one seed.

    Args:
        spec: of the study.
        trials: a frame with the columns of the view `results`.
    """
    ended = trials[trials["state"].isin(("complete", "pruned"))]
    diverged = booleans(ended["diverged"])
    axes = searched_axes(spec) if len(ended) else ()
    found = []
    for axis in axes:
        coordinates = axis.coordinates(floats(parameter_column(ended, axis.parameter.name)))
        found.append(AxisDivergence(axis, binned_share(axis, coordinates, diverged)))
    return Divergence(wilson(float(diverged.sum()), len(ended)), len(ended), tuple(found))
