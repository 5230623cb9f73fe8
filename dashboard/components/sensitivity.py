"""How the objective hangs on the hyperparameters: one at a time, two at a time, and what a surrogate of it says."""

import streamlit as st

from dashboard import queries
from dashboard.components import study_data
from dashboard.components.chart import chart
from dashboard.components.text import escape
from studies.analysis.axes import searched_axes
from studies.analysis.importance import Importances, importances_of
from studies.analysis.sensitivity import Sensitivity, sensitivity
from studies.analysis.targets import TargetTimes
from studies.analysis.times import with_steps_to_target
from studies.analysis.trials import complete_trials
from studies.db.records import StudyRecord
from studies.figures import captions
from studies.figures.importance import importance_data, importance_figure
from studies.figures.pair_map import PairMapData, pair_map_data, pair_map_figure
from studies.figures.sensitivity import SensitivityData, sensitivity_data, sensitivity_figure
from studies.figures.tables import bars_table, importance_table, pair_map_table, sensitivity_table
from studies.figures.tunability import TunabilityData, tunability_data, tunability_figure
from studies.figures.variance import VarianceData, variance_data, variance_figure
from studies.objective import objective_column

_OBJECTIVE, _TIME = "final loss", "time to target"


def sensitivity_section(study: StudyRecord) -> None:
    """Draw the objective along each hyperparameter and each two, and, where it is asked for, what a surrogate says."""
    version = queries.version(study)
    target = _explained(study)
    if target is not None:
        _time_importances(study, version, target)
    st.subheader("One at a time", anchor=False)
    data = _scatter(version, target, study)
    chart(
        sensitivity_figure(data),
        study,
        "sensitivity",
        "The objective of every trial against each searched hyperparameter",
        lambda: sensitivity_table(data),
        captions.sensitivity(data),
    )
    if len(searched_axes(study.spec)) > 1:
        _pairs(study, version, target)
    asked = st.toggle(
        "Variance shares and tunability",
        key="surrogate",
        bind="query-params",
        help="Fits a Gaussian process to the complete trials, which takes some seconds.",
    )
    if asked:
        _surrogate(study, version, target)


def _explained(study: StudyRecord) -> float | None:
    """Return the target that the time to which is to be explained; None: the objective is."""
    target = study_data.target(study)
    if target is None:
        return None
    explain = st.segmented_control(
        "Explain",
        (_OBJECTIVE, _TIME),
        default=_TIME if study.spec.objective == "epochs_to_target" else _OBJECTIVE,
        required=True,
        key="explain",
        bind="query-params",
    )
    return target if explain == _TIME else None


def _times(version: str, target: float | None, study: StudyRecord) -> TargetTimes | None:
    return None if target is None else study_data.reached(version, target, study)


def _time_importances(study: StudyRecord, version: str, target: float) -> None:
    st.caption(f"{escape(objective_column(study.spec.objective))} at or below {target:.4g}. {captions.TIMED}")
    found = _importances(version, target, study)
    if found.message is not None:
        st.info(escape(found.message), icon=":material/info:")
        return
    data = importance_data(study.spec, found)
    chart(
        importance_figure(data),
        study,
        "importance-time",
        "The importance of each hyperparameter for the time to the target with its interval",
        lambda: importance_table(data),
        captions.IMPORTANCE,
    )


def _pairs(study: StudyRecord, version: str, target: float | None) -> None:
    st.subheader("Two at a time", anchor=False)
    data = _maps(version, target, study)
    chart(
        pair_map_figure(data),
        study,
        "pairs",
        "The mean objective in bins of each two searched hyperparameters",
        lambda: pair_map_table(data),
        captions.pair_maps(data),
    )


def _surrogate(study: StudyRecord, version: str, target: float | None) -> None:
    found, variance, tunability = _asked(version, target, study)
    messages = {part.message for part in (found.variance, found.tunability) if part.message is not None}
    left, right = st.columns(2, gap="medium")
    if found.variance.message is None:
        with left:
            st.markdown("**Shares of the variance** (Sobol indices)")
            chart(
                variance_figure(variance),
                study,
                "variance",
                "The first-order and total Sobol index of each hyperparameter with its interval",
                lambda: bars_table(first=variance.first, total=variance.total),
                captions.VARIANCE,
            )
    if found.tunability.message is None:
        with right, st.container(key="beside_variance"):
            st.markdown("**Tunability**: what tuning gains over the default")
            chart(
                tunability_figure(tunability),
                study,
                "tunability",
                "The gain of tuning each hyperparameter, two or all with its interval",
                lambda: bars_table(gain=tunability.bars),
                captions.TUNABILITY,
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
def _scatter(version: str, target: float | None, _study: StudyRecord) -> SensitivityData:
    return sensitivity_data(_study, queries.trials(_study), _times(version, target, _study))


@st.cache_resource(max_entries=16, show_spinner=False)
def _maps(version: str, target: float | None, _study: StudyRecord) -> PairMapData:
    return pair_map_data(_study.spec, queries.trials(_study), _times(version, target, _study))


@st.cache_resource(max_entries=16, show_spinner="Analysing the trials …")
def _importances(version: str, target: float, _study: StudyRecord) -> Importances:
    table = complete_trials(_study.spec, queries.trials(_study))
    return importances_of(_study.spec, with_steps_to_target(table, study_data.reached(version, target, _study)))


@st.cache_resource(max_entries=16, show_spinner="Fitting a surrogate to the trials …")
def _asked(version: str, target: float | None, _study: StudyRecord) -> tuple[Sensitivity, VarianceData, TunabilityData]:
    spec = _study.spec
    table, times = complete_trials(spec, queries.trials(_study)), _times(version, target, _study)
    found = sensitivity(spec, table if times is None else with_steps_to_target(table, times))
    return found, variance_data(spec, found), tunability_data(spec, found)
