"""What an examination finds."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One answer."""

    about: str  #: what was examined
    state: Literal["ok", "warning", "problem"]
    told: str  #: one line without passwords
    mend: str | None = None  #: what to do about it


def ok(about: str, told: str) -> Finding:
    """Nothing to mend."""
    return Finding(about, "ok", told)


def warning(about: str, told: str, mend: str) -> Finding:
    """Something that may be meant so."""
    return Finding(about, "warning", told, mend)


def problem(about: str, told: str, mend: str) -> Finding:
    """Something without which studies do not run."""
    return Finding(about, "problem", told, mend)
