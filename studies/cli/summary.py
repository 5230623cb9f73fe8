"""The end of a study in a terminal: best setting, the default, importances, where to look next."""

from collections.abc import Iterator

import click
from rich.console import Group
from rich.text import Text

from studies.analysis.estimates import Estimate
from studies.analysis.summary import SettingResult, StudySummary, summarise
from studies.cli.console import grid, note, print_rich
from studies.client import StudyHandle, SuiteHandle
from studies.optimizers import find_optimizer
from studies.parameters import PARAMETERS

_WIDTH = 80  #: columns, where it is not printed to a terminal


def print_summaries(handle: StudyHandle | SuiteHandle) -> int:
    """Print what each study found; return the exit code: 0 if all are complete, else 1."""
    members = handle.studies if isinstance(handle, SuiteHandle) else (handle,)
    records = [member.record for member in members]
    for member, record in zip(members, records, strict=True):
        if record.counts.get("complete"):
            _print(summarise(record, member.trials(), member.curves()))
    if any(record.counts.get("complete") for record in records):
        click.echo("\nBrackets hold 95 % intervals, those of losses over the seeds.")
    for record in records:
        if record.state != "complete":
            failed = record.counts.get("failed", 0)
            hint = f": {failed} trials failed; `adam-studies retry {record.id}` runs them again" if failed else ""
            note(f"{record.name} ({record.id}) is {record.state}{hint}")
    return 0 if all(record.state == "complete" for record in records) else 1


def _print(summary: StudySummary) -> None:
    title = f"{find_optimizer(summary.optimizer).title} on {summary.workload}: {summary.study} ({summary.study_id})"
    lines = [(f"  {label}", line) for label, line in _lines(summary)]
    print_rich(Group("", Text(title, style="bold"), grid(lines)), _WIDTH)


def _lines(summary: StudySummary) -> Iterator[tuple[str, str]]:
    diverged = f", {summary.n_diverged} of them diverged" if summary.n_diverged else ""
    yield "trials", f"{summary.n_complete} of {summary.n_trials} complete{diverged}"
    if summary.best is not None:
        yield "best", _result(summary.best, summary.objective_name)
        yield "", f"{_setting(summary.best)}  (trial {summary.best.trial})"
    if summary.default is not None:
        yield "default", _result(summary.default, summary.objective_name)
        optimizer = find_optimizer(summary.optimizer)
        others = [words for name, words in optimizer.other_defaults.items() if name in summary.default.setting]
        yield "", f"{_setting(summary.default)}  ({'; '.join([optimizer.defaults_from, *others])})"
    if summary.default_rank is not None:
        rank, beaten = summary.default_rank, summary.default_rank.percentile
        better = "" if beaten is None else f", better than {beaten:.0f} % of the others"
        yield "", f"rank {rank.rank} of {rank.n_trials}{better}"
    if summary.importances.values:
        shares = [f"{PARAMETERS[one.parameter].symbol} {_percent(one.share)}" for one in summary.importances.values]
        yield "importance", ", ".join(shares)
    for index, line in enumerate(summary.where_to_look):
        yield "" if index else "look next", line


def _result(result: SettingResult, objective: str) -> str:
    estimate = result.objective
    shown = f"{objective} {estimate.value:.4g}"
    if estimate.low is not None and estimate.high is not None:
        shown += f" [{estimate.low:.4g}, {estimate.high:.4g}]"
    if result.test_error is not None:
        shown += f", test error {100 * result.test_error.value:.3g} %"
    return shown


def _setting(result: SettingResult) -> str:
    setting = {PARAMETERS[name]: value for name, value in result.setting.items()}
    return "  ".join(f"{parameter.symbol} {parameter.text(value)}" for parameter, value in setting.items())


def _percent(share: Estimate) -> str:
    shown = f"{100 * share.value:.0f} %"
    if share.low is not None and share.high is not None:
        shown += f" [{100 * share.low:.0f}, {100 * share.high:.0f}]"
    return shown
