"""The views with the types of their columns, and pandas frames of them."""

from typing import Any

import pandas as pd
from sqlalchemy import JSON, Boolean, Connection, DateTime, Double, Integer, Select, Text, column, table
from sqlalchemy.types import TypeEngine

_TEXT = ("study_id", "study", "suite", "workload", "data", "optimizer", "state", "objective_name", "device", "error")
_INTEGER = ("trial", "replicate", "epoch", "steps", "n_seeds", "epochs_done")
_BOOLEAN = ("diverged", "is_default", "bias_correction")
_TIME = ("started_at", "finished_at")

RESULTS_COLUMNS = (
    *("study_id", "study", "suite", "workload", "data", "optimizer", "trial", "state", "diverged", "is_default"),
    *("alpha", "beta1", "beta2", "epsilon", "bias_correction", "other"),
    *("objective_name", "objective", "objective_std", "n_seeds", "epochs_done"),
    *("train_loss", "validation_loss", "validation_error", "test_loss", "test_error"),
    *("seconds", "device", "started_at", "finished_at", "error"),
)
CURVES_COLUMNS = (
    *("study_id", "study", "trial", "replicate", "epoch", "steps"),
    *("train_loss", "validation_loss", "validation_error", "test_loss", "test_error", "seconds", "diverged"),
)
DIAGNOSTICS_COLUMNS = (
    *("study_id", "study", "trial", "replicate", "epoch", "steps"),
    *("max_step", "signal_to_noise", "epsilon_share", "update_norm", "weight_norm", "gradient_norm"),
)
TRAJECTORIES_COLUMNS = ("study_id", "study", "trial", "replicate", "epoch", "steps", "x", "y")


def _type(name: str) -> TypeEngine[Any]:
    for names, kind in ((_TEXT, Text()), (_INTEGER, Integer()), (_BOOLEAN, Boolean()), (("other",), JSON())):
        if name in names:
            return kind
    return DateTime(timezone=True) if name in _TIME else Double()


RESULTS = table("results", *(column(name, _type(name)) for name in RESULTS_COLUMNS))
CURVES = table("curves", *(column(name, _type(name)) for name in CURVES_COLUMNS))
DIAGNOSTICS = table("diagnostics", *(column(name, _type(name)) for name in DIAGNOSTICS_COLUMNS))
TRAJECTORIES = table("trajectories", *(column(name, _type(name)) for name in TRAJECTORIES_COLUMNS))


def frame(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    """Return the rows of a view; its columns have the same types whether there are rows or not.

    Text is `str`, counts are int64, figures float64 (NaN where there is none), truths the nullable `boolean`, times
    timestamps in UTC, and `other` holds dicts.
    """
    result = connection.execute(query)
    rows = [tuple(row) for row in result]  # pandas asks each row for attributes, which plain tuples deny fast
    found = pd.DataFrame.from_records(rows, columns=list(result.keys()))
    return found.assign(**{str(name): _typed(str(name), found[name]) for name in found.columns})


def _typed(name: str, values: "pd.Series[Any]") -> "pd.Series[Any]":
    if name in _TIME:
        return pd.to_datetime(values, utc=True).astype("datetime64[us, UTC]")
    if name in _TEXT:
        return values.astype("str")
    if name in _INTEGER:
        return values.astype("int64")
    if name in _BOOLEAN:
        return values.astype("boolean")
    return values.astype("object" if name == "other" else "float64")
