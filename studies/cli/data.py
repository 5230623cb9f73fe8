"""The data sets: what is on disk, and how to get it there."""

from contextlib import AbstractContextManager
from typing import Any

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from studies.cli.console import console, note, print_json, print_table
from studies.cli.options import json_option
from studies.data_status import DatasetStatus, data_status
from studies.settings import Settings


@click.group(no_args_is_help=False)
def data() -> None:
    """The data sets."""


@data.command()
@json_option
def status(as_json: bool) -> None:
    """What is on disk, checked by sha256, and what is expected where."""
    found = data_status(Settings.from_environ())
    if as_json:
        return print_json(found)
    rows = [
        (dataset.name, dataset.state, _size(dataset), ", ".join(dataset.workloads), _where(dataset))
        for dataset in found
    ]
    return print_table(("DATA SET", "STATE", "SIZE ", "WORKLOADS", "WHERE"), rows, "")


@data.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def fetch(names: tuple[str, ...]) -> None:
    """Download data sets, checked by sha256; a download that broke off goes on where it was."""
    from studies.data_fetch import fetch as fetch_dataset  # pooch and requests take a moment to import

    settings = Settings.from_environ()
    for name in names:
        with _Bar() as bar:
            fetched = fetch_dataset(settings, name, bar.show)
        note(f"{name}: {'downloaded into' if fetched else 'already in'} {settings.data_dir}")


class _Bar(AbstractContextManager["_Bar"]):
    """A bar per file on stderr, where that is a terminal."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        target = console(stderr=True)
        self._progress = Progress(*columns, console=target, disable=not target.is_terminal)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._progress.stop()

    def show(self, file: str, arrived: int, total: int) -> None:
        """Draw the progress of a file."""
        if file not in self._tasks:
            self._tasks[file] = self._progress.add_task(file, total=total)
        self._progress.update(self._tasks[file], completed=arrived)


def _size(dataset: DatasetStatus) -> str | None:
    n_bytes = sum(file.n_bytes for file in dataset.files)
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes else None


def _where(dataset: DatasetStatus) -> str:
    if dataset.folder is None:
        return "comes with the worker's packages"
    if dataset.state == "present":
        return str(dataset.files[0].path.parent)
    return (
        f"{dataset.folder} should hold the original {dataset.wrong}; `adam-studies data fetch {dataset.name}` gets it, "
        "ADAM_STUDIES_DATA chooses the folder"
    )
