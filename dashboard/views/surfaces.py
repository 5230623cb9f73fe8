"""Surfaces of two parameters, with the ways that trials took over them."""

from collections.abc import Sequence

import streamlit as st
from streamlit.column_config import NumberColumn

from dashboard import queries
from dashboard.components.chart import draw
from dashboard.components.downloads import download_table
from dashboard.components.links import NEW_STUDY, study_label, study_link
from dashboard.components.surface_ways import DASHES, further_trials, surface_ways
from dashboard.components.text import escape
from studies.db.records import StudyRecord
from studies.figures.captions import TRAJECTORIES
from studies.figures.tables import trajectories_table
from studies.figures.trajectories import trajectories_figure
from studies.optimizers import OPTIMIZERS
from studies.workloads.surfaces import SURFACE_WORKLOADS

_N_FURTHER = 200  #: trials of a study that can be chosen one by one: the best


def page() -> None:
    """Draw the page of the surface that the URL names."""
    st.title("Surfaces", anchor=False)
    workloads = {workload.name: workload for workload in SURFACE_WORKLOADS}
    studies = [study for study in queries.all_studies() if study.spec.workload in workloads]
    if not studies:
        _empty("No study of a surface has been submitted yet.")
        return
    _at_first("surface", next(name for name in workloads if _of(name, studies)))
    left, right = st.columns((2, 3), gap="medium")
    with left:
        name = st.selectbox(
            "Surface",
            list(workloads),
            None,
            key="surface",
            placeholder="Choose a surface",
            bind="query-params",
            on_change=_choose_anew,
            args=(studies,),
        )
    own = _of(name, studies)
    with right:
        chosen = _chosen(own)
    if name is None:
        return
    st.caption(escape(f"{workloads[name].title}: {workloads[name].model}. {workloads[name].citation}"))
    if not own:
        _empty("No study of this surface has been submitted yet.")
    elif not chosen:
        st.info("Choose a study of this surface above.", icon=":material/info:")
    elif not any(study.counts.get("complete") for study in chosen):
        st.info(
            "No trial of these studies is complete yet: ways appear with the first.", icon=":material/hourglass_empty:"
        )
    else:
        _ways(name, chosen)


def _at_first(key: str, value: object) -> None:
    """Choose something where neither the user nor the URL does, and write it into the URL as every choice."""
    if key not in st.session_state and key not in st.query_params:
        st.session_state[key] = value


def _of(name: str | None, studies: Sequence[StudyRecord]) -> list[StudyRecord]:
    """Return the studies of a surface."""
    return [study for study in studies if study.spec.workload == name]


def _empty(what: str) -> None:
    st.info(
        f"{what} `adam-studies submit surfaces` submits Adam and AdaMax on each surface, or choose a workload that "
        "begins with surface- on the page New study. Their trajectories appear here.",
        icon=":material/info:",
    )
    st.page_link(NEW_STUDY, label="New study", icon=":material/add:")


def _choose_anew(studies: Sequence[StudyRecord]) -> None:
    """Choose what another surface shows at first: the choices of the one before are none of its."""
    st.session_state["studies"] = _newest(_of(st.session_state["surface"], studies))
    st.session_state["trials"] = []


def _newest(studies: Sequence[StudyRecord]) -> list[str]:
    """Return the label of the newest study of each optimizer; the studies come newest first."""
    return list({study.spec.optimizer: study_label(study) for study in reversed(studies)}.values())


def _chosen(studies: Sequence[StudyRecord]) -> list[StudyRecord]:
    """Let the user choose studies: by default the newest of each optimizer."""
    known = {study_label(study): study for study in studies}
    _at_first("studies", _newest(studies))
    labels = st.multiselect(
        "Studies",
        list(known),
        key="studies",
        bind="query-params",
        placeholder="Choose studies",
        disabled=not known,
    )
    rank = list(OPTIMIZERS)
    return sorted((known[label] for label in labels), key=lambda study: rank.index(study.spec.optimizer))


def _ways(name: str, studies: Sequence[StudyRecord]) -> None:
    further = further_trials(studies, _N_FURTHER)
    left, right = st.columns((2, 3), gap="medium")
    with left:
        roles = st.pills(
            "Trials of each study",
            list(DASHES),
            selection_mode="multi",
            default=["best", "default"],
            key="roles",
            bind="query-params",
        )
    with right:
        others = st.multiselect(
            "Further trials", list(further), key="trials", bind="query-params", placeholder="Choose trials one by one"
        )
    data, table = surface_ways(studies, roles, [further[label] for label in others])
    if not data.paths:
        st.info("No trial is chosen, or none of those has a trajectory.", icon=":material/info:")
        return
    draw(
        trajectories_figure(data),
        name,
        f"The ways of {len(data.paths)} trials over the surface {name}",
        lambda: trajectories_table(data),
        f"Colours are the optimizers', dashes tell trials apart; a point is an update. {TRAJECTORIES}",
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config={str(column): NumberColumn(format="%.4g") for column in table.select_dtypes("float64")},
        placeholder="–",
        key="ways",
        alt=f"The trials whose ways over {name} are drawn",
    )
    st.caption("*Value*: the study's objective, a mean over the seeds; x and y are where the way that is drawn ends.")
    with st.container(horizontal=True, gap="small"):
        download_table("Table", f"{name}-trials", lambda: table)
    with st.container(horizontal=True, gap="small"):
        for study in studies:
            study_link(study, width="content")


if __name__ == "__main__":
    page()
