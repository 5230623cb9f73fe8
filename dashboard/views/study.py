"""A study: its progress, and in sections what it found, its curves, its sensitivity, its trials and its spec.

Only the open section is drawn; the URL names it, so that a link opens the same view.
"""

from collections.abc import Callable

import streamlit as st
import yaml

from dashboard import queries
from dashboard.components.convergence import convergence_section
from dashboard.components.diagnostics import diagnostics_section
from dashboard.components.links import home_link
from dashboard.components.live import live
from dashboard.components.messages import guard
from dashboard.components.notes import notes_form
from dashboard.components.results import overview_section
from dashboard.components.sensitivity import sensitivity_section
from dashboard.components.study_header import study_header, suite_links
from dashboard.components.text import escape
from dashboard.components.trials_table import trials_section
from studies.db.records import StudyRecord
from studies.errors import NotFoundError

_RESULTS_SECONDS = 10.0  #: between two looks at figures, which take longer to draw than a bar


def page() -> None:
    """Draw the page of the study that the URL names."""
    home_link()
    asked = st.query_params.get("id", "")
    if not asked:
        st.info("Choose a study from the list: a study's address ends in /study?id=s-…", icon=":material/info:")
        return
    if asked.startswith("u-"):
        suite_links(queries.find_suite(asked))
        return
    try:
        study = queries.find_study(asked)
    except NotFoundError as error:
        st.error(escape(f"{error}. It may have been deleted."), icon=":material/error:")
        return
    live(f"head_{asked}", lambda: _head(asked), starts_live=not study.is_final)
    sections = ["Overview", "Convergence", "Sensitivity", "Diagnostics", "Trials", "Notes and spec"]
    for name, tab in zip(sections, st.tabs(sections, key="section", bind="query-params"), strict=True):
        if tab.open:
            with tab:
                _section(study, name)


def _head(study_id: str) -> bool:
    study = queries.find_study(study_id)
    study_header(study)
    if study.suite_id is not None:
        with guard():
            suite_links(queries.find_suite(study.suite_id), study.id)
    return not study.is_final


def _section(study: StudyRecord, name: str) -> None:
    drawn: dict[str, Callable[[StudyRecord], None]] = {
        "Overview": overview_section,
        "Convergence": convergence_section,
        "Sensitivity": sensitivity_section,
        "Diagnostics": diagnostics_section,
        "Trials": trials_section,
    }
    if name in drawn:
        needs_epochs = name != "Trials"
        live(
            f"{name.lower()}_{study.id}",
            lambda: _draw(study.id, drawn[name], needs_epochs),
            _RESULTS_SECONDS,
            has_wishes=False,
            starts_live=not study.is_final,
        )
        return
    notes_form(study)
    st.subheader("The spec, as YAML", anchor=False)
    text = yaml.safe_dump(study.spec.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True)
    st.code(text, language="yaml")


def _draw(study_id: str, draw: Callable[[StudyRecord], None], needs_epochs: bool) -> bool:
    study = queries.find_study(study_id)
    if study.epochs_done or not needs_epochs:
        draw(study)
    else:
        st.info("Nothing is recorded yet: figures appear with the first epoch.", icon=":material/hourglass_empty:")
    return not study.is_final


if __name__ == "__main__":
    page()
