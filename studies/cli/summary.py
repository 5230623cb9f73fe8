"""The end of a study in a terminal: best setting, the default, importances, where to look next."""

import click
from rich.console import Group
from rich.text import Text

from studies.analysis.summary import StudySummary, summarise
from studies.analysis.words import INTERVALS, lines, title
from studies.cli.console import grid, note, print_rich
from studies.client import StudyHandle, SuiteHandle

_WIDTH = 80  #: columns, where it is not printed to a terminal


def print_summaries(handle: StudyHandle | SuiteHandle) -> int:
    """Print what each study found; return the exit code: 0 if all are complete, else 1."""
    members = handle.studies if isinstance(handle, SuiteHandle) else (handle,)
    records = [member.record for member in members]
    for member, record in zip(members, records, strict=True):
        if record.counts.get("complete"):
            _print(summarise(record, member.trials(), member.curves()))
    if any(record.counts.get("complete") for record in records):
        click.echo(f"\n{INTERVALS}")
    for record in records:
        if record.state != "complete":
            failed = record.counts.get("failed", 0)
            hint = f": {failed} trials failed; `adam-studies retry {record.id}` runs them again" if failed else ""
            note(f"{record.name} ({record.id}) is {record.state}{hint}")
    return 0 if all(record.state == "complete" for record in records) else 1


def _print(summary: StudySummary) -> None:
    told = [(f"  {label}", line) for label, line in lines(summary)]
    print_rich(Group("", Text(title(summary), style="bold"), grid(told)), _WIDTH)
