"""How fast trials get there, and what becomes of those that do not: the section Convergence of a study's page."""

import pandas as pd
import streamlit as st

from dashboard import queries
from dashboard.components import study_data
from dashboard.components.chart import chart
from dashboard.components.contest import survival
from dashboard.components.downloads import download_table
from dashboard.components.links import surfaces_link
from dashboard.components.text import number, plural
from dashboard.components.workload_figures import WorkloadFigure, workload_figures
from studies.analysis.estimates import Estimate
from studies.analysis.targets import TargetTimes, Unit, of_trials, target_summary
from studies.analysis.trials import complete_trials
from studies.db.records import StudyRecord
from studies.figures import captions
from studies.figures.divergence import divergence_figure
from studies.figures.survival import survival_data, survival_figure
from studies.figures.tables import divergence_table, survival_table

_UNITS: tuple[Unit, ...] = ("steps", "seconds", "epochs")


def convergence_section(study: StudyRecord) -> None:
    """Draw the figures of the workload, the time to target, survival, and where trials diverge."""
    for figure in _workload_figures(queries.version(study), study):
        st.subheader(figure.title, anchor=False)
        chart(figure.figure, study, figure.name, figure.alt, figure.rows, figure.caption)
        if figure.is_surface:
            surfaces_link(study)
    target = study_data.target(study)
    times = None if target is None else study_data.reached(queries.version(study), target, study)
    left, right = st.columns(2, gap="medium")
    with left:
        if target is None or times is None:
            st.subheader("Time to target", anchor=False)
            st.info("No target can be set: no trial is complete, or the best objective is not above 0.")
        else:
            _time_to_target(study, target, times)
    with right, st.container(key="beside_target"):
        st.subheader("Survival of trials", anchor=False)
        _survival(study)
    if times is not None:
        _medians(study, times)
    st.subheader("Where trials diverge", anchor=False)
    _divergence(study)


def _time_to_target(study: StudyRecord, target: float, times: TargetTimes) -> None:
    with st.container(horizontal=True, wrap=False, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader("Time to target", anchor=False, width="content")
        unit = st.segmented_control(
            "Time in",
            _UNITS,
            default="steps",
            required=True,
            key="time",
            bind="query-params",
            label_visibility="collapsed",
        )
    assert unit is not None, "one is required"
    data = survival_data([(study_data.look_of(study), of_trials(times).survival(unit))], "reached", unit, "trials")
    chart(
        survival_figure(data),
        study,
        f"target-{unit}",
        f"Share of the trials that reached the target, against {unit}, with intervals,",
        lambda: survival_table(data),
        captions.time_to_target(study, target),
    )


def _medians(study: StudyRecord, times: TargetTimes) -> None:
    rows = _time_rows(study, times)
    st.dataframe(rows, hide_index=True, key="target_times", alt=f"Median times to the target of {study.name}")
    st.caption(captions.MEDIAN_TIMES)
    with st.container(horizontal=True, gap="small"):
        download_table("Times", f"{study.id}-times-to-target", lambda: _times_table(times))


def _time_rows(study: StudyRecord, times: TargetTimes) -> pd.DataFrame:
    table = complete_trials(study.spec, queries.trials(study))
    groups = [("all trials", of_trials(times), "trial")]
    for name, index in (("best", table.best), (study.spec.optimizer_entry.default_label, table.default)):
        if index is not None:
            trial = int(table.numbers[index])
            groups.append((f"{name} (trial {trial})", times.of_trial(trial), "seed"))
    rows = []
    for label, own, word in groups:
        found = target_summary(own)
        medians = {unit: _text(getattr(found, unit)) for unit in ("epochs", "steps", "seconds")}
        rows.append({"": label, "of": plural(found.n, word), **medians, "missed": captions.share(found.missed)})
    return pd.DataFrame(rows)


def _times_table(times: TargetTimes) -> pd.DataFrame:
    names = ("trials", "replicates", "epochs", "steps", "seconds", "reached")
    columns = {name.removesuffix("s") if name in names[:2] else name: getattr(times, name) for name in names}
    return pd.DataFrame(columns)


def _survival(study: StudyRecord) -> None:
    found = survival(study)
    data = survival_data([(study_data.look_of(study), found)], "left", "epochs", "trials")
    chart(
        survival_figure(data),
        study,
        "survival",
        "Share of the trials that neither diverged nor were pruned, against epochs, with intervals,",
        lambda: survival_table(data),
        captions.survival(study),
    )


def _divergence(study: StudyRecord) -> None:
    found = study_data.diverged(queries.version(study), study)
    chart(
        divergence_figure(found, study_data.look_of(study)),
        study,
        "divergence",
        "Share of the trials that diverge against each searched hyperparameter, with intervals,",
        lambda: divergence_table(found),
        captions.divergence(found),
    )


def _text(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None or estimate.low == estimate.high:
        return number(estimate.value, 3)
    return f"{number(estimate.value, 3)} ({number(estimate.low, 3)} to {number(estimate.high, 3)})"


@st.cache_resource(max_entries=16, show_spinner=False)
def _workload_figures(version: str, _study: StudyRecord) -> tuple[WorkloadFigure, ...]:
    return workload_figures(_study, queries.trials(_study))
