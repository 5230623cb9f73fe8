"""Filling the page: Jinja escapes every text, and the plots' own script lies inside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from studies.analysis import words
from studies.analysis.summary import summarise
from studies.analysis.trials import parameter_column
from studies.client import StudyHandle
from studies.db.queries import find_suite
from studies.db.records import StudyRecord
from studies.parameters import PARAMETERS
from studies.report.comparison import HEADS, ComparisonPart, comparison_part
from studies.report.study_figures import Figure, study_figures

_N_BEST = 20  #: trials in the table
_FIGURES = {
    "objective": "objective",
    "objective_std": "± over seeds",
    "test_loss": "test loss",
    "test_error": "test error",
    "seconds": "seconds",
}


@dataclass(frozen=True)
class _Section:
    """A study."""

    record: StudyRecord
    about: str
    lines: list[tuple[str, str]]
    figures: list[Figure]
    heads: list[str]
    rows: list[list[str]]
    spec: str


def render_report(title: str, handles: Sequence[StudyHandle]) -> str:
    """Return the page.

    Args:
        title: of the page: the study's name, or the suite's.
        handles: the studies, in their order on the page.

    Returns:
        HTML with everything that it shows inside: 5 MB of the plots' own script, and some 0.1 to 0.5 MB a study.
    """
    environment = Environment(loader=PackageLoader("studies.report"), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("report.html").render(
        title=title,
        comparisons=list(_comparisons(handles)),
        heads=HEADS,
        sections=[_section(handle) for handle in handles],
        intervals=words.INTERVALS,
        script=Markup(get_plotlyjs()),
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, adam-studies {version('adam-studies')}",
    )


def _comparisons(handles: Sequence[StudyHandle]) -> Iterator[ComparisonPart]:
    """Yield the comparison of each suite that the studies are of."""
    suites = {handle.record.suite_id: handle.database for handle in handles if handle.record.suite_id is not None}
    for suite_id, database in suites.items():
        part = comparison_part(database, find_suite(database, suite_id))
        if part is not None:
            yield part


def _section(handle: StudyHandle) -> _Section:
    record, trials = handle.record, handle.trials()
    summary, figures = None, []
    if record.epochs_done:
        curves = handle.curves()
        summary = summarise(record, trials, curves)
        figures = list(study_figures(handle.database, record, summary, trials, curves))
    spec = record.spec
    how = " · ".join([*spec.modes, spec.schedule.words, f"{spec.sampler} sampler"])
    size = f"{record.n_trials} trials × {spec.n_seeds} seeds × {spec.epochs} epochs"
    heads, rows = _best_trials(record, trials)
    return _Section(
        record=record,
        about=f"{spec.optimizer_entry.title} on {spec.workload_title} · {how} · {size}",
        lines=list(words.lines(summary)) if summary else [("", "Nothing is recorded yet.")],
        figures=figures,
        heads=heads,
        rows=rows,
        spec=yaml.safe_dump(spec.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True),
    )


def _best_trials(record: StudyRecord, trials: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the rows of the table of the best trials."""
    parameters = [PARAMETERS[name] for name in record.spec.search_space]
    ended = trials[trials["state"] == "complete"].sort_values(["objective", "trial"]).head(_N_BEST)
    shown = ended.assign(**{parameter.name: parameter_column(ended, parameter.name) for parameter in parameters})
    rows = []
    for trial in shown.to_dict("records"):
        setting = [parameter.text(trial[parameter.name]) for parameter in parameters]
        figures = [_number(trial[name]) for name in _FIGURES]
        remarks = [word for word, holds in (("default", trial["is_default"]), ("diverged", trial["diverged"])) if holds]
        rows.append([str(trial["trial"]), *setting, *figures, ", ".join(remarks)])
    symbols = [parameter.symbol for parameter in parameters]
    return ["trial", *symbols, *_FIGURES.values(), ""], rows


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.4g}"
