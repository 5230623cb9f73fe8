"""The command that writes a report."""

from pathlib import Path

import click

from studies.cli.clients import open_client
from studies.cli.options import id_argument
from studies.client import StudyHandle
from studies.export import write_file


@click.command()
@id_argument
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE.html", required=True)
def report(study_or_suite: str, output: Path) -> None:
    """What a study or suite found, as one HTML page."""
    from studies.report import render_report  # plotly takes half a second

    handle = open_client().find(study_or_suite)
    members = (handle,) if isinstance(handle, StudyHandle) else handle.studies
    write_file(output, render_report(handle.record.name, members).encode())
    click.echo(str(output))
