"""How often a process sent each SQL statement, and how long it waited for the answers: kept in a file."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

Times = dict[str, list[float]]  #: by statement: how often it was sent, and the seconds until its answers

_PAUSE_SECONDS = 1.0
_PLACE = re.compile(r"%\(\w+\)s(::\w+)?")
_LIST = re.compile(r"\(\?(, \?)+\)")
_VERBS = re.compile(r"(INSERT INTO|DELETE FROM|UPDATE|FROM)\s+\"?(\w+)")


class StatementTimes:
    """Listens to every engine of this process, Optuna's own included."""

    def __init__(self) -> None:
        """Start listening."""
        self._times: Times = {}
        self._lock = threading.Lock()
        event.listen(Engine, "before_cursor_execute", self._begin)
        event.listen(Engine, "after_cursor_execute", self._end)

    def write_to(self, file: Path) -> None:
        """Write the sums to the file every second, from a thread of its own."""

        def write() -> None:
            while True:
                time.sleep(_PAUSE_SECONDS)
                with self._lock:
                    text = json.dumps(self._times)
                draft = file.with_suffix(".new")
                draft.write_text(text, "utf-8")
                draft.replace(file)

        threading.Thread(target=write, daemon=True).start()

    def _begin(self, _connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _: bool) -> None:
        context.sent_at = time.perf_counter()

    def _end(self, _connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _: bool) -> None:
        seconds = time.perf_counter() - context.sent_at
        with self._lock:
            found = self._times.setdefault(generalised(statement), [0, 0.0])
            found[0] += 1
            found[1] += seconds


def generalised(statement: str) -> str:
    """Return the statement on one line, with ? for its parameters and for lists of them, however long."""
    return _LIST.sub("(?)", _PLACE.sub("?", " ".join(statement.split())))


def named(statement: str) -> str:
    """Return what a statement does to which table first: `UPDATE result_arrays`."""
    found = _VERBS.search(statement)
    verb = statement.split(maxsplit=1)[0].upper()
    return verb if found is None else f"{verb} {found[2]}"


def total(times: Iterable[Times]) -> Times:
    """Return the sums over several processes."""
    found: Times = {}
    for one in times:
        for statement, (count, seconds) in one.items():
            known = found.setdefault(statement, [0, 0.0])
            known[0] += count
            known[1] += seconds
    return found


def difference(after: Mapping[str, list[float]], before: Mapping[str, list[float]]) -> Times:
    """Return what came since, statements that did not come again left out."""
    found: Times = {}
    for statement, (count, seconds) in after.items():
        earlier = before.get(statement, [0, 0.0])
        if count > earlier[0]:
            found[statement] = [count - earlier[0], seconds - earlier[1]]
    return found
