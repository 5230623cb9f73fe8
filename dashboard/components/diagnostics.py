"""What updates look like over time: the section Diagnostics of a study's page."""

import streamlit as st

from dashboard import queries
from dashboard.components import study_data
from dashboard.components.chart import chart
from dashboard.components.downloads import download_table
from studies.db.queries import diagnostics_frame
from studies.db.records import StudyRecord
from studies.figures import captions
from studies.figures.steps import steps_figure
from studies.figures.tables import steps_table


def diagnostics_section(study: StudyRecord) -> None:
    """Draw the sizes of steps beside their bounds, and the signal-to-noise ratio."""
    if not study.spec.diagnostics:
        st.info(
            "This study records no diagnostics. Submit one with `diagnostics: true` in its spec to see the size of its "
            "steps beside the paper's bound, and the signal-to-noise ratio.",
            icon=":material/info:",
        )
        return
    found = study_data.steps(queries.version(study), study)
    if not len(found.epochs):
        st.info("No update is recorded yet: figures appear with the first epoch.", icon=":material/hourglass_empty:")
        return
    st.subheader("Size of steps and signal-to-noise ratio", anchor=False)
    n_begun = study_data.n_begun(study)
    n_shown = min(n_begun, len(study_data.some_trials(study)))
    chart(
        steps_figure(found, study_data.look_of(study)),
        study,
        "steps",
        "The largest step beside its bounds and the signal-to-noise ratio, against epochs,",
        lambda: steps_table(found),
        captions.steps(found, n_shown, n_begun),
    )
    with st.container(horizontal=True, gap="small"):
        name = f"{study.id}-diagnostics"
        download_table("Diagnostics", name, lambda: diagnostics_frame(queries.database(), study.id))
