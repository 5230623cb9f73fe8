"""Submitting and watching: demo, submit, watch."""

import shutil
import sys
import warnings
from collections.abc import Callable

import click

from studies.cli.attendance import Attendance
from studies.cli.clients import open_client
from studies.cli.console import note
from studies.cli.options import id_argument
from studies.cli.program import INTERRUPTED
from studies.cli.progress import follow
from studies.client import Client, StudyHandle, SuiteHandle, read_spec
from studies.errors import NoWorkerWarning
from studies.spec import Spec

_NO_WORKER = "no live worker has been seen, so nothing is trained: `adam-studies up` starts some"

_WHAT_NEXT = """
What next:
  See these studies in the dashboard
    {program} up
  Ask the database
    {program} sql "SELECT optimizer, trial, alpha, beta1, beta2, epsilon, objective
      FROM results ORDER BY objective LIMIT 10"
  Train something else: {program} presets lists what
    {program} submit PRESET --wait"""


@click.command()
def demo() -> int:
    """Train the quickstart suite here, then say what it found."""
    client = open_client()
    code = _run_here(client, read_spec("quickstart"))
    if code == 0:
        program = "adam-studies" if shutil.which("adam-studies") else sys.argv[0]
        click.echo(_WHAT_NEXT.format(program=program))
    return code


@click.command()
@click.argument("source", metavar="FILE.yaml|PRESET")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Change a key of the spec; repeatable.")
@click.option("--wait", is_flag=True, help="Show the progress, then a summary; without a stack, one runs meanwhile.")
def submit(source: str, assignments: tuple[str, ...], wait: bool) -> int:
    """Submit a study or suite from a file or a preset; print its id."""
    client = open_client()
    spec = read_spec(source, assignments)
    if wait and client.settings.is_embedded and client.settings.broker_url is None:
        return _run_here(client, spec)
    handle = client.submit(spec)
    click.echo(handle.id)
    return _follow(handle) if wait else 0


@click.command()
@id_argument
def watch(study_or_suite: str) -> int:
    """Live progress until all has ended, then a summary."""
    client = open_client()
    handle = client.find(study_or_suite)
    if not client.has_live_workers and not all(record.is_final for record in handle.records):
        note(f"warning: {_NO_WORKER}")
    return _follow(handle)


def _run_here(client: Client, spec: Spec) -> int:
    """Submit, print the id and follow, with workers on this machine where none run; return the exit code."""
    client.require_data(spec)
    with Attendance(client) as attendance:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoWorkerWarning)  # those that were just started take some seconds
            handle = client.submit(spec)
        click.echo(handle.id)
        return _follow(handle, attendance.tick)


def _follow(handle: StudyHandle | SuiteHandle, tick: Callable[[], None] | None = None) -> int:
    try:
        follow(handle, tick)
    except KeyboardInterrupt:
        note(f"interrupted; {handle.id} is kept: `adam-studies watch {handle.id}` shows it again")
        return INTERRUPTED
    from studies.cli.summary import print_summaries  # the analysis takes a second to import

    return print_summaries(handle)
