"""SQL over the views of the study database: read-only, with examples, a row limit and a time limit."""

import pandas as pd
import streamlit as st
from streamlit.column_config import NumberColumn

from dashboard import queries
from dashboard.components.downloads import download_table
from dashboard.components.text import plural
from studies.db.sql import run_sql
from studies.db.views import CURVES_COLUMNS, DIAGNOSTICS_COLUMNS, RESULTS_COLUMNS, TRAJECTORIES_COLUMNS

_MAX_ROWS = 10_000
_MAX_CHARS = 20_000
_SECONDS = 20.0

#: By title; each runs on SQLite and on PostgreSQL.
EXAMPLES = {
    "The best trial of each study": """\
SELECT study, optimizer, workload, trial, alpha, beta1, beta2, epsilon, objective, objective_std
FROM results AS r
WHERE state = 'complete'
  AND objective = (SELECT MIN(objective) FROM results WHERE study_id = r.study_id AND state = 'complete')
ORDER BY workload, objective""",
    "The default beside the best": """\
SELECT study, MIN(objective) AS best, MAX(CASE WHEN is_default THEN objective END) AS default_objective,
  COUNT(*) AS trials
FROM results
WHERE state = 'complete'
GROUP BY study_id, study
ORDER BY study""",
    "Where trials diverge": """\
SELECT study, ROUND(LOG(alpha)) AS decade_of_alpha, COUNT(*) AS trials,
  SUM(CASE WHEN diverged THEN 1 ELSE 0 END) AS diverged
FROM results
WHERE state = 'complete' AND alpha IS NOT NULL
GROUP BY study_id, study, ROUND(LOG(alpha))
ORDER BY study, decade_of_alpha""",
    "Mean curves of the best ten trials": """\
SELECT c.study, c.trial, c.epoch, AVG(c.train_loss) AS train_loss, AVG(c.test_error) AS test_error
FROM curves AS c
JOIN (SELECT study_id, trial, RANK() OVER (PARTITION BY study_id ORDER BY objective) AS place
      FROM results WHERE state = 'complete') AS b ON b.study_id = c.study_id AND b.trial = c.trial
WHERE b.place <= 10
GROUP BY c.study_id, c.study, c.trial, c.epoch
ORDER BY c.study, c.trial, c.epoch""",
    "Where the time goes": """\
SELECT workload, optimizer, device, COUNT(*) AS trials, SUM(seconds) AS seconds, SUM(epochs_done) AS epochs
FROM results
GROUP BY workload, optimizer, device
ORDER BY seconds DESC""",
}
_VIEWS = {
    "results": RESULTS_COLUMNS,
    "curves": CURVES_COLUMNS,
    "diagnostics": DIAGNOSTICS_COLUMNS,
    "trajectories": TRAJECTORIES_COLUMNS,
}


def page() -> None:
    """Draw the page; the query stands in the URL, so that a link opens the same view."""
    st.title("SQL", anchor=False)
    st.caption(
        f"One SELECT over the views below; the database refuses anything else. At most {_MAX_ROWS:,} rows and "
        f"{_SECONDS:.0f} seconds; `adam-studies sql --format csv` has no limit of rows."
    )
    if "sql_query" not in st.session_state:
        st.session_state["sql_query"] = st.query_params.get("q", next(iter(EXAMPLES.values())))
    st.selectbox(
        "Examples",
        list(EXAMPLES),
        index=None,
        placeholder="Take an example",
        key="sql_example",
        on_change=_take_example,
        width=420,
    )
    text = st.text_area("Query", key="sql_query", height=220, max_chars=_MAX_CHARS, persist_state="session")
    if st.button("Run", key="sql_run", type="primary", icon=":material/play_arrow:"):
        st.query_params["q"] = text
    _columns()
    if st.query_params.get("q"):
        _answer(st.query_params["q"])


def _take_example() -> None:
    if st.session_state["sql_example"] is not None:
        st.session_state["sql_query"] = EXAMPLES[st.session_state["sql_example"]]


def _columns() -> None:
    with st.expander("Views and their columns", icon=":material/table:"):
        for view, columns in _VIEWS.items():
            st.markdown(f"`{view}`: {', '.join(f'`{column}`' for column in columns)}")


def _answer(text: str) -> None:
    """Run the query and show its rows."""
    frame = run_sql(queries.database(), text, _MAX_ROWS, _SECONDS)
    truncated, frame = frame.attrs["truncated"], _of_one_type(frame)
    st.caption(f"The first {len(frame):,} rows; there are more." if truncated else plural(len(frame), "row"))
    figures = {str(name): NumberColumn(str(name), format="%.6g") for name in frame.select_dtypes("float")}
    st.dataframe(
        frame,
        hide_index=True,
        column_config=figures,
        placeholder="–",
        key="sql_rows",
        alt="The rows that the query returns",
    )
    with st.container(horizontal=True, gap="small"):
        download_table("Rows", "query", lambda: frame)


def _of_one_type(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with columns of mixed values as text: Parquet wants one type, and so does the page."""
    mixed = {str(name): frame[name].map(str, na_action="ignore") for name in frame if frame[name].dtype == object}
    return frame.assign(**mixed)


if __name__ == "__main__":
    page()
