"""How the command ends: exit code 0, 1 or 2, one clear line for every error, and no traceback."""

import io
import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click

from studies.cli.console import note
from studies.errors import AdamStudiesError, StudyWarning
from studies.settings import Settings

INTERRUPTED = 130  #: what shells expect of a command that Ctrl-C ended


class Program(click.Group):
    """The outermost group: imports a command when it is asked for, and turns whatever happens into an exit code.

    Args:
        commands_at: name of each command -> its module in this package and its name there, in the order of the help.
        attributes: those of a click group.
    """

    def __init__(self, commands_at: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self._commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(self._commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name."""
        if cmd_name not in self._commands_at:
            return None
        module, name = self._commands_at[cmd_name].split(".")
        command: click.Command = getattr(import_module(f"studies.cli.{module}"), name)
        return command

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]  # it never returns
        """Run the command and exit."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal that cannot show β shows ?
        extra["standalone_mode"] = False
        sys.exit(_exit_code(lambda: super(Program, self).main(args, "adam-studies", **extra)))


def _exit_code(run: Callable[[], object]) -> int:
    try:
        with warnings.catch_warnings(), _log_to_stderr():
            _quieten()
            result = run()
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "adam-studies"
        note(f"error: {error.format_message()} (see {command} --help)")
        return 2
    except click.ClickException as error:
        note(f"error: {error.format_message()}")
        return 2
    except AdamStudiesError as error:
        note(f"error: {error}")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        note("interrupted")
        return INTERRUPTED
    except Exception as error:
        note(f"error: unexpected {type(error).__name__}: {error}{_write_down()}")
        return 1


class _Notes(logging.Handler):
    """Prints each warning that this package logs, once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._seen: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Print the record."""
        message = record.getMessage()
        if message not in self._seen:
            self._seen.add(message)
            note(f"{record.levelname.lower()}: {message}")


@contextmanager
def _log_to_stderr() -> Iterator[None]:
    logger, handler = logging.getLogger("studies"), _Notes()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _quieten() -> None:
    """Show those Python warnings only that concern the user."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", StudyWarning)
        warnings.showwarning = _show_warning


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    note(f"warning: {message}")


def _write_down() -> str:
    """Write the traceback of the current exception to the home's log; return where, in words."""
    try:
        path: Path = Settings.from_environ().home / "logs" / "errors.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC).isoformat()} {' '.join(sys.argv)}\n{traceback.format_exc()}\n")
    except (OSError, AdamStudiesError):
        return ""
    return f" (details: {path})"
