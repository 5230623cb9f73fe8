"""What a surrogate of a study's objective says: variance shares, tunability and the volume of the good region.

It takes seconds, so it is for a background job or for a page whose reader asked for it.
"""

from dataclasses import dataclass

import numpy as np

from studies.analysis.axes import searched_axes
from studies.analysis.good_region import GoodVolume, good_volume
from studies.analysis.importance import MIN_TRIALS
from studies.analysis.surrogate import fit_table
from studies.analysis.trials import TrialTable
from studies.analysis.tunability import Tunability, tunability
from studies.analysis.variance import VarianceShares, variance_shares
from studies.spec import StudySpec


@dataclass(frozen=True)
class Sensitivity:
    """The analyses by a surrogate; each says for itself why it is not available."""

    quantity: str  #: that is explained, an objective's name or steps_to_target
    variance: VarianceShares
    tunability: Tunability
    good_volume: GoodVolume
    r2: float | None  #: of the surrogate, cross-validated; None where there is none
    is_log: bool  #: whether the variance is that of logarithms
    n_missing: int  #: complete trials that are missing before a surrogate is fitted


def sensitivity(spec: StudySpec, table: TrialTable, seed: int = 0) -> Sensitivity:
    """Fit a surrogate to the complete trials of a study and ask it.

    Args:
        spec: the study's spec.
        table: its complete trials, with the objective to explain.
        seed: of the resampling.
    """
    axes, n_missing = searched_axes(spec), max(0, MIN_TRIALS - len(table))
    if not axes:
        return _unavailable(table, "No hyperparameter is searched.")
    if n_missing:
        lack = f"A surrogate needs {n_missing} more complete trials ({MIN_TRIALS} in all)."
        return _unavailable(table, lack, n_missing)
    if np.ptp(table.finite_objective) == 0:
        what = "missed the target" if table.is_hopeless and np.isfinite(table.horizon) else "have the same objective"
        return _unavailable(table, f"All trials {what}: nothing explains it.")
    surrogate = fit_table(table, axes, seed)
    return Sensitivity(
        table.quantity,
        variance_shares(surrogate),
        tunability(spec, surrogate),
        good_volume(surrogate),
        surrogate.r2,
        surrogate.is_log,
        0,
    )


def _unavailable(table: TrialTable, message: str, n_missing: int = 0) -> Sensitivity:
    none = (VarianceShares((), (), message), Tunability(None, (), (), None, message), GoodVolume(None, (), message))
    return Sensitivity(table.quantity, *none, r2=None, is_log=False, n_missing=n_missing)
