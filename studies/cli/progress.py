"""Progress of studies: a live bar for each on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from studies.cli.console import console, note, text
from studies.client import Handle
from studies.db.records import StudyRecord
from studies.words import duration

_LINE_SECONDS = 10.0  #: between two lines of a study where there is no terminal


def follow(handle: Handle, tick: Callable[[], None] | None = None) -> None:
    """Show the progress on stderr until every study is final.

    Args:
        handle: the study or suite.
        tick: called about twice a second.
    """
    shown = _Bars() if console(stderr=True).is_terminal else _Lines()
    clocks: dict[str, _Clock] = {}
    problems: set[str] = set()

    def show(records: tuple[StudyRecord, ...]) -> None:
        for record in records:
            clock = clocks.setdefault(record.id, _Clock(record.fraction))
            shown.show(record, clock.left(record))
            if record.problem and record.problem not in problems:
                problems.add(record.problem)
                note(f"warning: no worker can train {record.name} at present: {record.problem}")
        if tick is not None:
            tick()

    with shown:
        handle.wait(on_poll=show)


class _Clock:
    """Guesses the time that a study still needs from the share done since somebody looks."""

    def __init__(self, fraction: float) -> None:
        self._first = fraction
        self._since = time.monotonic()

    def left(self, record: StudyRecord) -> str:
        """Return the time left in words; nothing where it is not known."""
        gained = record.fraction - self._first
        if record.state != "running" or gained <= 0:
            return ""
        seconds = (time.monotonic() - self._since) * (1 - record.fraction) / gained
        return f"{duration(seconds)} left"


class _Bars(AbstractContextManager["_Bars"]):
    """A bar a study."""

    def __init__(self) -> None:
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, max_width=24)),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=8)),
            *(
                TextColumn(f"{{task.fields[{field}]}}", markup=False, table_column=Column(no_wrap=True))
                for field in ("state", "trials", "best", "left")
            ),
            console=console(stderr=True),
            expand=True,
        )

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, record: StudyRecord, left: str) -> None:
        """Bring the study's bar up to date."""
        fields: dict[str, Any] = {
            "state": record.state,
            "trials": f"{record.n_finished}/{record.n_trials}",
            "best": f"best {text(record.best_objective)}",
            "left": left,
        }
        if record.id not in self._tasks:
            self._tasks[record.id] = self._progress.add_task(record.name, total=1.0, **fields)
        self._progress.update(self._tasks[record.id], completed=record.fraction, **fields)


class _Lines(AbstractContextManager["_Lines"]):
    """A line a study when its state changes, and every few seconds."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, float]] = {}

    def __exit__(self, *_: object) -> None:
        """There is nothing to end."""

    def show(self, record: StudyRecord, left: str) -> None:
        """Print a line if it is time."""
        state, since = self._last.get(record.id, ("", 0.0))
        now = time.monotonic()
        if record.state == state and (state == "waiting" or now - since < _LINE_SECONDS):
            return
        self._last[record.id] = (record.state, now)
        parts = [f"{record.n_finished} of {record.n_trials} trials", f"best {text(record.best_objective)}", left]
        note(f"{record.name}: {record.state}, {', '.join(part for part in parts if part)}")
