"""The workers that are alive, as one line."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from dashboard.components.text import escape, plural
from studies.db.records import WorkerRecord

START_A_WORKER = "No worker is alive. `adam-studies worker` starts one, `adam-studies up` a whole stack."


def worker_line(workers: Sequence[WorkerRecord], has_work: bool) -> None:
    """Say which workers are alive and how many of them train; without any, say how to start one."""
    if workers:
        st.caption(f":material/memory: {alive(workers)}")
    elif has_work:
        no_worker_warning()
    else:
        st.caption(f":material/memory: {START_A_WORKER}")


def no_worker_warning() -> None:
    """Say that work waits in vain."""
    st.warning(
        "No worker is alive, so nothing trains. Start one with `adam-studies worker`, or the whole stack with "
        "`adam-studies up`.",
        icon=":material/memory:",
    )


def alive(workers: Sequence[WorkerRecord], word: str = "worker") -> str:
    """Return how many workers are alive, on what, and how many of them train."""
    devices = Counter(worker.device for worker in workers)
    shown = ", ".join(f"{count} × {escape(device)}" for device, count in sorted(devices.items()))
    n_busy = sum(worker.study_id is not None for worker in workers)
    return f"{plural(len(workers), word)} alive ({shown}), {n_busy} training"
