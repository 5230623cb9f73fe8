"""The figures that only some workloads have: trajectories of few parameters, the regret of online problems."""

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dashboard import queries
from studies.db.records import StudyRecord
from studies.figures.regret import regret_data, regret_figure
from studies.figures.trajectories import trajectories_data, trajectories_figure


@dataclass(frozen=True)
class WorkloadFigure:
    """A figure with what stands around it."""

    name: str
    title: str
    alt: str
    figure: go.Figure


def workload_figures(study: StudyRecord, trials: pd.DataFrame, curves: pd.DataFrame) -> tuple[WorkloadFigure, ...]:
    """Return the figures of the study's workload that others do not have.

    Args:
        study: the study.
        trials: its rows of the view `results`.
        curves: its rows of the view `curves`.
    """
    workload, found = study.spec.known_workload, []
    if workload and workload.online:
        figure = regret_figure(regret_data(study, trials, curves))
        found.append(WorkloadFigure("regret", "Regret", "The regret of chosen trials against the steps", figure))
    if workload and workload.n_coordinates:
        figure = trajectories_figure(trajectories_data(study, trials, queries.trajectories(study)))
        found.append(WorkloadFigure("trajectories", "Trajectories", "The way of chosen trials", figure))
    return tuple(found)
