"""Filling the page: Jinja escapes every text, and the plots' own script lies inside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import pandas as pd
import plotly.graph_objects as go
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from studies.analysis import words
from studies.analysis.summary import StudySummary, summarise
from studies.analysis.trials import parameter_column
from studies.client import StudyHandle
from studies.db.records import StudyRecord
from studies.figures.convergence import convergence_data, convergence_figure
from studies.figures.importance import importance_data, importance_figure
from studies.figures.sensitivity import sensitivity_data, sensitivity_figure
from studies.figures.theme import NEUTRAL_COLOUR
from studies.parameters import PARAMETERS

_N_BEST = 20  #: trials in the table
_FIGURES = {
    "objective": "objective",
    "objective_std": "± over seeds",
    "test_loss": "test loss",
    "test_error": "test error",
    "seconds": "seconds",
}
_CONFIG = {"displaylogo": False, "responsive": True}


@dataclass(frozen=True)
class _Figure:
    title: str
    alt: str  #: what a screen reader says of it
    html: Markup


@dataclass(frozen=True)
class _Section:
    """A study."""

    record: StudyRecord
    about: str
    lines: list[tuple[str, str]]
    figures: list[_Figure]
    heads: list[str]
    rows: list[list[str]]
    spec: str


def render_report(title: str, handles: Sequence[StudyHandle]) -> str:
    """Return the page.

    Args:
        title: of the page: the study's name, or the suite's.
        handles: the studies, in their order on the page.

    Returns:
        HTML with everything that it shows inside, some 5 MB.
    """
    environment = Environment(loader=PackageLoader("studies.report"), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("report.html").render(
        title=title,
        sections=[_section(handle) for handle in handles],
        intervals=words.INTERVALS,
        script=Markup(get_plotlyjs()),
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, adam-studies {version('adam-studies')}",
    )


def _section(handle: StudyHandle) -> _Section:
    record, trials = handle.record, handle.trials()
    summary, figures = None, []
    if record.epochs_done:
        curves = handle.curves()
        summary = summarise(record, trials, curves)
        figures = list(_figures(record, summary, trials, curves))
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


def _figures(
    record: StudyRecord, summary: StudySummary, trials: pd.DataFrame, curves: pd.DataFrame
) -> Iterator[_Figure]:
    yield _figure(
        "Convergence",
        f"The objective's curves of {record.name} against epochs, over trials and over seeds",
        convergence_figure(convergence_data(record, trials, curves)),
    )
    if summary.importances.message is None:
        yield _figure(
            "What matters",
            f"The importance of each hyperparameter of {record.name} with its interval",
            importance_figure(importance_data(record.spec, summary.importances)),
        )
    yield _figure(
        "Sensitivity",
        f"The objective of every trial of {record.name} against each searched hyperparameter",
        sensitivity_figure(sensitivity_data(record, trials)),
    )


def _figure(title: str, alt: str, figure: go.Figure) -> _Figure:
    figure.update_layout(modebar={"bgcolor": "rgba(0, 0, 0, 0)", "color": NEUTRAL_COLOUR})
    return _Figure(title, alt, Markup(figure.to_html(full_html=False, include_plotlyjs=False, config=_CONFIG)))


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
