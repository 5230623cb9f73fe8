"""What went wrong or well, as one line on the page; nowhere else does the dashboard handle errors."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from dashboard.components.text import escape
from studies.errors import AdamStudiesError

_LOGGER = logging.getLogger(__name__)
_NOTES = "notes"  #: key in the session's state: lines to show on its next run
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
    """Keep an error of a widget's callback until the page shows its notes: a callback cannot draw."""
    try:
        yield
    except Exception as error:
        _notes().append(_Note(one_line(error), time.monotonic() + _READING_SECONDS))


def note(text: str) -> None:
    """Keep a line about what was done until the page shows its notes."""
    _notes().append(_Note(text, None))


def show_notes() -> None:
    """Show the lines that callbacks and the page before left; errors stay for a while, or until the next visit."""
    notes = _notes()
    for one in list(notes):
        if one.until is None:
            st.toast(escape(one.text), icon=":material/check:")
            notes.remove(one)
        elif time.monotonic() > one.until:
            notes.remove(one)
        else:
            st.error(escape(one.text), icon=":material/error:")


def one_line(error: Exception) -> str:
    """Return the line that a user reads for an error; what nobody foresaw goes to the log with its traceback."""
    if isinstance(error, AdamStudiesError):
        return str(error)
    _LOGGER.exception("unexpected error on a page")
    return f"Something unexpected went wrong ({type(error).__name__}). The dashboard's log says more."


@dataclass(frozen=True)
class _Note:
    """A line for the user: an error, to be shown until a time on the monotonic clock, or what was done."""

    text: str
    until: float | None


def _notes() -> list[_Note]:
    notes: list[_Note] = st.session_state.setdefault(_NOTES, [])
    return notes
