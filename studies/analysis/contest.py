"""Everything that a comparison of several studies of one workload says, from what each of them reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from studies.analysis.comparison import Comparison, compare
from studies.analysis.entrants import can_pair
from studies.analysis.estimates import Estimate, FloatArray
from studies.analysis.finals import Finals, judge, judged_mean
from studies.analysis.targets import TargetSummary, TargetTimes, target_summary, target_within
from studies.analysis.trials import TrialTable
from studies.db.records import StudyRecord
from studies.spec import ADAPTIVE_SAMPLERS, StudySpec


@dataclass(frozen=True)
class Entrant:
    """A study in a comparison, with its complete trials."""

    record: StudyRecord
    label: str
    table: TrialTable
    finals: Finals  #: in the quantity that all entrants of the workload share


@dataclass(frozen=True)
class Standing:
    """The best setting of an entrant."""

    label: str
    trial: int
    setting: dict[str, float]
    chosen: Estimate  #: mean over the seeds of the setting that is best by all of them; flattered, so no interval
    judged: Estimate | None  #: mean of the seeds' verdicts on settings that the other half chose; None with one seed
    n_trials: int
    n_diverged: int
    to_target: TargetSummary  #: of the best setting, over its seeds


def common_target(entrants: Sequence[Entrant]) -> float | None:
    """Return the target of a workload: that of the specs if they have one, else within 10 % of the best mean."""
    given = {one.record.spec.target for one in entrants if one.finals.quantity == "epochs_to_target"}
    if len(given) == 1:
        return given.pop()
    best = [float(one.finals.means[one.finals.best]) for one in entrants if one.finals.best is not None]
    return target_within(min(best, default=None))


def standing(entrant: Entrant, times: TargetTimes) -> Standing | None:
    """Return what the best setting of an entrant reached; None without a complete trial.

    Args:
        entrant: the study.
        times: of the replicates of its best trial.
    """
    finals, verdict = entrant.finals, judge(entrant.finals)
    if finals.best is None or verdict is None:
        return None
    row = int(np.searchsorted(entrant.table.numbers, finals.numbers[finals.best]))
    return Standing(
        label=entrant.label,
        trial=int(finals.numbers[finals.best]),
        setting=entrant.table.setting(row),
        chosen=Estimate(float(np.mean(finals.values[finals.best])), None, None),
        judged=judged_mean(verdict.values) if verdict.is_fair else None,
        n_trials=len(entrant.table),
        n_diverged=int(entrant.table.diverged.sum()),
        to_target=target_summary(times),
    )


def against(reference: Entrant, others: Sequence[Entrant]) -> dict[str, Comparison]:
    """Return the comparison of each other entrant with the reference, by label, of those that can be paired.

    Settings that a sampler chose by results, or that a pruner left, are no independent draws: the probability that one
    of them beats another has no interval then.
    """
    found = {}
    for other in others:
        if other.label == reference.label or not can_pair([reference.record.spec, other.record.spec]):
            continue
        comparison = compare(other.finals, reference.finals)
        if comparison is None:
            continue
        if not all(_are_drawn(one.record.spec) for one in (other, reference)):
            comparison = replace(comparison, settings=Estimate(comparison.settings.value, None, None))
        found[other.label] = comparison
    return found


def target_costs(times: Sequence[TargetTimes]) -> FloatArray:
    """Return the steps to the target of each solver for each seed, [S, R]; infinite where it was missed.

    Args:
        times: of the replicates of each solver's best trial, S of them; R is the fewest that one has.
    """
    n_seeds = min(len(one.steps) for one in times)
    steps = [np.where(one.reached, np.maximum(one.steps, 1.0), np.inf)[:n_seeds] for one in times]
    found: FloatArray = np.array(steps)
    return found


def common_labels(workloads: Mapping[str, Sequence[Entrant]]) -> tuple[str, ...]:
    """Return the labels that have a complete trial on every workload, in the order of the first."""
    sets = [{one.label for one in entrants if one.finals.best is not None} for entrants in workloads.values()]
    first: Sequence[Entrant] = next(iter(workloads.values()), ())
    return tuple(one.label for one in first if all(one.label in labels for labels in sets))


def _are_drawn(spec: StudySpec) -> bool:
    return spec.sampler not in ADAPTIVE_SAMPLERS and spec.pruner == "none"
