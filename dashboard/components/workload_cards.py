"""The catalogue of workloads, kind by kind, as cards of which one is chosen."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components.text import escape, seconds_text
from studies.db.speed import Speed
from studies.workloads import Catalogue, Workload, all_workloads

_KEY, _KIND_KEY = "new_workload", "new_kind"


def workload_cards(speeds: Sequence[Speed]) -> Workload:
    """Return the workload whose card is chosen; the first that needs no download at first.

    Args:
        speeds: what was measured, for the costs on the cards.
    """
    found = all_workloads()
    if st.session_state.get(_KEY) not in found.workloads:
        st.session_state[_KEY] = next(entry.name for entry in found.workloads.values() if not entry.download)
    chosen = found.workloads[st.session_state[_KEY]]
    members = found.kinds[_kind(found, chosen)]
    grid = st.grid(2, min_column_width=260, border=True)
    for entry in members:
        with grid.cell():
            _card(entry, entry is chosen, speeds)
    for problem in found.problems:
        st.warning(escape(problem), icon=":material/extension_off:")
    return chosen


def _kind(found: Catalogue, chosen: Workload) -> str:
    """Return the kind whose cards are shown, at first that of the chosen one."""
    if st.session_state.get(_KIND_KEY) not in found.kinds:
        st.session_state[_KIND_KEY] = next(kind for kind, members in found.kinds.items() if chosen in members)
    shown = st.segmented_control(
        f"Workload: {escape(chosen.name)}", list(found.kinds), key=_KIND_KEY, required=True, persist_state="session"
    )
    assert shown is not None, "a choice is required"
    return shown


def _card(entry: Workload, chosen: bool, speeds: Sequence[Speed]) -> None:
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
    st.caption(f":material/timer: {escape(_cost(entry, speeds))}")
    if entry.unstated:
        st.caption(f"*Left open by the paper:* {escape(entry.unstated)}")


def _cost(entry: Workload, speeds: Sequence[Speed]) -> str:
    """Return what a run costs as long as the workload's own epochs, on each device on which it was measured."""
    own = [one for one in speeds if (one.workload, one.batch_size) == (entry.name, entry.batch_size)]
    if not own:
        return "Cost: not measured here yet"
    costs = (f"{seconds_text(entry.epochs * one.epoch_seconds)} of a worker ({one.device})" for one in own)
    return f"A run of {entry.epochs:,} epochs: {', '.join(costs)}"


def _choose(name: str) -> None:
    st.session_state[_KEY] = name
