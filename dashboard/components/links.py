"""Links between the pages; a study's page takes the study from the URL, so that a link opens the same view."""

from typing import Literal

import streamlit as st

from dashboard.components.text import escape
from studies.db.records import StudyRecord, SuiteRecord

HOME = "views/home.py"
NEW_STUDY = "views/new_study.py"
STUDY = "views/study.py"
COMPARE = "views/compare.py"
SQL = "views/sql.py"
WORKERS = "views/workers.py"
SURFACES = "views/surfaces.py"


def study_label(study: StudyRecord) -> str:
    """Return the study's name with its id, as lists of studies and their addresses have it."""
    return f"{study.name} ({study.id})"


def study_link(study: StudyRecord, width: Literal["stretch", "content"] = "stretch") -> None:
    """Show the study's name as a link to its page."""
    st.page_link(STUDY, label=escape(study.name), query_params={"id": study.id}, width=width)


def compare_link(suite: SuiteRecord) -> None:
    """Show a link to the comparison of a suite's studies."""
    st.page_link(
        COMPARE, label="Compare", icon=":material/compare_arrows:", query_params={"ids": suite.id}, width="content"
    )


def surfaces_link(study: StudyRecord) -> None:
    """Show a link to the study's surface, with the study chosen on it."""
    st.page_link(
        SURFACES,
        label="Beside other studies of this surface",
        icon=":material/landscape:",
        query_params={"surface": study.spec.workload, "studies": study_label(study)},
        width="content",
    )


def home_link() -> None:
    """Show a link to the list of studies."""
    with st.container(key="home_link"):
        st.page_link(HOME, label="All studies", icon=":material/arrow_back:")
