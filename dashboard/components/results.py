"""What a study found: its summary and its figures; all of it is kept until results are added."""

import plotly.graph_objects as go
import streamlit as st

from dashboard import queries
from dashboard.components.chart import chart
from dashboard.components.sensitivity import sensitivity_section
from dashboard.components.summary import summary_table, where_to_look
from dashboard.components.text import escape
from dashboard.components.workload_figures import WorkloadFigure, workload_figures
from studies.analysis.summary import StudySummary, summarise
from studies.db.records import StudyRecord
from studies.figures.convergence import convergence_data, convergence_figure
from studies.figures.importance import importance_data, importance_figure
from studies.figures.sensitivity import sensitivity_data, sensitivity_figure


def results(study: StudyRecord) -> None:
    """Draw the summary, convergence, sensitivity and importances of a study."""
    summary, convergence, sensitivity, importance, others = _analysed(queries.version(study), study)
    summary_table(summary)
    left, right = st.columns((3, 2), gap="medium")
    with left:
        st.subheader("Convergence", anchor=False)
        chart(convergence, study, "convergence", "The objective's curves against epochs, over trials and over seeds")
    with right, st.container(key="matters"):
        st.subheader("What matters", anchor=False)
        if summary.importances.message is None:
            chart(importance, study, "importance", "The importance of each hyperparameter with its interval")
        else:
            st.markdown(escape(summary.importances.message))
        where_to_look(summary)
    for other in others:
        st.subheader(other.title, anchor=False)
        chart(other.figure, study, other.name, other.alt)
    st.subheader("Sensitivity", anchor=False)
    chart(sensitivity, study, "sensitivity", "The objective of every trial against each searched hyperparameter")
    sensitivity_section(study)


@st.cache_resource(max_entries=16, show_spinner="Analysing the trials …")
def _analysed(
    version: str, _study: StudyRecord
) -> tuple[StudySummary, go.Figure, go.Figure, go.Figure, tuple[WorkloadFigure, ...]]:
    trials, curves = queries.trials(_study), queries.curves(_study)
    summary = summarise(_study, trials, curves)
    return (
        summary,
        convergence_figure(convergence_data(_study, trials, curves)),
        sensitivity_figure(sensitivity_data(_study, trials)),
        importance_figure(importance_data(_study.spec, summary.importances)),
        workload_figures(_study, trials, curves),
    )
