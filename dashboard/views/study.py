"""A study: its progress, what it found, its curves, its sensitivity and its trials."""

import streamlit as st
import yaml

from dashboard import queries
from dashboard.components.links import home_link
from dashboard.components.live import live
from dashboard.components.messages import guard
from dashboard.components.results import results
from dashboard.components.study_header import study_header, suite_links
from dashboard.components.text import escape
from dashboard.components.trials_table import downloads, trials_table
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
    live(f"head_{asked}", lambda: _head(asked))
    live(f"results_{asked}", lambda: _results(asked), _RESULTS_SECONDS, has_wishes=False)
    with st.expander("The spec, as YAML", icon=":material/data_object:"):
        text = yaml.safe_dump(
            study.spec.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True
        )
        st.code(text, language="yaml")


def _head(study_id: str) -> bool:
    study = queries.find_study(study_id)
    study_header(study)
    if study.suite_id is not None:
        with guard():
            suite_links(queries.find_suite(study.suite_id), study.id)
    return not study.is_final


def _results(study_id: str) -> bool:
    study = queries.find_study(study_id)
    trials = queries.trials(study)
    if study.epochs_done:
        results(study)
    else:
        st.info("Nothing is recorded yet: figures appear with the first epoch.", icon=":material/hourglass_empty:")
    st.subheader("Trials", anchor=False)
    trials_table(study, trials)
    downloads(study, trials)
    return not study.is_final


if __name__ == "__main__":
    page()
