"""A study, or a suite's head, as one line of the list."""

import streamlit as st

from dashboard.components.links import study_link
from dashboard.components.text import badge, escape, number, plural, progress
from dashboard.components.wishes import Target, run_buttons
from studies.db.records import StudyRecord, SuiteRecord

_WIDTHS = (3.4, 1.2, 3, 1.4, 1)


def head_row(word: str, count: int) -> None:
    """Draw what the rows below are, and the titles of their other columns."""
    with st.container(key=f"list_head_{word.lower()}"):
        columns = st.columns(_WIDTHS, vertical_alignment="bottom", wrap=False)
        columns[0].markdown(f"**{word}** ({count:,})")
        for column, title in zip(columns[1:4], ("State", "Progress", "Best objective"), strict=True):
            column.caption(title)


def study_row(study: StudyRecord) -> None:
    """Draw a study with its progress and what may be done to it."""
    name, state, bar, best, buttons = st.columns(_WIDTHS, vertical_alignment="center", wrap=False)
    spec = study.spec
    with name, st.container(gap=None):
        study_link(study)
        work = f"{study.n_trials:,} × {plural(spec.n_seeds, 'seed')} × {plural(spec.epochs, 'epoch')}"
        st.caption(f"{spec.optimizer_entry.title} · {escape(spec.workload_label)} · {work}")
    state.markdown(badge(study.state))
    bar.progress(study.fraction, text=progress(study))
    best.markdown(f"{number(study.best_objective)}  \n:small[:gray[{escape(spec.objective)}]]")
    with buttons:
        _buttons(Target.of(study))
    if study.problem is not None:
        st.error(escape(f"Cannot be trained by {study.problem}"), icon=":material/error:")


def suite_head(suite: SuiteRecord) -> None:
    """Draw a suite's name and what may be done to all its studies."""
    name, buttons = st.columns((sum(_WIDTHS[:-1]), _WIDTHS[-1]), vertical_alignment="center", wrap=False)
    name.markdown(f"**{escape(suite.name)}** &nbsp; :small[:gray[suite {suite.id}]]")
    with buttons:
        _buttons(Target.of(suite))


def _buttons(target: Target) -> None:
    with st.container(horizontal=True, horizontal_alignment="right", gap="xsmall", wrap=False):
        run_buttons(target)
