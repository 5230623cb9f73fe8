"""Options and arguments that commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def json_option(command: _Command) -> _Command:
    """Add --json, which prints what the command shows as JSON."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def id_argument(command: _Command) -> _Command:
    """Add the argument ID of a study or suite."""
    return click.argument("study_or_suite", metavar="ID")(command)
