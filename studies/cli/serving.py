"""What runs: up, worker, dashboard, and the database's tables."""

import os
import sys
import time

import click

from studies.cli.console import note
from studies.db.engine import open_database
from studies.db.migrate import upgrade as upgrade_database
from studies.local.sign_in import WITHOUT_SIGN_IN
from studies.local.stack import Stack, dashboard_command, default_n_workers, worker_command
from studies.settings import Settings

_PORT = click.IntRange(1, 65535)


@click.command()
@click.option("--workers", "n_workers", type=click.IntRange(1, 256), help="Default: one a CPU core, at most 4.")
@click.option("--port", type=_PORT, default=8501, show_default=True, help="The dashboard's port on 127.0.0.1.")
@click.option("--no-dashboard", is_flag=True, help="Start Redis and workers only.")
def up(n_workers: int | None, port: int, no_dashboard: bool) -> None:
    """Start Redis, workers and the dashboard; Ctrl-C ends all."""
    settings = Settings.from_environ()
    open_database(settings).close()
    n_workers = n_workers or default_n_workers()
    note(f"starting {n_workers} workers{'' if no_dashboard else ' and the dashboard'} ...")
    with Stack(settings, n_workers, None if no_dashboard else port) as stack:
        if not no_dashboard:
            click.echo(f"dashboard: {stack.address}")
        click.echo(f"data and logs: {settings.home}")
        click.echo("Ctrl-C ends all")
        try:
            while True:
                stack.supervise()
                time.sleep(0.5)
        except KeyboardInterrupt:
            note("ending; the workers save what they train")


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def worker(options: tuple[str, ...]) -> None:
    """Run one worker in the foreground (worker --help)."""
    _become(worker_command(options))


@click.command()
@click.option("--port", type=_PORT, default=8501, show_default=True)
@click.option(
    "--address",
    default="127.0.0.1",
    show_default=True,
    help="What to listen on; others than this machine must sign in.",
)
@click.option(
    WITHOUT_SIGN_IN, is_flag=True, help="Let others in all the same, where something else keeps strangers out."
)
def dashboard(port: int, address: str, without_sign_in: bool) -> None:
    """Serve the dashboard in the foreground."""
    command = dashboard_command(port, address, without_sign_in)
    open_database(Settings.from_environ()).close()
    click.echo(f"dashboard: http://{address}:{port}")
    _become(command)


@click.group(no_args_is_help=False)
def db() -> None:
    """The study database."""


@db.command()
def upgrade() -> None:
    """Create the tables of the study database, or bring them up to date."""
    click.echo(f"the database is at revision {upgrade_database(Settings.from_environ())}")


def _become(command: list[str]) -> None:
    sys.stdout.flush()
    os.execv(command[0], command)
