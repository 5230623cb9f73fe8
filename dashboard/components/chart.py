"""A figure on a page."""

import plotly.graph_objects as go
import streamlit as st

from studies.db.records import StudyRecord

_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def chart(figure: go.Figure, study: StudyRecord, name: str, alt: str) -> None:
    """Draw a figure of a study.

    Args:
        figure: what to draw.
        study: the study.
        name: of the figure, for its file.
        alt: what a screen reader says of it, before "of" the study.
    """
    image = {"filename": f"{study.id}-{name}", "format": "svg"}
    st.plotly_chart(
        figure,
        key=f"{name}_{study.id}",
        config={**_CONFIG, "toImageButtonOptions": image},
        alt=f"{alt} of {study.name}",
    )
