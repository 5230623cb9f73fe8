"""What users write down about a study, shown as it was typed: it is data, never markup."""

import streamlit as st

from dashboard import queries
from dashboard.components.messages import guard_callback
from studies.db.records import StudyRecord
from studies.service import MAX_NOTES


def notes_form(study: StudyRecord) -> None:
    """Let the user write and change the notes on a study."""
    st.subheader("Notes", anchor=False)
    with st.form(f"notes_form_{study.id}", border=False):
        st.text_area(
            "Notes",
            study.notes or "",
            key=f"notes_{study.id}",
            height=180,
            max_chars=MAX_NOTES,
            placeholder="What was this study to find out, and what did it say?",
            label_visibility="collapsed",
        )
        st.form_submit_button("Save notes", icon=":material/save:", on_click=_save, args=(study.id,))
    st.caption("Plain text; whoever saves last wins. The notes stand at the head of the study's page and its report.")


def _save(study_id: str) -> None:
    """Save before the page is drawn, whose head shows the notes; what goes wrong stands there too."""
    with guard_callback():
        queries.service().annotate(study_id, st.session_state[f"notes_{study_id}"])
        st.toast("The notes are saved.", icon=":material/check:")
