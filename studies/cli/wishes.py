"""What users wish of studies that exist: cancel, pause, resume, retry, extend, delete."""

import click

from studies.cli.clients import open_client
from studies.cli.options import id_argument


@click.command()
@id_argument
def cancel(study_or_suite: str) -> None:
    """End a study or suite; what it found stays."""
    open_client().service.cancel(study_or_suite)
    click.echo(f"cancelling {study_or_suite}")


@click.command()
@id_argument
def pause(study_or_suite: str) -> None:
    """Have the workers save a study or suite and put it down."""
    open_client().service.pause(study_or_suite)
    click.echo(f"pausing {study_or_suite}")


@click.command()
@id_argument
def resume(study_or_suite: str) -> None:
    """Let a paused study or suite run on."""
    open_client().service.resume(study_or_suite)
    click.echo(f"resumed {study_or_suite}")


@click.command()
@id_argument
def retry(study_or_suite: str) -> None:
    """Run the failed trials of a study or suite again."""
    n_trials = open_client().service.retry(study_or_suite)
    click.echo(f"{n_trials} failed trial{'' if n_trials == 1 else 's'} of {study_or_suite} will run again")


@click.command()
@id_argument
@click.option("--trials", "n_trials", type=int, required=True, help="How many to add to each study.")
def extend(study_or_suite: str, n_trials: int) -> None:
    """Add trials to a study or suite, finished or not."""
    open_client().service.extend(study_or_suite, n_trials)
    click.echo(f"added {n_trials} trial{'' if n_trials == 1 else 's'} to {study_or_suite}")


@click.command()
@id_argument
def delete(study_or_suite: str) -> None:
    """Delete a study or suite with all its results."""
    open_client().service.delete(study_or_suite)
    click.echo(f"deleted {study_or_suite}")
