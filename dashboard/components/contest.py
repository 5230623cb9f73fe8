"""What a comparison needs of the database, aggregated there and kept until results are added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import queries
from studies.analysis import contest
from studies.analysis.budget import BudgetCurve, actual_curve, expected_curve
from studies.analysis.contest import Entrant, Standing
from studies.analysis.entrants import by_workload, common_quantity, labels
from studies.analysis.fates import trial_survival
from studies.analysis.finals import Finals, finals_of, finals_of_target
from studies.analysis.survival import Survival
from studies.analysis.targets import TargetTimes, of_trials, target_times
from studies.analysis.trials import complete_trials
from studies.db import aggregates
from studies.db.records import StudyRecord
from studies.figures import theme
from studies.objective import objective_column
from studies.samplers import is_adaptive


@dataclass(frozen=True)
class Contest:
    """The studies of one workload."""

    workload: str
    quantity: str
    entrants: tuple[Entrant, ...]  #: those with a complete trial
    target: float | None  #: of the quantity's column of the view `curves`
    best_times: Mapping[str, TargetTimes]  #: of the best trial's replicates, by label

    @property
    def column(self) -> str:
        """The column of the view `curves` that the quantity is made from."""
        return objective_column(self.quantity)

    @property
    def quantity_label(self) -> str:
        """What the quantity is called on an axis."""
        return theme.quantity_label(self.quantity, self.entrants[0].record.spec.known_workload)

    @property
    def column_label(self) -> str:
        """What its column is called on an axis."""
        return theme.quantity_label(self.column, self.entrants[0].record.spec.known_workload)

    @property
    def standings(self) -> tuple[Standing, ...]:
        """The best setting of each entrant."""
        found = (contest.standing(one, self.best_times[one.label]) for one in self.entrants)
        return tuple(one for one in found if one is not None)


def contests(records: Sequence[StudyRecord]) -> tuple[Contest, ...]:
    """Return the comparison of each workload."""
    return _contests(tuple(queries.version(record) for record in records), records)


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
    every = (_entrant(record, names[record.id], quantity) for record in records)
    entrants = tuple(one for one in every if one.finals.best is not None)
    target, column = contest.common_target(entrants), objective_column(quantity)
    times = {one.label: _best_times(one, column, target) for one in entrants}
    return Contest(workload, quantity, entrants, target, times)


def _entrant(record: StudyRecord, label: str, quantity: str) -> Entrant:
    table = complete_trials(record.spec, queries.trials(record))
    return Entrant(record, label, table, _finals(queries.version(record), quantity, record))


@st.cache_resource(max_entries=64, show_spinner=False)
def _finals(version: str, quantity: str, _record: StudyRecord) -> Finals:
    spec, db = _record.spec, queries.database()
    numbers = complete_trials(spec, queries.trials(_record)).numbers
    if quantity == "epochs_to_target":
        assert spec.target is not None, "a spec with this objective has a target"
        reached = aggregates.reached_frame(db, _record.id, objective_column(quantity), spec.target, has_seconds=False)
        return finals_of_target(target_times(reached), spec.epochs, numbers)
    return finals_of(aggregates.ends_frame(db, _record.id, quantity, spec.epochs), quantity, numbers)


def _best_times(entrant: Entrant, column: str, target: float | None) -> TargetTimes:
    finals = entrant.finals
    assert finals.best is not None, "only such entrants are compared"
    best = int(finals.numbers[finals.best])
    limit = float("-inf") if target is None else target  # nothing reaches it
    return target_times(aggregates.reached_frame(queries.database(), entrant.record.id, column, limit, [best]))


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
    spec, table = _entrant.record.spec, _entrant.table
    if is_adaptive(spec):
        trials = queries.trials(_entrant.record).sort_values(["finished_at", "trial"])
        return actual_curve(_entrant.finals, trials["trial"].to_numpy(np.int64))
    if spec.sampler == "grid":  # the default is a point of it like any other
        return expected_curve(_entrant.finals, np.empty(0, dtype=np.int64))
    first = np.arange(len(spec.first_settings))
    return expected_curve(_entrant.finals, np.union1d(first, table.numbers[table.is_default]))
