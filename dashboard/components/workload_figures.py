"""The figures that only some workloads have: trajectories of few parameters, the regret of online problems."""

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dashboard import queries
from studies.db.aggregates import curves_of_trials, trajectories_of_trials
from studies.db.records import StudyRecord
from studies.figures import captions
from studies.figures.picks import picks
from studies.figures.regret import regret_data, regret_figure
from studies.figures.tables import regret_table, trajectories_table
from studies.figures.trajectories import trajectories_data, trajectories_figure


@dataclass(frozen=True)
class WorkloadFigure:
    """A figure with what stands around it."""

    name: str
    title: str
    alt: str
    figure: go.Figure
    table: pd.DataFrame
    caption: str
    is_surface: bool  #: whether the page of the surfaces shows it too

    def rows(self) -> pd.DataFrame:
        """Return what the figure shows."""
        return self.table


def workload_figures(study: StudyRecord, trials: pd.DataFrame) -> tuple[WorkloadFigure, ...]:
    """Return the figures of the study's workload that others do not have.

    Args:
        study: the study.
        trials: its rows of the view `results`.
    """
    workload, found = study.spec.known_workload, []
    database, drawn = queries.database(), [pick.trial for pick in picks(study, trials)]
    if workload and workload.online:
        regret = regret_data(study, trials, curves_of_trials(database, study.id, drawn))
        alt, figure = "The regret of chosen trials against the steps", regret_figure(regret)
        found.append(WorkloadFigure("regret", "Regret", alt, figure, regret_table(regret), captions.REGRET, False))
    if workload and workload.n_coordinates:
        ways = trajectories_data(study, trials, trajectories_of_trials(database, study.id, drawn))
        alt, figure, table = "The way of chosen trials", trajectories_figure(ways), trajectories_table(ways)
        is_surface = ways.surface is not None
        found.append(
            WorkloadFigure("trajectories", "Trajectories", alt, figure, table, captions.TRAJECTORIES, is_surface)
        )
    return tuple(found)
