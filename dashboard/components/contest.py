"""What a comparison needs of the database, aggregated there and kept until results are added."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import queries
from dashboard.components.parallel import in_parallel
from studies.analysis import contest
from studies.analysis.budget import BudgetCurve
from studies.analysis.contest import Entrant
from studies.analysis.entrants import by_workload, common_quantity, labels
from studies.analysis.fates import trial_survival
from studies.analysis.finals import Finals
from studies.analysis.survival import Survival
from studies.analysis.targets import TargetTimes, of_trials, target_times
from studies.analysis.trials import complete_trials
from studies.contests import Contest, budget_curve_of, read_best_times, read_finals
from studies.db import aggregates
from studies.db.records import StudyRecord
from studies.objective import objective_column


def contests(records: Sequence[StudyRecord]) -> tuple[Contest, ...]:
    """Return the comparison of each workload."""
    return _contests(tuple(queries.version(record) for record in records), records)


def read_ahead(found: Contest) -> None:
    """Find at the same time, of all entrants, what the figures of a contest are made of."""
    calls: list[Callable[[], object]] = []
    for one in found.entrants:
        if found.target is not None:
            calls.append(partial(reached, one.record, found.column, found.target))
        calls += [partial(budget_curve, one), partial(survival, one.record)]
    in_parallel(calls)


def best_curves(study: StudyRecord, trial: int) -> pd.DataFrame:
    """Return the rows that the view `curves` has of one trial."""
    return aggregates.curves_of_trials(queries.database(), study.id, [trial])


def survival(study: StudyRecord) -> Survival:
    """Return the share of the study's trials that are neither diverged nor pruned, against epochs."""
    return _survival(queries.version(study), study)


def reached(study: StudyRecord, column: str, target: float) -> TargetTimes:
    """Return when each complete trial of the study reached a target, in epochs and steps."""
    return _reached(queries.version(study), column, target, study)


def budget_curve(entrant: Entrant) -> BudgetCurve | None:
    """Return the tuning-budget curve of an entrant; None where its sampler drew no trial that is complete."""
    return _budget_curve(queries.version(entrant.record), entrant.finals.quantity, entrant)


@st.cache_resource(max_entries=8, show_spinner="Comparing the studies …")
def _contests(versions: tuple[str, ...], _records: Sequence[StudyRecord]) -> tuple[Contest, ...]:
    names = labels(_records)
    return tuple(_contest(workload, group, names) for workload, group in by_workload(_records).items())


def _contest(workload: str, records: Sequence[StudyRecord], names: Mapping[str, str]) -> Contest:
    quantity = common_quantity([record.spec for record in records])
    every = in_parallel([partial(_entrant, record, names[record.id], quantity) for record in records])
    entrants = tuple(one for one in every if one.finals.best is not None)
    target, column = contest.common_target(entrants), objective_column(quantity)
    times = {one.label: read_best_times(queries.database(), one, column, target) for one in entrants}
    return Contest(workload, quantity, entrants, target, times)


def _entrant(record: StudyRecord, label: str, quantity: str) -> Entrant:
    table = complete_trials(record.spec, queries.trials(record))
    return Entrant(record, label, table, _finals(queries.version(record), quantity, record))


@st.cache_resource(max_entries=64, show_spinner=False)
def _finals(version: str, quantity: str, _record: StudyRecord) -> Finals:
    numbers = complete_trials(_record.spec, queries.trials(_record)).numbers
    return read_finals(queries.database(), _record, numbers, quantity)


@st.cache_resource(max_entries=64, show_spinner=False)
def _survival(version: str, _study: StudyRecord) -> Survival:
    return trial_survival(queries.trials(_study), aggregates.diverged_frame(queries.database(), _study.id))


@st.cache_resource(max_entries=64, show_spinner=False)
def _reached(version: str, column: str, target: float, _study: StudyRecord) -> TargetTimes:
    complete = queries.trials(_study).loc[lambda trials: trials["state"] == "complete", "trial"]
    found = aggregates.reached_frame(queries.database(), _study.id, column, target, has_seconds=False)
    return of_trials(target_times(found[found["trial"].isin(complete)]))


@st.cache_resource(max_entries=64, show_spinner=False)
def _budget_curve(version: str, quantity: str, _entrant: Entrant) -> BudgetCurve | None:
    return budget_curve_of(_entrant, queries.trials(_entrant.record))
