"""The catalogue of workloads, as cards of which one is chosen."""

import streamlit as st

from dashboard.components.text import escape
from studies.workloads import WORKLOADS, Workload

_KEY = "new_workload"


def workload_cards() -> Workload:
    """Return the workload whose card is chosen; the one that needs no download at first."""
    if st.session_state.get(_KEY) not in WORKLOADS:
        st.session_state[_KEY] = next(entry.name for entry in WORKLOADS.values() if not entry.download)
    grid = st.grid(2, min_column_width=260, border=True)
    for entry in WORKLOADS.values():
        with grid.cell():
            _card(entry, entry.name == st.session_state[_KEY])
    return WORKLOADS[st.session_state[_KEY]]


def _card(entry: Workload, chosen: bool) -> None:
    st.button(
        entry.name,
        key=f"new_choose_{entry.name}",
        type="primary" if chosen else "secondary",
        icon=":material/radio_button_checked:" if chosen else ":material/radio_button_unchecked:",
        width="stretch",
        on_click=_choose,
        args=(entry.name,),
    )
    st.markdown(f"**{escape(entry.title)}**")
    st.caption(
        f"{escape(entry.model)}  \n{entry.n_train:,} training and {entry.n_test:,} test examples, "
        f"{'data under ADAM_STUDIES_DATA' if entry.download else 'no download'}  \n{escape(entry.citation)}"
    )
    st.caption(f"*Left open by the paper:* {escape(entry.unstated)}")


def _choose(name: str) -> None:
    st.session_state[_KEY] = name
