"""Step sizes and the signal-to-noise ratio over time, beside the bounds on a step."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from studies.analysis.curves import Band, band
from studies.analysis.estimates import FloatArray, IntArray
from studies.analysis.step_bounds import with_step_bounds
from studies.analysis.trials import floats

LOW, HIGH = 0.1, 0.9  #: quantiles over replicates
ROUNDING = 1e-3  #: of a bound, allowed to a step that float32 computes


@dataclass(frozen=True)
class StepDiagnostics:
    """What the last update of each epoch looked like, over replicates; arrays are [T]."""

    epochs: IntArray  #: ascending, those recorded
    steps: FloatArray  #: the median step at which they end
    max_step: Band  #: the largest |update| / α of all weights
    signal_to_noise: Band  #: the mean of |m̂| / √v̂
    paper_bound: FloatArray  #: median over replicates; NaN where the rule has none
    provable_bound: FloatArray
    above_paper: float | None  #: share of all updates recorded that exceed their own bound; None where none has one
    above_provable: float | None
    n_replicates: int


def step_diagnostics(diagnostics: pd.DataFrame, trials: pd.DataFrame) -> StepDiagnostics:
    """Return bands over replicates from the 10 % to the 90 % quantile, epoch by epoch.

    A replicate that diverges counts until then. The paper's bound is a heuristic and is exceeded; the provable one
    is not, but for rounding (`step_bounds`).

    Args:
        diagnostics: a frame with the columns of the view `diagnostics`.
        trials: a frame with the columns of the view `results`, of the same study.
    """
    table = with_step_bounds(diagnostics, trials)
    keys, row = np.unique(table["trial"].to_numpy(np.int64) * 100_000 + table["replicate"], return_inverse=True)
    epochs, column = np.unique(table["epoch"].to_numpy(np.int64), return_inverse=True)
    columns = {}
    for name in ("steps", "max_step", "signal_to_noise", "paper_bound", "provable_bound"):
        columns[name] = np.full((len(keys), len(epochs)), np.nan)
        columns[name][row, column] = floats(table[name])
    medians = {name: band(columns[name], LOW, HIGH) for name in columns}
    step = columns["max_step"]
    return StepDiagnostics(
        epochs=epochs,
        steps=medians["steps"].median,
        max_step=medians["max_step"],
        signal_to_noise=medians["signal_to_noise"],
        paper_bound=medians["paper_bound"].median,
        provable_bound=medians["provable_bound"].median,
        above_paper=_share_above(step, columns["paper_bound"]),
        above_provable=_share_above(step, columns["provable_bound"]),
        n_replicates=len(keys),
    )


def _share_above(step: FloatArray, bound: FloatArray) -> float | None:
    known = ~np.isnan(step) & ~np.isnan(bound)
    return float(np.mean(step[known] > (1 + ROUNDING) * bound[known])) if known.any() else None
