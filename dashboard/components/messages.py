"""What went wrong, as one line on the page; nowhere else does the dashboard handle errors."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.components.text import escape
from studies.errors import AdamStudiesError

_LOGGER = logging.getLogger(__name__)
_KEPT = "kept_errors"  #: key in the session's state
_READING_SECONDS = 10.0  #: how long an error stays on a page that draws itself anew every two seconds


@contextmanager
def guard() -> Iterator[None]:
    """Show an error of the part of a page inside as one line in its place; the page goes on after it."""
    try:
        yield
    except Exception as error:
        st.error(escape(one_line(error)), icon=":material/error:")


@contextmanager
def guard_callback() -> Iterator[None]:
    """Keep an error of a widget's callback until the page shows it: a callback cannot draw."""
    try:
        yield
    except Exception as error:
        _kept().append((one_line(error), time.monotonic() + _READING_SECONDS))


def show_kept_errors() -> None:
    """Show the errors of callbacks, for a while on a page that draws itself anew."""
    st.session_state[_KEPT] = [kept for kept in _kept() if time.monotonic() < kept[1]]
    for line, _ in _kept():
        st.error(escape(line), icon=":material/error:")


def one_line(error: Exception) -> str:
    """Return the line that a user reads for an error; what nobody foresaw goes to the log with its traceback."""
    if isinstance(error, AdamStudiesError):
        return str(error)
    _LOGGER.exception("unexpected error on a page")
    return f"Something unexpected went wrong ({type(error).__name__}). The dashboard's log says more."


def _kept() -> list[tuple[str, float]]:
    """Return the lines that are kept, each with the time on the monotonic clock until which it is shown."""
    kept: list[tuple[str, float]] = st.session_state.setdefault(_KEPT, [])
    return kept
