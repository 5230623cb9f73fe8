"""What a study found, in figures and in words: the command prints it at the end, the dashboard at the top."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from studies.analysis.axes import Axis, searched_axes
from studies.analysis.curves import align, of_trial
from studies.analysis.estimates import Estimate, mean_estimate
from studies.analysis.importance import Importances, importances
from studies.analysis.ranking import (
    BoundaryHit,
    DefaultRank,
    GoodRegion,
    boundary_hits,
    good_region,
    good_share,
    rank_default,
)
from studies.analysis.trials import TrialTable, complete_trials
from studies.db.records import StudyRecord
from studies.parameters import PARAMETERS


@dataclass(frozen=True)
class SettingResult:
    """A trial with what it reached."""

    trial: int
    setting: dict[str, float]
    objective: Estimate  #: mean over the seeds; without an interval where they chose the setting among others
    test_error: Estimate | None  #: mean over the seeds; None where undefined
    n_seeds: int
    diverged: bool  #: in at least one seed


@dataclass(frozen=True)
class StudySummary:
    """What a study found so far."""

    study_id: str
    study: str
    workload: str
    optimizer: str
    objective_name: str
    n_trials: int
    n_complete: int
    n_diverged: int  #: of the complete trials, those that diverged in at least one seed
    best: SettingResult | None
    default: SettingResult | None  #: the optimizer's default; None where it was not tried or has not ended
    default_rank: DefaultRank | None
    importances: Importances
    boundary_hits: tuple[BoundaryHit, ...]
    good_region: GoodRegion | None  #: along α, where it is searched
    good_share: Estimate | None  #: of the search space; None where trials are not drawn evenly from it
    where_to_look: tuple[str, ...]

    @property
    def share_diverged(self) -> float | None:
        """Share of the complete trials that diverged, from 0 to 1; None without any."""
        return self.n_diverged / self.n_complete if self.n_complete else None


def summarise(record: StudyRecord, trials: pd.DataFrame, curves: pd.DataFrame | None) -> StudySummary:
    """Return what a study found.

    Args:
        record: the study.
        trials: a frame with the columns of the view `results`.
        curves: a frame with the columns of the view `curves`, for the test error's interval; None goes without it.
    """
    spec = record.spec
    table, axes = complete_trials(spec, trials), searched_axes(spec)
    found = importances(spec, trials)
    hits = boundary_hits(table, axes)
    region = good_region(table, "alpha") if any(axis.parameter.name == "alpha" for axis in axes) else None
    share = good_share(spec, table)
    return StudySummary(
        study_id=record.id,
        study=record.name,
        workload=spec.workload_label,
        optimizer=spec.optimizer,
        objective_name=spec.objective,
        n_trials=record.n_trials,
        n_complete=len(table),
        n_diverged=int(table.diverged.sum()),
        best=_best(table, curves),
        default=_result(table, table.default, curves),
        default_rank=rank_default(table),
        importances=found,
        boundary_hits=hits,
        good_region=region,
        good_share=share,
        where_to_look=_where_to_look(table, axes, found, hits, region, share),
    )


def _best(table: TrialTable, curves: pd.DataFrame | None) -> SettingResult | None:
    """Return the best trial; an interval around the least of many means would hold its true one far too seldom."""
    found = _result(table, table.best, curves)
    if found is None or len(table) == 1:
        return found
    return replace(found, objective=Estimate(found.objective.value, None, None))


def _result(table: TrialTable, index: int | None, curves: pd.DataFrame | None) -> SettingResult | None:
    if index is None:
        return None
    return SettingResult(
        trial=int(table.numbers[index]),
        setting=table.setting(index),
        objective=table.estimate(index),
        test_error=_test_error(table, index, curves),
        n_seeds=int(table.n_seeds[index]),
        diverged=bool(table.diverged[index]),
    )


def _test_error(table: TrialTable, index: int, curves: pd.DataFrame | None) -> Estimate | None:
    """Return the test error at the last epoch; a trial with a diverged replicate has none."""
    mean, trial = float(table.test_error[index]), int(table.numbers[index])
    if table.diverged[index] or np.isnan(mean):
        return None
    if curves is not None and len(own := curves[curves["trial"] == trial]):
        return mean_estimate(of_trial(align(own, "test_error"), trial)[:, -1])
    return Estimate(mean, None, None)


def _where_to_look(
    table: TrialTable,
    axes: tuple[Axis, ...],
    found: Importances,
    hits: tuple[BoundaryHit, ...],
    region: GoodRegion | None,
    share: Estimate | None,
) -> tuple[str, ...]:
    """Return what to try next: what to widen, else what matters most and how wide the good region is."""
    if table.best is None:
        return ("No trial is complete yet.",)
    if table.diverged.all():
        return ("Every trial diverged in at least one seed: search smaller α.",)
    if table.is_hopeless:
        return ("Every trial missed the target: give them more epochs, or set a target that is easier to reach.",)
    if hits:
        return tuple(_hit_line(hit) for hit in hits)
    lines = [found.message] if found.message else [_importance_line(found)]
    if region is not None:
        lines.append(_region_line(region, share))
    return tuple(lines)


def _hit_line(hit: BoundaryHit) -> str:
    parameter = PARAMETERS[hit.parameter]
    way, end = ("upward", "upper") if hit.is_upper else ("downward", "lower")
    place = f"at the {end} end of the search, {parameter.text(hit.edge)}"
    best = f"; the best is {parameter.text(hit.best)}" if hit.is_best_near else ""
    return f"Widen {parameter.symbol} {way}: {hit.n_near} of the {hit.n_top} best settings lie {place}{best}."


def _importance_line(found: Importances) -> str:
    first = found.values[0]
    share = first.share
    line = f"{PARAMETERS[first.parameter].symbol} matters most: {100 * share.value:.0f} % of the importance"
    if share.low is None or share.high is None:
        return f"{line}."
    return f"{line} (95 % interval {100 * share.low:.0f} to {100 * share.high:.0f} %)."


def _region_line(region: GoodRegion, share: Estimate | None) -> str:
    symbol = PARAMETERS[region.parameter].symbol
    if region.decades is None:
        return f"Only one {symbol}, {region.low:.4g}, comes within 10 % of the best objective: search around it."
    line = (
        f"The good region spans {region.decades:.1f} decades of {symbol}: {region.n_settings} settings within 10 % of "
        f"the best objective, from {region.low:.4g} to {region.high:.4g}"
    )
    if share is None or share.low is None or share.high is None:
        return f"{line}."
    interval = f"95 % interval {100 * share.low:.2g} to {100 * share.high:.2g} %"
    return f"{line}. It is {100 * share.value:.2g} % of the search space ({interval})."
