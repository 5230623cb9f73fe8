"""The buttons that pause, resume, cancel, retry, extend and delete studies and suites."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import queries
from dashboard.components.links import HOME
from dashboard.components.messages import guard_callback, note
from dashboard.components.text import escape, plural
from studies.db.records import StudyRecord, SuiteRecord
from studies.service import Service


@dataclass(frozen=True)
class Target:
    """What the buttons act on: a study, or all studies of a suite."""

    id: str
    name: str
    studies: Sequence[StudyRecord]

    @classmethod
    def of(cls, record: StudyRecord | SuiteRecord) -> "Target":
        """Return the target that is this study or suite."""
        return cls(record.id, record.name, (record,) if isinstance(record, StudyRecord) else record.studies)

    def has(self, *states: str) -> bool:
        """Whether any of the studies is in one of these states."""
        return any(study.state in states for study in self.studies)


def run_buttons(target: Target, compact: bool) -> None:
    """Show pause, resume and cancel, as far as the state allows them; `compact` leaves the words to tooltips."""
    if target.has("waiting", "running"):
        _button(target, "pause", "Pause", "Paused", Service.pause, compact)
    if target.has("pausing", "paused"):
        _button(target, "play_arrow", "Resume", "Resumed", Service.resume, compact)
    if target.has("waiting", "running", "pausing", "paused"):
        with _popover(target, "stop", "Cancel", compact):
            st.markdown(f"Cancel **{escape(target.name)}**? What was found so far stays, but it cannot be resumed.")
            _button(target, "stop", "Cancel for good", "Cancelled", Service.cancel, compact=False)


def end_buttons(study: StudyRecord) -> None:
    """Show retry, extend and delete of a study, as far as its state allows them."""
    target, n_failed = Target.of(study), study.counts.get("failed", 0)
    if n_failed and study.state not in ("cancelled", "cancelling"):
        with _popover(target, "replay", "Retry", compact=False):
            st.markdown(f"Run {plural(n_failed, 'failed trial')} again, as new trials that take their places?")
            _button(target, "replay", f"Retry {plural(n_failed, 'trial')}", "Retried", Service.retry, compact=False)
    if study.state == "complete" and study.spec.sampler != "grid":
        with _popover(target, "add", "Extend", compact=False):
            n_more = st.number_input("Trials to add", 1, 1_000_000, max(1, study.n_trials // 2), key=f"more_{study.id}")
            _button(
                target, "add", f"Add {plural(n_more, 'trial')}", "Extended", lambda s, id: s.extend(id, n_more), False
            )
    with _popover(target, "delete", "Delete", compact=False):
        st.markdown(f"Delete **{escape(study.name)}** with all its results? This cannot be undone.")
        if st.button("Delete for good", key=f"delete_{study.id}", icon=":material/delete:"):
            _act(target, "Deleted", Service.delete)
            st.switch_page(HOME)


def _popover(target: Target, icon: str, label: str, compact: bool) -> "st.delta_generator.DeltaGenerator":
    words = "" if compact else label
    return st.popover(words, icon=f":material/{icon}:", key=f"ask_{label}_{target.id}", help=label if compact else None)


def _button(
    target: Target, icon: str, label: str, done: str, act: Callable[[Service, str], object], compact: bool
) -> None:
    st.button(
        "" if compact else label,
        key=f"{label.split()[0]}_{target.id}".lower(),
        icon=f":material/{icon}:",
        help=label if compact else None,
        on_click=_act,
        args=(target, done, act),
    )


def _act(target: Target, done: str, act: Callable[[Service, str], object]) -> None:
    with guard_callback():
        act(queries.service(), target.id)
        note(f"{done}: {target.name}")
    queries.forget_listings()
