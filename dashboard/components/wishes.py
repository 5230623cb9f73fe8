"""The buttons that pause, resume, cancel, retry, extend and delete studies and suites."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import queries
from dashboard.components.links import HOME
from dashboard.components.messages import guard_callback
from dashboard.components.text import escape, plural
from studies.db.records import StudyRecord, SuiteRecord
from studies.service import Service

_MORE = "more_{}"  #: key of the number of trials to add to a study
_HELP = {
    "Pause": "The workers save where they are and put it down",
    "Resume": "The workers take it up where they put it down",
    "Cancel": "End it; nothing more is trained",
}


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


def run_buttons(target: Target) -> None:
    """Show pause, resume and cancel, as far as the state allows them."""
    if target.has("waiting", "running"):
        _button(target, "pause", "Pause", Service.pause)
    if target.has("pausing", "paused"):
        _button(target, "play_arrow", "Resume", Service.resume)
    if target.has("waiting", "running", "pausing", "paused"):
        with _popover(target, "stop", "Cancel"):
            st.markdown(f"Cancel **{escape(target.name)}**? What was found so far stays, but it cannot be resumed.")
            _button(target, "stop", "Cancel for good", Service.cancel)


def end_buttons(study: StudyRecord) -> None:
    """Show retry, extend and delete of a study, as far as its state allows them."""
    target, n_failed = Target.of(study), study.counts.get("failed", 0)
    if n_failed and study.state not in ("cancelled", "cancelling"):
        with _popover(target, "replay", "Retry"):
            st.markdown(f"Run {plural(n_failed, 'failed trial')} again, as new trials that take their places?")
            _button(target, "replay", f"Retry {plural(n_failed, 'trial')}", Service.retry)
    if study.state in ("complete", "failed") and study.spec.sampler != "grid":
        with _popover(target, "add", "Extend"):
            half = max(1, study.n_trials // 2)
            n_more = st.number_input("Trials to add", 1, 1_000_000, half, key=_MORE.format(study.id))
            _button(target, "add", f"Add {plural(n_more, 'trial')}", _extend)
    with _popover(target, "delete", "Delete"):
        st.markdown(f"Delete **{escape(study.name)}** with all its results? This cannot be undone.")
        if st.button("Delete for good", key=f"delete_{study.id}", icon=":material/delete:"):
            _act(target, Service.delete)
            st.switch_page(HOME)


def _extend(service: Service, study_id: str) -> None:
    n_more = st.session_state[_MORE.format(study_id)]  # as it stands at the click, not at the run before
    service.extend(study_id, n_more)


def _popover(target: Target, icon: str, label: str) -> DeltaGenerator:
    return st.popover(label, icon=f":material/{icon}:", key=f"ask_{label}_{target.id}", help=_HELP.get(label))


def _button(target: Target, icon: str, label: str, act: Callable[[Service, str], object]) -> None:
    st.button(
        label,
        key=f"{label.split()[0]}_{target.id}".lower(),
        icon=f":material/{icon}:",
        help=_HELP.get(label),
        on_click=_act,
        args=(target, act),
    )


def _act(target: Target, act: Callable[[Service, str], object]) -> None:
    with guard_callback():
        act(queries.service(), target.id)
    queries.forget_listings()
