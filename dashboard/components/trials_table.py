"""The table of trials, sorted by a click on a column's head, and the downloads."""

from typing import Any

import pandas as pd
import streamlit as st
from pandas.api.typing import NAType
from streamlit.column_config import CheckboxColumn, NumberColumn, TextColumn

from dashboard import queries
from dashboard.components.downloads import download_table
from dashboard.components.text import plural
from studies.analysis.trials import parameter_column
from studies.db.records import StudyRecord
from studies.parameters import PARAMETERS, Parameter

_MAX_ROWS = 12  #: in sight; of more, the table scrolls
_FORMATS = {"alpha": "%.4g", "epsilon": "%.2e", "weight_decay": "%.2e", "beta1_decay": "%.9g"}


def _parameter_column(parameter: Parameter) -> Any:
    if parameter.is_boolean:
        return CheckboxColumn(parameter.symbol)
    return NumberColumn(parameter.symbol, format=_FORMATS.get(parameter.name, "%.6g"))


_COLUMNS = {
    "trial": NumberColumn("trial", pinned=True),
    "state": TextColumn("state"),
    "remark": TextColumn("remark", help="The optimizer's default setting; diverged in at least one seed"),
    **{name: _parameter_column(parameter) for name, parameter in PARAMETERS.items()},
    "objective": NumberColumn("objective", format="%.5g", help="Mean over the seeds"),
    "objective_std": NumberColumn("± over seeds", format="%.2g", help="Sample standard deviation over the seeds"),
    "epochs_done": NumberColumn("epochs", help="Recorded for all its seeds"),
    "train_loss": NumberColumn("train loss", format="%.5g"),
    "validation_loss": NumberColumn("validation loss", format="%.5g"),
    "validation_error": NumberColumn("validation error, %", format="%.2f"),
    "test_loss": NumberColumn("test loss", format="%.5g"),
    "test_error": NumberColumn("test error, %", format="%.2f"),
    "seconds": NumberColumn("seconds", format="%.2f", help="Training time, evaluation left out"),
    "device": TextColumn("device"),
    "error": TextColumn("error", help="Why the trial failed"),
}


def trials_section(study: StudyRecord) -> None:
    """Draw the trials with their downloads."""
    trials = queries.trials(study)
    _trials_table(study, trials)
    _downloads(study, trials)


def _trials_table(study: StudyRecord, trials: pd.DataFrame) -> None:
    """Draw the trials, the best first, without the columns in which nothing stands."""
    shown = trials.sort_values(["objective", "trial"], kind="stable")
    parameters = study.spec.search_space
    shown = shown.assign(
        **{name: parameter_column(shown, name) for name in parameters},
        remark=[_remark(*marks) for marks in zip(shown["is_default"], shown["diverged"], strict=True)],
        test_error=100 * shown["test_error"],
        validation_error=100 * shown["validation_error"],
    )
    is_empty = shown.isna() | (shown == "")
    columns = [name for name in _COLUMNS if name in parameters or name not in PARAMETERS]
    names = [name for name in columns if name == "objective" or not is_empty[name].all()]
    st.dataframe(
        shown[names],
        hide_index=True,
        column_config=_COLUMNS,
        height="content" if len(shown) <= _MAX_ROWS else 460,
        placeholder="–",
        key=f"trials_{study.id}",
        alt=f"The {plural(len(shown), 'trial')} of {study.name}, the best first",
    )


def _remark(is_default: bool | NAType, diverged: bool | NAType) -> str:
    words = (("default", is_default), ("diverged", diverged))
    return ", ".join(word for word, holds in words if not pd.isna(holds) and holds)


def _downloads(study: StudyRecord, trials: pd.DataFrame) -> None:
    """Offer the trials and the curves as files; the curves are read when they are asked for."""
    with st.container(horizontal=True, gap="small"):
        download_table("Trials", f"{study.id}-trials", lambda: trials)
        download_table("Curves", f"{study.id}-curves", lambda: queries.curves(study))
