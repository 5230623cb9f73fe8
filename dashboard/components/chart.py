"""A figure on a page, with a sentence on how to read it and its data."""

from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.components.downloads import download_data
from dashboard.components.text import escape
from studies.db.records import StudyRecord

_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def chart(
    figure: go.Figure,
    study: StudyRecord,
    name: str,
    alt: str,
    table: Callable[[], pd.DataFrame],
    caption: str,
) -> None:
    """Draw a figure of a study.

    Args:
        figure: what to draw.
        study: the study.
        name: of the figure, for its files.
        alt: what a screen reader says of it, before "of" the study.
        table: what it shows, for its download.
        caption: plain text: what has to be known to read it.
    """
    draw(figure, f"{study.id}-{name}", f"{alt} of {study.name}", table, caption)


def draw(figure: go.Figure, name: str, alt: str, table: Callable[[], pd.DataFrame], caption: str) -> None:
    """Draw a figure that downloads as SVG, and its data as CSV, in files of this name."""
    image = {"filename": name, "format": "svg"}
    st.plotly_chart(figure, key=f"figure_{name}", config={**_CONFIG, "toImageButtonOptions": image}, alt=alt)
    with st.container(horizontal=True, wrap=False, gap="small", key=f"below_{name}"):
        st.caption(escape(caption), width="stretch")
        download_data(name, table)
