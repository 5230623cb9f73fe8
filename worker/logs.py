"""The lines of a worker's log, each of which names the worker and, where there are any, the study and the array."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TextIO

FORMATS = ("text", "json")

_ids: ContextVar[Mapping[str, str | int]] = ContextVar("ids", default=MappingProxyType({}))


def set_up(level: str, line_format: str, worker_id: str, stream: TextIO = sys.stderr) -> None:
    """Have everything that is logged in this process, Celery's lines too, written to a stream in one format.

    Args:
        level: the least of Python's levels that is written, in small letters.
        line_format: one of `FORMATS`: for people, or one JSON object a line for what collects logs.
        worker_id: of this process.
        stream: where to.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonFormatter() if line_format == "json" else _TextFormatter())
    handler.addFilter(lambda record: _name(record, worker_id))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


@contextmanager
def about(**ids: str | int) -> Iterator[None]:
    """Have what this thread logs meanwhile name a study (`study`) or an array (`array`)."""
    token = _ids.set({**_ids.get(), **ids})
    try:
        yield
    finally:
        _ids.reset(token)


def _name(record: logging.LogRecord, worker_id: str) -> bool:
    record.ids = {"worker": worker_id, **_ids.get()}
    return True


class _TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(words)s] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.words = " ".join(f"{name}={value}" for name, value in vars(record)["ids"].items())
        return super().format(record)


class _JsonFormatter(logging.Formatter):
    default_msec_format = "%s.%03d"

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            **vars(record)["ids"],
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
