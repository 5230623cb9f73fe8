"""The studies of one workload side by side: what a comparison needs, read from the database and put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from studies.analysis import contest
from studies.analysis.budget import BudgetCurve, actual_curve, expected_curve
from studies.analysis.contest import Entrant, Standing
from studies.analysis.entrants import by_workload, common_quantity, labels
from studies.analysis.estimates import IntArray
from studies.analysis.finals import Finals, finals_of, finals_of_target
from studies.analysis.targets import TargetTimes, target_times
from studies.analysis.trials import complete_trials
from studies.db import aggregates, queries
from studies.db.engine import Database
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


def read_contests(db: Database, records: Sequence[StudyRecord]) -> tuple[Contest, ...]:
    """Return the comparison of each workload that some studies have."""
    names, found = labels(records), []
    for workload, group in by_workload(records).items():
        quantity, entrants = common_quantity([record.spec for record in group]), list[Entrant]()
        for record in group:
            table = complete_trials(record.spec, queries.trials_frame(db, record.id))
            finals = read_finals(db, record, table.numbers, quantity)
            if finals.best is not None:
                entrants.append(Entrant(record, names[record.id], table, finals))
        target = contest.common_target(entrants)
        times = {one.label: read_best_times(db, one, objective_column(quantity), target) for one in entrants}
        found.append(Contest(workload, quantity, tuple(entrants), target, times))
    return tuple(found)


def read_finals(db: Database, record: StudyRecord, numbers: IntArray, quantity: str) -> Finals:
    """Return what the replicates of a study's complete trials, of these numbers, reached in a quantity."""
    if quantity == "epochs_to_target":
        spec = record.spec
        assert spec.target is not None, "a spec with this objective has a target"
        reached = aggregates.reached_frame(db, record.id, objective_column(quantity), spec.target, has_seconds=False)
        return finals_of_target(target_times(reached), spec.epochs, numbers)
    ends = aggregates.ends_frame(db, record.id, quantity, record.spec.epochs, record.spec.n_seeds)
    return finals_of(ends, quantity, numbers)


def read_best_times(db: Database, entrant: Entrant, column: str, target: float | None) -> TargetTimes:
    """Return when the replicates of an entrant's best trial reached a target; without one none has."""
    finals = entrant.finals
    assert finals.best is not None, "only such entrants are compared"
    best = int(finals.numbers[finals.best])
    limit = float("-inf") if target is None else target  # nothing reaches it
    return target_times(aggregates.reached_frame(db, entrant.record.id, column, limit, [best]))


def budget_curve_of(entrant: Entrant, trials: pd.DataFrame) -> BudgetCurve | None:
    """Return the tuning-budget curve of an entrant; None where its sampler drew no trial that is complete.

    Args:
        entrant: the study.
        trials: its rows of the view `results`.
    """
    spec, table = entrant.record.spec, entrant.table
    if is_adaptive(spec):
        ordered = trials.sort_values(["finished_at", "trial"])
        return actual_curve(entrant.finals, ordered["trial"].to_numpy(np.int64))
    if spec.sampler == "grid":  # the default is a point of it like any other
        return expected_curve(entrant.finals, np.empty(0, dtype=np.int64))
    first = np.arange(len(spec.first_settings))
    return expected_curve(entrant.finals, np.union1d(first, table.numbers[table.is_default]))
