"""The worker processes: what each trains, on what, and which went silent."""

import pandas as pd
import streamlit as st
from streamlit.column_config import DatetimeColumn, NumberColumn, TextColumn

from dashboard import queries
from dashboard.components.downloads import download_table
from dashboard.components.live import live
from dashboard.components.text import plural
from dashboard.components.worker_line import worker_line

_COLUMNS = {
    "state": TextColumn("state", help="training, idle, or silent: not heard of for half a minute"),
    "worker": TextColumn("worker"),
    "host": TextColumn("host"),
    "process": NumberColumn("process", format="%d"),
    "device": TextColumn("device"),
    "trains": TextColumn("trains", help="The study whose trial array it holds"),
    "heard": NumberColumn("heard of, s ago", format="%.0f"),
    "started": DatetimeColumn("started, UTC", format="YYYY-MM-DD HH:mm:ss"),
}


def page() -> None:
    """Draw the page."""
    st.title("Workers", anchor=False)
    st.caption("Each is one process on one device. One that goes silent loses its trial array to another one.")
    live("workers_are_live", _listing, has_wishes=False)


def _listing() -> bool:
    """Draw the table; workers come and go, so there is always more to come."""
    workers, studies = queries.all_workers(), queries.all_studies()
    worker_line([worker for worker in workers if worker.is_live], any(not study.is_final for study in studies))
    if workers:
        names = {study.id: f"{study.name} ({study.id})" for study in studies}
        rows = [
            (
                "silent" if not worker.is_live else "training" if worker.study_id else "idle",
                worker.id,
                worker.host,
                worker.pid,
                worker.device,
                names.get(worker.study_id or "", worker.study_id),
                worker.seconds_since_heartbeat,
                worker.started_at,
            )
            for worker in workers
        ]
        table = pd.DataFrame(rows, columns=list(_COLUMNS))
        st.dataframe(
            table,
            hide_index=True,
            column_config=_COLUMNS,
            placeholder="–",
            height="content",
            key="workers_table",
            alt=f"{plural(len(workers), 'worker')} that the database knows",
        )
        with st.container(horizontal=True, gap="small"):
            download_table("Workers", "workers", lambda: table)
    return True


if __name__ == "__main__":
    page()
