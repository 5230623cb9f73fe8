"""What a spec would do, before it is submitted: its work, and the settings that would be tried."""

from collections import Counter
from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from dashboard.components.text import escape, plural
from studies.db.records import WorkerRecord
from studies.db.speed import Speed, worker_seconds
from studies.figures.search_space import search_space_figure
from studies.samplers import draw_settings
from studies.spec import Spec, StudySpec
from studies.words import duration

_MAX_SETTINGS = 500  #: more dots than this show nothing more
_DRAWN_FROM = {"optimizer", "search_space", "sampler", "n_trials", "seed", "enqueue"}


def preview(spec: Spec, speeds: Sequence[Speed], workers: Sequence[WorkerRecord]) -> None:
    """Show the total work and the settings of one study; of a suite, of the study that is chosen.

    Args:
        spec: what would be submitted.
        speeds: what was measured so far.
        workers: the processes that are alive.
    """
    studies = spec.members
    _work(studies)
    st.markdown(":material/timer: " + "  \n".join(_times(studies, speeds, workers)))
    for study in studies:
        for warning in study.warnings:
            st.warning(escape(warning), icon=":material/warning:")
    shown = studies[0]
    if len(studies) > 1:
        names = [study.name for study in studies]
        name = st.selectbox("Settings of the study", names, key="new_preview_study")
        shown = studies[names.index(name)]
    n_settings, figure = _drawn(shown.model_dump_json(include=_DRAWN_FROM), shown)
    st.plotly_chart(
        figure,
        key="new_preview_figure",
        config={"displayModeBar": False},
        alt=f"The first {n_settings} settings of {shown.name} along each hyperparameter",
    )
    if n_settings < shown.n_trials:
        st.caption(f"The first {plural(n_settings, 'setting')} of {shown.n_trials:,}.")


@st.cache_resource(max_entries=64, show_spinner=False)
def _drawn(key: str, _spec: StudySpec) -> tuple[int, go.Figure]:
    """Return how many settings are shown, and their figure; `key` holds what they depend on."""
    settings = draw_settings(_spec, min(_spec.n_trials, _MAX_SETTINGS))
    return len(settings), search_space_figure(_spec, settings)


def _work(studies: Sequence[StudySpec]) -> None:
    n_runs = sum(study.n_trials * study.n_seeds for study in studies)
    n_epochs = sum(study.n_trials * study.n_seeds * study.epochs for study in studies)
    trials, runs, epochs = st.columns(3, wrap=False)
    trials.metric("Trials", f"{sum(study.n_trials for study in studies):,}")
    runs.metric("Training runs", f"{n_runs:,}")
    epochs.metric("Epochs in all", f"{n_epochs:,}")
    lines = {f"{study.n_trials:,} trials × {study.n_seeds:,} seeds × {study.epochs:,} epochs" for study in studies}
    many = f"{len(studies):,} studies: " if len(studies) > 1 else ""
    st.caption(many + ", ".join(sorted(lines)))


def _times(studies: Sequence[StudySpec], speeds: Sequence[Speed], workers: Sequence[WorkerRecord]) -> list[str]:
    """Return how long it takes on each kind of device that it may use, as far as that was measured here."""
    asked = {study.device for study in studies} - {"any"}
    alive = Counter(worker.device for worker in workers)
    found = []
    for device, seconds in worker_seconds(studies, speeds).items():
        if asked <= {"cpu" if device.lower() == "cpu" else "gpu"}:
            n_workers = alive[device]
            where = f"{plural(max(1, n_workers), 'worker')} ({escape(device)}{'' if n_workers else ', none is alive'})"
            found.append(f"About **{duration(seconds / max(1, n_workers))}** on {where}")
    if found:
        sooner = "; pruning ends it sooner" if any(study.pruner != "none" for study in studies) else ""
        return [*found, f":small[at the speed measured here on the same workload and batch size{sooner}]"]
    return [
        ":small[How long it takes is not known yet: no trial of the same workload and batch size has been completed "
        "here on such a device.]"
    ]
