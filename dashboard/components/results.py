"""What a study found: its summary and its figures; all of it is kept until results are added."""

import plotly.graph_objects as go
import streamlit as st

from dashboard import queries
from dashboard.components.summary import summary_table, where_to_look
from dashboard.components.text import escape
from studies.analysis.summary import StudySummary, summarise
from studies.db.records import StudyRecord
from studies.figures.convergence import convergence_data, convergence_figure
from studies.figures.importance import importance_data, importance_figure
from studies.figures.sensitivity import sensitivity_data, sensitivity_figure

_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def results(study: StudyRecord) -> None:
    """Draw the summary, convergence, sensitivity and importances of a study."""
    summary, convergence, sensitivity, importance = _analysed(queries.version(study), study)
    summary_table(summary)
    left, right = st.columns((3, 2), gap="medium")
    with left:
        st.subheader("Convergence", anchor=False)
        _chart(convergence, study, "convergence", "The objective's curves against epochs, over trials and over seeds")
    with right, st.container(key="matters"):
        st.subheader("What matters", anchor=False)
        if summary.importances.message is None:
            _chart(importance, study, "importance", "The importance of each hyperparameter with its interval")
        else:
            st.markdown(escape(summary.importances.message))
        where_to_look(summary)
    st.subheader("Sensitivity", anchor=False)
    _chart(sensitivity, study, "sensitivity", "The objective of every trial against each searched hyperparameter")


def _chart(figure: go.Figure, study: StudyRecord, name: str, alt: str) -> None:
    image = {"filename": f"{study.id}-{name}", "format": "svg"}
    st.plotly_chart(
        figure,
        key=f"{name}_{study.id}",
        config={**_CONFIG, "toImageButtonOptions": image},
        alt=f"{alt} of {study.name}",
    )


@st.cache_resource(max_entries=16, show_spinner="Analysing the trials …")
def _analysed(version: str, _study: StudyRecord) -> tuple[StudySummary, go.Figure, go.Figure, go.Figure]:
    trials, curves = queries.trials(_study), queries.curves(_study)
    summary = summarise(_study, trials, curves)
    return (
        summary,
        convergence_figure(convergence_data(_study, trials, curves)),
        sensitivity_figure(sensitivity_data(_study, trials)),
        importance_figure(importance_data(_study.spec, summary.importances)),
    )
