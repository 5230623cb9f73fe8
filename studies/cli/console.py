"""What the command prints: tables, JSON, notes; rich on a terminal, plain text elsewhere."""

import dataclasses
import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.table import Table

_WIDE = 160  #: columns of a table that goes into a file or a pipe


def console(stderr: bool = False, width: int = _WIDE) -> Console:
    """Return a console on stdout or stderr; text is shown as it is, never read as markup.

    Args:
        stderr: which of the two.
        width: columns where it is no terminal and COLUMNS is not set.
    """
    stream = sys.stderr if stderr else sys.stdout
    known = stream.isatty() or "COLUMNS" in os.environ
    return Console(file=stream, width=None if known else width, markup=False, highlight=False, emoji=False)


def print_rich(shown: RenderableType, width: int = _WIDE) -> None:
    """Print something of rich's to stdout; without trailing spaces where it is no terminal."""
    target = console(width=width)
    if target.is_terminal:
        target.print(shown)
        return
    with target.capture() as capture:
        target.print(shown)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


def grid(lines: Iterable[tuple[str, str]]) -> Table:
    """Return a table of labels and texts without lines."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for label, line in lines:
        table.add_row(label, line)
    return table


def note(text: str) -> None:
    """Print one line to stderr."""
    click.echo(" ".join(text.split()), err=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], nothing: str) -> None:
    """Print a table; columns whose names end with a space are aligned to the right.

    Args:
        columns: their headings.
        rows: what is shown, "-" for None.
        nothing: what is printed instead when there are no rows.
    """
    shown = [[text(value) for value in row] for row in rows]
    if not shown:
        click.echo(nothing)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column.strip(), justify="right" if column.endswith(" ") else "left", overflow="fold")
    for row in shown:
        table.add_row(*row)
    print_rich(table)


def text(value: object) -> str:
    """Return a value as tables show it: four digits of a number, "-" for nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)


def print_json(value: object) -> None:
    """Print a value as JSON; dataclasses become objects, times ISO 8601, what is not finite null."""
    click.echo(json.dumps(_jsonable(value), indent=2, ensure_ascii=False, allow_nan=False))


def _jsonable(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, bool | int | float):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)
