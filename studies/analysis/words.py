"""What a study found, in lines of text: the terminal and the report tell the same."""

from collections.abc import Iterator

from studies.analysis.estimates import Estimate
from studies.analysis.summary import SettingResult, StudySummary
from studies.optimizers import find_optimizer
from studies.parameters import PARAMETERS

INTERVALS = (
    "Brackets hold 95 % intervals, those of losses over the seeds.\n"
    "The best has none: the seeds that chose it flatter it."
)


def title(summary: StudySummary) -> str:
    """Return the head of a summary."""
    return f"{find_optimizer(summary.optimizer).title} on {summary.workload}: {summary.study} ({summary.study_id})"


def lines(summary: StudySummary) -> Iterator[tuple[str, str]]:
    """Return the lines with their labels; a line without one belongs to the label above it."""
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
