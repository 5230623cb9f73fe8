"""What the figures of a study show, as tables: the data that their downloads hold."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from studies.analysis.fates import Divergence
from studies.analysis.step_diagnostics import StepDiagnostics
from studies.figures.bars import Bars
from studies.figures.convergence import ConvergenceData
from studies.figures.importance import ImportanceData
from studies.figures.pair_map import PairMapData
from studies.figures.regret import RegretData
from studies.figures.sensitivity import SensitivityData
from studies.figures.survival import SurvivalData
from studies.figures.trajectories import TrajectoriesData


def convergence_table(data: ConvergenceData) -> pd.DataFrame:
    """Return a row per series and epoch."""
    return _stacked(
        {"series": one.label, "epoch": data.epochs, "median": one.median, "low": one.low, "high": one.high}
        for one in data.series
    )


def importance_table(data: ImportanceData) -> pd.DataFrame:
    """Return a row per hyperparameter."""
    return pd.DataFrame({"hyperparameter": data.labels, "share": data.shares, "low": data.lows, "high": data.highs})


def bars_table(**bars: Bars) -> pd.DataFrame:
    """Return a row per bar, of one group of bars or more."""
    return _stacked(
        {"kind": kind, "of": one.labels, "value": one.values, "low": one.lows, "high": one.highs}
        for kind, one in bars.items()
    )


def sensitivity_table(data: SensitivityData) -> pd.DataFrame:
    """Return a row per trial that is drawn; hyperparameters are as on their axes, rates of decay as 1−β."""
    columns = {panel.axis.label.removesuffix(" (log)"): panel.coordinates for panel in data.panels}
    figures = {"objective": data.objective, "low": data.low, "high": data.high, "failed": data.failed}
    return pd.DataFrame({"trial": data.numbers, **columns, **figures})


def pair_map_table(data: PairMapData) -> pd.DataFrame:
    """Return a row per bin of each map; of a list of values both ends of a bin are the value."""
    maps = []
    for pair in data.maps:
        y, x = (index.ravel() for index in np.indices(pair.counts.shape))
        columns: dict[str, Any] = {"x": pair.x.label.removesuffix(" (log)"), "y": pair.y.label.removesuffix(" (log)")}
        for name, axis, edges, index in (("x", pair.x, pair.x_edges, x), ("y", pair.y, pair.y_edges, y)):
            ends = (edges, edges) if axis.choices is not None else (edges[:-1], edges[1:])
            columns |= {f"{name}_from": ends[0][index], f"{name}_to": ends[1][index]}
        maps.append({**columns, "mean": pair.means.ravel(), "n_trials": pair.counts.ravel()})
    return _stacked(maps)


def survival_table(data: SurvivalData) -> pd.DataFrame:
    """Return a row per step of each curve."""
    return _stacked(
        {"series": one.look.label, data.unit: one.times, "share": one.share, "low": one.low, "high": one.high}
        for one in data.series
    )


def divergence_table(data: Divergence) -> pd.DataFrame:
    """Return a row per bin of each hyperparameter."""
    return _stacked(
        {
            "hyperparameter": one.axis.label.removesuffix(" (log)"),
            "from": one.share.left,
            "to": one.share.right,
            "n_trials": one.share.n,
            "share_diverged": one.share.share,
            "low": one.share.low,
            "high": one.share.high,
        }
        for one in data.axes
    )


def steps_table(data: StepDiagnostics) -> pd.DataFrame:
    """Return a row per epoch."""
    bands = {"max_step": data.max_step, "signal_to_noise": data.signal_to_noise}
    columns = {
        f"{name}_{part}": getattr(band, part) for name, band in bands.items() for part in ("median", "low", "high")
    }
    bounds = {"paper_bound": data.paper_bound, "provable_bound": data.provable_bound}
    return pd.DataFrame({"epoch": data.epochs, "steps": data.steps, **columns, **bounds})


def regret_table(data: RegretData) -> pd.DataFrame:
    """Return a row per trial that is drawn and time."""
    return _stacked(
        {"series": one.pick.label, "steps": one.steps, "average_regret": one.average, "over_root": one.over_root}
        for one in data.series
    )


def trajectories_table(data: TrajectoriesData) -> pd.DataFrame:
    """Return a row per trial that is drawn and step."""
    return _stacked({"series": one.label, "steps": one.steps, "x": one.x, "y": one.y} for one in data.paths)


def _stacked(parts: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    frames = [pd.DataFrame(part) for part in parts]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
