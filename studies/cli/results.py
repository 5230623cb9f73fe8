"""What there is and what was found: list, show, export, sql."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import click
import pandas as pd

from studies.cli.clients import open_client
from studies.cli.console import console, grid, note, print_json, print_rich, print_table, text
from studies.cli.options import id_argument, json_option
from studies.client import BestTrial, Handle, StudyHandle
from studies.db import queries
from studies.db.records import StudyRecord
from studies.errors import InputError
from studies.export import render, write_file
from studies.parameters import PARAMETERS, Parameter
from studies.search_space import Dimension, Range

_TABLE_ROWS = 1_000
_ALL_ROWS = 10_000_000
_COLUMNS = ("ID", "SUITE", "NAME", "OPTIMIZER", "STATE", "TRIALS ", "BEST ", "WORKLOAD")
_FRAMES = {
    "trials": Handle.trials,
    "curves": Handle.curves,
    "diagnostics": Handle.diagnostics,
    "trajectories": Handle.trajectories,
}
_NARROW = 100  #: columns of a terminal below which the workload is left out


@click.command("list")
@json_option
def list_(as_json: bool) -> None:
    """All studies, newest first."""
    found = queries.list_studies(open_client().database)
    if as_json:
        print_json([_as_json(record) for record in found])
    else:
        _print_studies(found)


@click.command()
@id_argument
@json_option
def show(study_or_suite: str, as_json: bool) -> None:
    """A study or suite: spec, progress, best trial."""
    handle = open_client().find(study_or_suite)
    if isinstance(handle, StudyHandle):
        record, best = handle.record, handle.best
        if as_json:
            print_json({**_as_json(record), "best": best})
        else:
            print_rich(grid([*_lines(record, best), *_failures(handle)]))
        return
    suite = handle.record
    if as_json:
        members = [_as_json(record) for record in suite.studies]
        print_json({"id": suite.id, "name": suite.name, "created_at": suite.created_at, "studies": members})
    else:
        click.echo(f"{suite.name} ({suite.id}), submitted {text(suite.created_at)} UTC\n")
        _print_studies(suite.studies)


@click.command()
@id_argument
@click.option("--what", type=click.Choice(list(_FRAMES)), default="trials", show_default=True)
@click.option("--format", "format_", type=click.Choice(["csv", "parquet", "json"]), default="csv", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Default: stdout.")
def export(study_or_suite: str, what: str, format_: Literal["csv", "parquet", "json"], output: Path | None) -> None:
    """Trials, curves and more of a study or suite, as a file."""
    if format_ == "parquet" and output is None:
        raise InputError("--format parquet needs a file: name it by -o FILE")
    handle = open_client().find(study_or_suite)
    content = render(_FRAMES[what](handle), format_)
    if output is None:
        click.echo(content, nl=False)
    else:
        write_file(output, content)


@click.command()
@click.argument("query")
@click.option("--format", "format_", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def sql(query: str, format_: Literal["table", "csv", "json"]) -> None:
    """Read-only SQL over the views of the study database."""
    from studies.db.sql import run_sql  # PostgreSQL's driver behind it takes a third of a second

    frame = run_sql(open_client().database, query, _TABLE_ROWS if format_ == "table" else _ALL_ROWS)
    if format_ == "table":
        numeric = [pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]
        columns = [f"{name} " if right else f"{name}" for name, right in zip(frame.columns, numeric, strict=True)]
        print_table(columns, _plain(frame), "no rows")
    else:
        click.echo(render(frame, format_), nl=False)
    if frame.attrs["truncated"]:
        note(f"only the first {len(frame)} rows are shown; add LIMIT, or take --format csv")


def _print_studies(found: Sequence[StudyRecord]) -> None:
    n_columns = len(_COLUMNS) - (console().width < _NARROW)
    rows = [_row(record)[:n_columns] for record in found]
    print_table(_COLUMNS[:n_columns], rows, "no studies yet; `adam-studies submit quickstart` makes two")


def _row(record: StudyRecord) -> tuple[object, ...]:
    spec, trials = record.spec, f"{record.n_finished}/{record.n_trials}"
    progress = (record.state, trials, record.best_objective)
    return (record.id, record.suite_id, record.name, spec.optimizer, *progress, spec.workload_label)


def _as_json(record: StudyRecord) -> dict[str, Any]:
    spec = record.spec
    return {
        "id": record.id,
        "name": record.name,
        "suite_id": record.suite_id,
        "suite": record.suite,
        "workload": spec.workload,
        "data": spec.data,
        "optimizer": spec.optimizer,
        "state": record.state,
        "problem": record.problem,
        "n_trials": record.n_trials,
        "n_finished": record.n_finished,
        "counts": record.counts,
        "n_diverged": record.n_diverged,
        "fraction": record.fraction,
        "objective_name": spec.objective,
        "best_trial": record.best_trial,
        "best_objective": record.best_objective,
        "created_at": record.created_at,
        "finished_at": record.finished_at,
        "spec": record.spec_json,
    }


def _lines(record: StudyRecord, best: BestTrial | None) -> Iterator[tuple[str, str]]:
    spec = record.spec
    yield "id", record.id
    yield "name", record.name
    if record.suite_id is not None:
        yield "suite", f"{record.suite} ({record.suite_id})"
    yield "state", record.state
    if record.problem is not None:
        yield "problem", record.problem
    counts = ", ".join(f"{n} {state}" for state, n in record.counts.items() if n)
    diverged = f"; {record.n_diverged} diverged" if record.n_diverged else ""
    yield "trials", f"{record.n_trials}: {counts}{diverged}"
    yield "submitted", f"{text(record.created_at)} UTC"
    if record.finished_at is not None:
        yield "finished", f"{text(record.finished_at)} UTC"
    yield "workload", f"{spec.workload}: {spec.workload_title}, batch {spec.batch_size}, {spec.epochs} epochs"
    yield "optimizer", ", ".join([spec.optimizer, *spec.modes, spec.schedule.words])
    yield "sampler", f"{spec.sampler}, pruner {spec.pruner}, {spec.n_seeds} seeds from {spec.seed}"
    for name, dimension in spec.search_space.items():
        yield f"  {name}", _dimension(PARAMETERS[name], dimension)
    yield "objective", spec.objective
    if best is not None:
        interval = "" if best.objective.low is None else f" [{text(best.objective.low)}, {text(best.objective.high)}]"
        yield "best", f"{text(best.objective.value)}{interval} (trial {best.trial})"
        for name, value in best.setting.items():
            yield f"  {name}", PARAMETERS[name].text(value)


def _failures(handle: StudyHandle) -> Iterator[tuple[str, str]]:
    trials = handle.trials()
    for trial, error in trials.loc[trials["state"] == "failed", ["trial", "error"]].itertuples(index=False):
        yield "failed", f"trial {trial}: {error}"


def _dimension(parameter: Parameter, dimension: Dimension) -> str:
    if isinstance(dimension, Range):
        return f"{parameter.text(dimension.low)} to {parameter.text(dimension.high)} ({dimension.scale})"
    return ", ".join(parameter.text(value) for value in (dimension if isinstance(dimension, tuple) else (dimension,)))


def _plain(frame: pd.DataFrame) -> list[list[object]]:
    """Return the rows with plain Python values; what is missing is None."""
    rows: list[list[object]] = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return rows
