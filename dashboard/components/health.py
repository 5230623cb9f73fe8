"""The health of the service in one look: the queue, the work, the workers and the GPUs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from dashboard.components.text import escape, plural
from dashboard.components.worker_line import START_A_WORKER, alive
from studies.db.records import StudyRecord, WorkerRecord
from studies.doctor.finding import Finding

State = Literal["ok", "warning", "problem", "none"]

#: Colour and icon, so that colour alone says nothing.
_MARKS: dict[State, str] = {
    "ok": ":green[:material/check_circle:]",
    "warning": ":orange[:material/warning:]",
    "problem": ":red[:material/error:]",
    "none": ":gray[:material/remove:]",
}


@dataclass(frozen=True)
class Health:
    """How one part of the service does."""

    title: str
    state: State
    lines: tuple[str, ...]  #: Markdown


def health_cards(
    studies: Sequence[StudyRecord], workers: Sequence[WorkerRecord], broker: Finding, n_lost_arrays: int
) -> None:
    """Draw a card for each part.

    Args:
        studies: all of them.
        workers: all that the database knows, silent ones too.
        broker: what an examination of Redis found.
        n_lost_arrays: trial arrays whose workers fell silent.
    """
    living = [worker for worker in workers if worker.is_live]
    found = (
        _work(studies, n_lost_arrays),
        _queue(broker, bool(living)),
        _workers(workers, living, any(not study.is_final for study in studies)),
        _gpus(studies, living),
    )
    grid = st.grid(len(found), min_column_width=260, border=True)
    for one in found:
        with grid.cell():
            st.markdown(f"{_MARKS[one.state]} **{one.title}**")
            st.caption("  \n".join(line[:1].upper() + line[1:] for line in one.lines))


def _work(studies: Sequence[StudyRecord], n_lost_arrays: int) -> Health:
    states = Counter(study.state for study in studies)
    active = [study for study in studies if study.state in ("waiting", "running")]
    trials = Counter[str]()
    for study in active:
        trials.update({state: study.counts.get(state, 0) for state in ("waiting", "running")})
    lines = [", ".join(f"{count:,} {state}" for state, count in sorted(states.items())) or "no study yet"]
    if active:
        lines.append(f"trials: {trials['running']:,} running, {trials['waiting']:,} waiting")
    if n_lost_arrays:
        have = "has" if n_lost_arrays == 1 else "have"
        lines.append(
            f"{plural(n_lost_arrays, 'trial array')} {have} lost the worker; the next free one goes on with it"
        )
    has_problem = any(study.problem for study in studies)
    state: State = "problem" if has_problem else "warning" if n_lost_arrays else "ok" if active else "none"
    return Health("Studies", state, tuple(lines))


def _queue(broker: Finding, has_workers: bool) -> Health:
    lines = [escape(broker.told)]
    if broker.mend is not None:
        lines.append(f"What to do: {escape(broker.mend)}")
    if broker.state != "ok" and has_workers:
        lines.append(
            "Nothing is lost meanwhile: workers that run look for work every 10 seconds; new ones cannot start."
        )
    return Health("Queue", broker.state, tuple(lines))


def _workers(workers: Sequence[WorkerRecord], living: Sequence[WorkerRecord], has_work: bool) -> Health:
    silent = [worker for worker in workers if not worker.is_live]
    state: State = "warning" if silent else "ok"
    lines = [alive(living)]
    if not living:
        state, lines = ("problem" if has_work else "none"), [START_A_WORKER]
    if silent:
        lines.append(f"{plural(len(silent), 'worker')} silent: ended by force, or cut off; others take over")
    return Health("Workers", state, tuple(lines))


def _gpus(studies: Sequence[StudyRecord], living: Sequence[WorkerRecord]) -> Health:
    waiting = [study for study in studies if not study.is_final and study.spec.device == "gpu"]
    found = [worker for worker in living if worker.is_gpu]
    if found:
        return Health("GPUs", "ok", (alive(found, "GPU"),))
    if waiting:
        verb = "wants" if len(waiting) == 1 else "want"
        line = f"{plural(len(waiting), 'open study').replace('studys', 'studies')} {verb} one, and no worker has any"
        return Health("GPUs", "problem", (line,))
    return Health(
        "GPUs", "none", ("none: workers train on CPUs" if living else "none is known while no worker is alive",)
    )
