"""The figures of a study in a report: what the sections of its page show, whole without a server."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go
from markupsafe import Markup

from studies.analysis.axes import searched_axes
from studies.analysis.fates import divergence, trial_survival
from studies.analysis.step_diagnostics import step_diagnostics
from studies.analysis.summary import StudySummary
from studies.analysis.targets import of_trials, target_times, target_within
from studies.db import aggregates, queries
from studies.db.engine import Database
from studies.db.records import StudyRecord
from studies.figures import captions
from studies.figures.convergence import convergence_data, convergence_figure
from studies.figures.divergence import divergence_figure
from studies.figures.entrants import Look, looks
from studies.figures.importance import importance_data, importance_figure
from studies.figures.pair_map import pair_map_data, pair_map_figure
from studies.figures.regret import regret_data, regret_figure
from studies.figures.sensitivity import sensitivity_data, sensitivity_figure
from studies.figures.steps import steps_figure
from studies.figures.survival import survival_data, survival_figure
from studies.figures.theme import NEUTRAL_COLOUR
from studies.figures.trajectories import trajectories_data, trajectories_figure
from studies.objective import objective_column

_CONFIG = {"displaylogo": False, "responsive": True}


@dataclass(frozen=True)
class Figure:
    """A figure with what stands around it."""

    title: str
    alt: str  #: what a screen reader says of it
    caption: str
    html: Markup


def drawn(title: str, alt: str, caption: str, figure: go.Figure) -> Figure:
    """Return a figure that draws itself with the page's own script."""
    figure.update_layout(modebar={"bgcolor": "rgba(0, 0, 0, 0)", "color": NEUTRAL_COLOUR})
    html = figure.to_html(full_html=False, include_plotlyjs=False, config=_CONFIG)
    return Figure(title, alt, caption, Markup(html))


def study_figures(
    database: Database, record: StudyRecord, summary: StudySummary, trials: pd.DataFrame, curves: pd.DataFrame
) -> Iterator[Figure]:
    """Yield the figures of a study of which an epoch is recorded, from its curves to its steps.

    Args:
        database: where the study is.
        record: the study.
        summary: what it found.
        trials: its rows of the view `results`.
        curves: its rows of the view `curves`.
    """
    name = record.name
    curve_data = convergence_data(record, trials, curves)
    yield drawn(
        "Convergence",
        f"The objective's curves of {name} against epochs, over trials and over seeds",
        captions.convergence(curve_data, curve_data.n_trials),
        convergence_figure(curve_data),
    )
    yield from _of_workload(database, record, trials, curves)
    yield from _fates(database, record, trials)
    if summary.importances.message is None:
        yield drawn(
            "What matters",
            f"The importance of each hyperparameter of {name} with its interval",
            captions.IMPORTANCE,
            importance_figure(importance_data(record.spec, summary.importances)),
        )
    yield from _sensitivity(record, trials)
    if record.spec.diagnostics:
        found = step_diagnostics(queries.diagnostics_frame(database, record.id), trials)
        alt = f"The largest step beside its bounds and the signal-to-noise ratio of {name}, against epochs"
        yield drawn("Size of steps", alt, captions.steps(found, 0, 0), steps_figure(found, _look(record)))


def _of_workload(
    database: Database, record: StudyRecord, trials: pd.DataFrame, curves: pd.DataFrame
) -> Iterator[Figure]:
    workload = record.spec.known_workload
    if workload and workload.online:
        regret = regret_figure(regret_data(record, trials, curves))
        yield drawn("Regret", f"The regret of chosen trials of {record.name}", captions.REGRET, regret)
    if workload and workload.n_coordinates:
        ways = trajectories_data(record, trials, queries.trajectories_frame(database, record.id))
        alt = f"The ways of chosen trials of {record.name}"
        yield drawn("Trajectories", alt, captions.TRAJECTORIES, trajectories_figure(ways))


def _fates(database: Database, record: StudyRecord, trials: pd.DataFrame) -> Iterator[Figure]:
    name, look, spec = record.name, _look(record), record.spec
    target = target_within(record.best_objective) if spec.target is None else spec.target
    if target is not None:
        rows = aggregates.reached_frame(
            database, record.id, objective_column(spec.objective), target, has_seconds=False
        )
        complete = trials.loc[trials["state"] == "complete", "trial"]
        times = of_trials(target_times(rows[rows["trial"].isin(complete)])).survival("steps")
        yield drawn(
            "Time to target",
            f"Share of the trials of {name} that reached the target, against steps",
            captions.time_to_target(record, target),
            survival_figure(survival_data([(look, times)], "reached", "steps", "trials")),
        )
    left = trial_survival(trials, aggregates.diverged_frame(database, record.id))
    yield drawn(
        "Survival of trials",
        f"Share of the trials of {name} that neither diverged nor were pruned, against epochs",
        captions.survival(record),
        survival_figure(survival_data([(look, left)], "left", "epochs", "trials")),
    )
    found = divergence(spec, trials)
    yield drawn(
        "Where trials diverge",
        f"Share of the trials of {name} that diverge against each searched hyperparameter",
        captions.divergence(found),
        divergence_figure(found, look),
    )


def _sensitivity(record: StudyRecord, trials: pd.DataFrame) -> Iterator[Figure]:
    alone = sensitivity_data(record, trials)
    yield drawn(
        "Sensitivity",
        f"The objective of every trial of {record.name} against each searched hyperparameter",
        captions.sensitivity(alone),
        sensitivity_figure(alone),
    )
    pairs = pair_map_data(record.spec, trials)
    if len(searched_axes(record.spec)) > 1 and pairs.maps:
        alt = f"The mean objective of {record.name} in bins of each two searched hyperparameters"
        yield drawn("Two hyperparameters at a time", alt, captions.pair_maps(pairs), pair_map_figure(pairs))


def _look(record: StudyRecord) -> Look:
    title = record.spec.optimizer_entry.title
    return looks([record], {record.id: title})[title]
