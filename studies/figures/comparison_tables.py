"""What the figures of a comparison show, as tables: the data that their downloads hold."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from studies.analysis.profiles import Profile
from studies.analysis.transfer import Transfer
from studies.figures.best_curves import BestCurve
from studies.figures.budget import BudgetSeries
from studies.figures.forest import ForestRow


def forest_table(rows: Sequence[ForestRow]) -> pd.DataFrame:
    """Return a row per ratio; without a workload it is over all of them."""
    return pd.DataFrame(
        {
            "study": one.look.label,
            "workload": one.workload,
            "ratio": one.ratio.value,
            "low": one.ratio.low,
            "high": one.ratio.high,
            "n": one.n,
        }
        for one in rows
    )


def best_curves_table(curves: Sequence[BestCurve]) -> pd.DataFrame:
    """Return a row per study and epoch."""
    return _stacked(
        {
            "study": one.look.label,
            "trial": one.trial,
            "epoch": one.epochs,
            "median": one.values.median,
            "low": one.values.low,
            "high": one.values.high,
        }
        for one in curves
    )


def budget_table(series: Sequence[BudgetSeries]) -> pd.DataFrame:
    """Return a row per study and number of trials."""
    return _stacked(
        {
            "study": one.look.label,
            "n_trials": one.curve.n_trials,
            "best": one.curve.best,
            "low": one.curve.low,
            "high": one.curve.high,
            "default": one.default,
        }
        for one in series
    )


def profile_table(found: Profile) -> pd.DataFrame:
    """Return a row per optimizer and factor."""
    return _stacked(
        {
            "study": solver,
            "factor": found.factors,
            "share": found.shares[place],
            "low": found.low[place],
            "high": found.high[place],
        }
        for place, solver in enumerate(found.solvers)
    )


def transfer_table(matrix: Sequence[Sequence[Transfer]]) -> pd.DataFrame:
    """Return a row per cell of the matrix."""
    return pd.DataFrame(
        {
            "best_of": one.source,
            "tried_on": one.target,
            "trial": one.trial,
            "distance": one.distance,
            "ratio": np.nan if one.ratio is None else one.ratio.value,
            "low": None if one.ratio is None else one.ratio.low,
            "high": None if one.ratio is None else one.ratio.high,
        }
        for row in matrix
        for one in row
    )


def _stacked(parts: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    frames = [pd.DataFrame(part) for part in parts]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
