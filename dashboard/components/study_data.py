"""What the sections of a study's page need, aggregated in the database and kept until results are added."""

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import queries
from studies.analysis.fates import Divergence, divergence
from studies.analysis.step_diagnostics import StepDiagnostics, step_diagnostics
from studies.analysis.targets import TargetTimes, target_times, target_within
from studies.db import aggregates
from studies.db.records import StudyRecord
from studies.figures.entrants import Look, looks
from studies.figures.picks import picks
from studies.objective import objective_column

_MAX_ROWS = 60_000  #: of curves or diagnostics that are read at most, half a second's worth


def look_of(study: StudyRecord) -> Look:
    """Return how the study looks where it is alone: its optimizer's look."""
    title = study.spec.optimizer_entry.title
    return looks([study], {study.id: title})[title]


def some_trials(study: StudyRecord) -> list[int]:
    """Return the trials whose curves are read: all, or of many a fixed random part with the picked ones in it."""
    trials = queries.trials(study)
    begun = trials.loc[trials["state"] != "waiting", "trial"].to_numpy(np.int64)
    n = max(1, _MAX_ROWS // (study.spec.n_seeds * (study.spec.epochs + 1)))
    if len(begun) <= n:
        found: list[int] = begun.tolist()
        return found
    drawn = np.random.default_rng(0).choice(begun, n, replace=False)
    chosen: list[int] = np.union1d(drawn, [pick.trial for pick in picks(study, trials)]).tolist()
    return chosen


def n_begun(study: StudyRecord) -> int:
    """Return how many trials of the study have left the queue."""
    return study.n_trials - study.counts.get("waiting", 0)


def some_curves(study: StudyRecord) -> pd.DataFrame:
    """Return the objective's curves of `some_trials`; they can be many, so only what is made of them is kept."""
    columns = ("trial", "replicate", "epoch", objective_column(study.spec.objective), "diverged")
    return aggregates.curves_of_trials(queries.database(), study.id, some_trials(study), columns)


def best_curves(study: StudyRecord) -> pd.DataFrame:
    """Return the curves of the best trial and of the optimizer's default."""
    wanted = [pick.trial for pick in picks(study, queries.trials(study)) if pick.role in ("best", "default")]
    return aggregates.curves_of_trials(queries.database(), study.id, wanted)


def target(study: StudyRecord) -> float | None:
    """Return the target that the spec sets, else one within 10 % of the best objective; None where that is below 0."""
    return target_within(study.best_objective) if study.spec.target is None else study.spec.target


@st.cache_resource(max_entries=16, show_spinner="Looking when the target was reached …")
def reached(version: str, limit: float, _study: StudyRecord) -> TargetTimes:
    """Return when each replicate of a complete trial first was at or below a limit of the objective's metric."""
    trials = queries.trials(_study)
    column = objective_column(_study.spec.objective)
    found = aggregates.reached_frame(queries.database(), _study.id, column, limit)
    return target_times(found[found["trial"].isin(trials.loc[trials["state"] == "complete", "trial"])])


@st.cache_resource(max_entries=16, show_spinner=False)
def diverged(version: str, _study: StudyRecord) -> Divergence:
    """Return how often trials diverge, along each searched hyperparameter."""
    return divergence(_study.spec, queries.trials(_study))


@st.cache_resource(max_entries=16, show_spinner="Reading the diagnostics …")
def steps(version: str, _study: StudyRecord) -> StepDiagnostics:
    """Return the sizes of steps and the signal-to-noise ratio of `some_trials`."""
    rows = aggregates.diagnostics_of_trials(queries.database(), _study.id, some_trials(_study))
    return step_diagnostics(rows, queries.trials(_study))
