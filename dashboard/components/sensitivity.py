"""Sensitivity beyond one hyperparameter at a time: maps of two, and what a surrogate of the objective says."""

import plotly.graph_objects as go
import streamlit as st

from dashboard import queries
from dashboard.components.chart import chart
from dashboard.components.text import escape
from studies.analysis.axes import searched_axes
from studies.analysis.sensitivity import Sensitivity, sensitivity
from studies.analysis.trials import complete_trials
from studies.db.records import StudyRecord
from studies.figures.pair_map import pair_map_data, pair_map_figure
from studies.figures.tunability import tunability_data, tunability_figure
from studies.figures.variance import variance_data, variance_figure


def sensitivity_section(study: StudyRecord) -> None:
    """Draw the maps of each two hyperparameters and, where it is asked for, what a surrogate says."""
    version = queries.version(study)
    if len(searched_axes(study.spec)) > 1:
        st.subheader("Two at a time", anchor=False)
        alt = "The mean objective in bins of each two searched hyperparameters"
        chart(_maps(version, study), study, "pairs", alt)
    asked = st.toggle(
        "Variance shares and tunability",
        key=f"surrogate_{study.id}",
        help="Fits a Gaussian process to the complete trials, which takes some seconds.",
    )
    if asked:
        _surrogate(study, version)


def _surrogate(study: StudyRecord, version: str) -> None:
    found, variance, tunability = _asked(version, study)
    messages = {part.message for part in (found.variance, found.tunability) if part.message is not None}
    left, right = st.columns(2, gap="medium")
    if found.variance.message is None:
        with left:
            st.markdown("**Shares of the variance** (Sobol indices)")
            alt = "The first-order and total Sobol index of each hyperparameter with its interval"
            chart(variance, study, "variance", alt)
    if found.tunability.message is None:
        with right:
            st.markdown("**Tunability**: what tuning gains over the default")
            chart(
                tunability, study, "tunability", "The gain of tuning each hyperparameter, two or all with its interval"
            )
    share = found.good_volume.share
    if share is not None:
        st.caption(
            f"The surrogate, a Gaussian process, predicts {found.r2:.0%} of the variance of trials left out. It says "
            f"that {share.value:.1%} of the search space ({share.low:.1%} to {share.high:.1%}) is within 10 % of the "
            "best objective."
        )
    for message in sorted(messages):
        st.info(escape(message), icon=":material/info:")


@st.cache_resource(max_entries=16, show_spinner=False)
def _maps(version: str, _study: StudyRecord) -> go.Figure:
    return pair_map_figure(pair_map_data(_study.spec, queries.trials(_study)))


@st.cache_resource(max_entries=16, show_spinner="Fitting a surrogate to the trials …")
def _asked(version: str, _study: StudyRecord) -> tuple[Sensitivity, go.Figure, go.Figure]:
    spec = _study.spec
    found = sensitivity(spec, complete_trials(spec, queries.trials(_study)))
    variance, tunability = variance_data(spec, found), tunability_data(spec, found.tunability)
    return found, variance_figure(variance), tunability_figure(tunability)
