"""Buttons that download tables, made when they are asked for."""

from collections.abc import Callable
from typing import Literal

import pandas as pd
import streamlit as st

from studies.export import render

_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_NAMES: dict[Literal["csv", "parquet"], str] = {"csv": "CSV", "parquet": "Parquet"}


def download_data(name: str, table: Callable[[], pd.DataFrame]) -> None:
    """Offer what a figure shows as a CSV file `name`.csv."""
    _button("Data as CSV", name, "csv", table, is_small=True)


def download_table(what: str, name: str, table: Callable[[], pd.DataFrame]) -> None:
    """Offer a table as `name`.csv and `name`.parquet; `what` names it, as in "Trials as CSV"."""
    for format, title in _NAMES.items():
        _button(f"{what} as {title}", name, format, table)


def _button(
    label: str, name: str, format: Literal["csv", "parquet"], table: Callable[[], pd.DataFrame], is_small: bool = False
) -> None:
    st.download_button(
        label,
        lambda: render(table(), format),
        f"{name}.{format}",
        _TYPES[format],
        key=f"{name}.{format}",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary" if is_small else "secondary",
    )
