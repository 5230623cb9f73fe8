"""How names, numbers and states are written on a page."""

import math
import re

from studies.db.records import StudyRecord
from studies.words import duration

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_BARE_LINK = re.compile(r"(?<=:)(?=//)|(?<=w)(?=ww\.)|(?=@)", re.IGNORECASE)

#: per state its colour and its icon, so that colour alone says nothing
_STATES = {
    "waiting": ("gray", "schedule"),
    "running": ("blue", "play_arrow"),
    "pausing": ("orange", "hourglass_top"),
    "paused": ("orange", "pause"),
    "cancelling": ("orange", "hourglass_top"),
    "cancelled": ("gray", "block"),
    "complete": ("green", "check"),
    "failed": ("red", "error"),
}


def escape(text: str) -> str:
    """Return text that Streamlit's Markdown shows as it is: names and notes are data, never markup.

    A word joiner, which nobody sees, keeps addresses from becoming links: escapes do not.
    """
    return _PUNCTUATION.sub(r"\\\1", _BARE_LINK.sub("\u2060", text))


def badge(state: str) -> str:
    """Return the state as a coloured Markdown badge."""
    colour, icon = _STATES[state]
    return f":{colour}-badge[:material/{icon}: {state}]"


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with so many significant digits; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.{digits}g}".replace("inf", "∞")


def seconds_text(seconds: float) -> str:
    """Return "12 ms", "3.4 s" or "2 min 5 s"."""
    if seconds < 1:
        return f"{1000 * seconds:.{0 if seconds >= 0.01 else 1}f} ms"
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def plural(count: int, word: str) -> str:
    """Return "1 trial" or "1,200 trials"."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def progress(study: StudyRecord) -> str:
    """Return what of a study is done, running and went wrong, as one line."""
    counts = study.counts
    parts = [f"{study.n_finished:,} of {plural(study.n_trials, 'trial')}"]
    words = {state: state for state in ("running", "pruned", "failed", "cancelled")}
    if study.state == "paused":
        words["running"] = "begun"
    parts += [f"{counts[state]:,} {word}" for state, word in words.items() if counts.get(state)]
    if study.n_diverged:
        parts.append(f"{study.n_diverged:,} diverged")
    return " · ".join(parts)
