"""The studies of a suite side by side, in its report and in that of each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from studies.analysis.comparison import Comparison, over_workloads
from studies.analysis.contest import Standing, against
from studies.analysis.entrants import labels, remarks
from studies.analysis.estimates import Estimate
from studies.contests import Contest, budget_curve_of, read_contests
from studies.db import aggregates, queries
from studies.db.engine import Database
from studies.db.records import StudyRecord, SuiteRecord
from studies.figures.best_curves import best_curve, best_curves_figure
from studies.figures.budget import BudgetSeries, budget_figure
from studies.figures.entrants import Look, looks
from studies.figures.forest import ForestRow, forest_figure
from studies.report.study_figures import Figure, drawn

HEADS = ("study", "trial", "chosen", "judged", "steps to target", "diverged")
_FIRST = ("adam", "adamax")  #: what others are held against, where it is there


@dataclass(frozen=True)
class WorkloadPart:
    """The studies of one workload."""

    title: str
    rows: list[list[str]]  #: best settings, columns as `HEADS`
    figures: list[Figure]


@dataclass(frozen=True)
class ComparisonPart:
    """What the comparison of a suite's studies says."""

    suite: SuiteRecord
    remarks: tuple[str, ...]
    figures: list[Figure]
    workloads: list[WorkloadPart]


def comparison_part(database: Database, suite: SuiteRecord) -> ComparisonPart | None:
    """Return the comparison of a suite's studies; None where fewer than two have a complete trial."""
    records = sorted(suite.studies, key=_rank)
    found = tuple(one for one in read_contests(database, records) if one.entrants)
    if sum(len(one.entrants) for one in found) < 2:
        return None
    look = looks(records, labels(records))
    parts = [
        WorkloadPart(one.workload, [_row(standing) for standing in one.standings], _figures(database, one, look))
        for one in found
    ]
    return ComparisonPart(suite, remarks(records), _paired(found, look), parts)


def _rank(record: StudyRecord) -> int:
    optimizer = record.spec.optimizer
    return _FIRST.index(optimizer) if optimizer in _FIRST else len(_FIRST)


def _paired(found: Sequence[Contest], look: Mapping[str, Look]) -> list[Figure]:
    """Return the forest plot against the first study; none where nothing can be paired."""
    first = found[0].entrants[0].label
    compared = {
        one.workload: against(reference, one.entrants)
        for one in found
        for reference in one.entrants
        if reference.label == first
    }
    rows = list[ForestRow]()
    for label in dict.fromkeys(label for one in compared.values() for label in one):
        own = {workload: one[label] for workload, one in compared.items() if label in one}
        rows += [
            ForestRow(look[label], workload, one.ratio, one.n_pairs)
            for workload, one in own.items()
            if one.ratio is not None
        ]
        pooled = over_workloads([*own.values()])
        if pooled is not None:
            rows.append(ForestRow(look[label], None, pooled, len(own)))
    if not rows:
        return []
    quantities = {one.quantity_label.split(" (")[0] for one in found}
    quantity = quantities.pop() if len(quantities) == 1 else "final value"
    figure = forest_figure(rows, first, quantity)
    alt = f"Best settings against that of {first}, as ratios with intervals"
    return [drawn(f"Best settings against that of {first}", alt, _paired_caption(compared), figure)]


def _paired_caption(compared: Mapping[str, Mapping[str, Comparison]]) -> str:
    is_fair = all(one.is_fair for found in compared.values() for one in found.values())
    judges = (
        "Each half of the seeds judges settings that the other half chose; intervals allow for that."
        if is_fair
        else "With one seed the figures that chose the settings judge them too, so the best look better than they are."
    )
    return f"{judges} Pairs share initial weights and batches. Intervals are 95 % each, not of all rows together."


def _figures(database: Database, one: Contest, look: Mapping[str, Look]) -> list[Figure]:
    curves, budgets = [], []
    for entrant in one.entrants:
        assert entrant.finals.best is not None, "only such entrants are compared"
        trial = int(entrant.finals.numbers[entrant.finals.best])
        frame = aggregates.curves_of_trials(database, entrant.record.id, [trial])
        curves.append(best_curve(look[entrant.label], trial, frame, one.column))
        budget = budget_curve_of(entrant, queries.trials_frame(database, entrant.record.id))
        if budget is not None:
            budgets.append(BudgetSeries(look[entrant.label], budget, None))
    found = [
        drawn(
            "Convergence of the best",
            f"Curves of the best settings on {one.workload}",
            "Medians over the seeds, the bands from the best seed to the worst; each setting is its study's best.",
            best_curves_figure(curves, one.column_label, one.target),
        )
    ]
    if budgets:
        caption = (
            "The best of k trials drawn from those that were tried, on average over all choices, with 95 % "
            "intervals up to a quarter of the trials; beyond, it hangs on better values than any that were seen."
        )
        alt = f"Expected best value on {one.workload} against the number of trials"
        found.append(drawn("Tuning budget", alt, caption, budget_figure(budgets, one.quantity_label)))
    return found


def _row(one: Standing) -> list[str]:
    return [
        one.label,
        str(one.trial),
        _text(one.chosen),
        "–" if one.judged is None else _text(one.judged),
        _text(one.to_target.steps) if np.isfinite(one.to_target.steps.value) else "∞",
        f"{one.n_diverged} of {one.n_trials}",
    ]


def _text(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.4g}"
    return f"{estimate.value:.4g} ({estimate.low:.4g} to {estimate.high:.4g})".replace("inf", "∞")
