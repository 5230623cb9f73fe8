"""What a study found, in one look: its best setting, its curves, and what matters."""

import streamlit as st

from dashboard import queries
from dashboard.components import study_data
from dashboard.components.chart import chart
from dashboard.components.summary import summary_table, where_to_look
from dashboard.components.text import escape
from studies.analysis.summary import StudySummary, summarise
from studies.db.records import StudyRecord
from studies.figures import captions
from studies.figures.convergence import ConvergenceData, convergence_data, convergence_figure
from studies.figures.importance import importance_data, importance_figure
from studies.figures.tables import convergence_table, importance_table


def overview_section(study: StudyRecord) -> None:
    """Draw the summary, the curves and the importances; the curves, which are faster, come first."""
    version = queries.version(study)
    head = st.container()
    left, right = st.columns((3, 2), gap="medium")
    with left:
        _curves(study, version)
    summary = _summary(version, study)
    with head:
        summary_table(summary)
    with right, st.container(key="beside_curves"):
        st.subheader("What matters", anchor=False)
        _importances(study, summary)
        where_to_look(summary)


def _curves(study: StudyRecord, version: str) -> None:
    st.subheader("Convergence", anchor=False)
    data = _convergence(version, study)
    chart(
        convergence_figure(data),
        study,
        "convergence",
        "The objective's curves against epochs, over trials and over seeds,",
        lambda: convergence_table(data),
        captions.convergence(data, study_data.n_begun(study)),
    )


def _importances(study: StudyRecord, summary: StudySummary) -> None:
    found = summary.importances
    if found.message is not None:
        st.markdown(escape(found.message))
        return
    data = importance_data(study.spec, found)
    chart(
        importance_figure(data),
        study,
        "importance",
        "The importance of each hyperparameter with its interval",
        lambda: importance_table(data),
        captions.IMPORTANCE,
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _convergence(version: str, _study: StudyRecord) -> ConvergenceData:
    trials, curves = queries.trials(_study), study_data.some_curves(_study)
    return convergence_data(_study, trials, curves, n_trials=study_data.n_begun(_study))


@st.cache_resource(max_entries=16, show_spinner="Analysing the trials …")
def _summary(version: str, _study: StudyRecord) -> StudySummary:
    return summarise(_study, queries.trials(_study), study_data.best_curves(_study))
