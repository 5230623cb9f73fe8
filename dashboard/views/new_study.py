"""A new study or suite, from a preset, a form or YAML: checked at every pause in typing, and previewed."""

from collections.abc import Callable

import streamlit as st
import yaml

from dashboard import queries
from dashboard.components.links import study_link
from dashboard.components.messages import guard
from dashboard.components.preview import preview
from dashboard.components.study_form import study_form
from dashboard.components.text import escape
from studies.db.records import WorkerRecord
from studies.db.speed import Speed
from studies.errors import InputError
from studies.presets import PRESETS
from studies.spec import Spec, StudySpec, parse

_MODES = {
    "form": ":material/tune: Form",
    "preset": ":material/inventory_2: Preset",
    "yaml": ":material/data_object: YAML",
}
_FIRST_YAML = "name: adam-on-digits\nworkload: digits-logistic\noptimizer: adam\nn_trials: 64\n"
_MAX_YAML_CHARS = 100_000


def page() -> None:
    """Draw the page."""
    title, mode_side = st.columns((3, 2), gap="medium", vertical_alignment="center")
    title.title("New study", anchor=False)
    st.session_state.setdefault("new_mode", "form")
    if edited := st.session_state.pop("new_edited", None):
        st.session_state["new_mode"], st.session_state["new_yaml"] = "yaml", edited
    mode = mode_side.segmented_control(
        "Start from",
        list(_MODES),
        key="new_mode",
        required=True,
        format_func=_MODES.__getitem__,
        persist_state="session",
    )
    speeds: tuple[Speed, ...] = ()
    workers: tuple[WorkerRecord, ...] = ()
    with guard():  # without the database a spec can still be written
        speeds, workers = queries.speeds(), queries.workers()
    asked, shown = st.columns((3, 2), gap="medium")
    spec, problem = None, ""
    with asked:
        try:
            spec = _READERS[mode]() if mode in _READERS else parse(study_form(speeds))
            queries.require_data(spec)
        except InputError as error:
            problem = str(error)
    with shown, st.container(border=True, key="summary"), guard():
        if spec is not None:
            st.markdown(f"**{escape(spec.name if isinstance(spec, StudySpec) else spec.suite)}**")
            preview(spec, speeds, workers)
        _submission(spec, problem)


def _from_preset() -> Spec:
    name = st.radio(
        "Preset",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].title,
        captions=[f"`{preset.name}` · {escape(preset.description)}" for preset in PRESETS.values()],
        key="new_preset",
        persist_state="session",
    )
    return PRESETS[name].spec


def _from_yaml() -> Spec:
    st.session_state.setdefault("new_yaml", _FIRST_YAML)
    text = st.text_area(
        "Spec of a study or a suite, as YAML or JSON",
        key="new_yaml",
        height=560,
        max_chars=_MAX_YAML_CHARS,
        help="Checked when you press Ctrl+Enter or leave the field.",
        persist_state="session",
    )
    try:
        given = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"this is not valid YAML: {' '.join(str(error).split())}") from None
    return parse(given)


_READERS: dict[str, Callable[[], Spec]] = {"preset": _from_preset, "yaml": _from_yaml}


def _submission(spec: Spec | None, problem: str) -> None:
    """Show what stands in the way, or the button that submits the spec."""
    if problem:
        st.error(escape(problem), icon=":material/error:", title="Not valid yet" if spec is None else "Data missing")
    submitted = _submitted_as(spec)
    clicked = st.button(
        "Submit",
        key="new_submit",
        type="primary",
        icon=":material/send:",
        width="stretch",
        disabled=bool(problem) or submitted is not None,
    )
    # not by a callback: its arguments would be those of the run before, without what was typed just before the click
    if clicked and spec is not None and not problem and submitted is None:
        st.session_state["new_submitted"] = (spec.model_dump_json(), queries.service().submit(spec))
        queries.forget_listings()
        st.rerun()
    if submitted is not None:
        st.success(f"Submitted as `{submitted}`. Change anything to submit another.", icon=":material/check:")
        for study in queries.service().studies(submitted):
            study_link(study)
    if spec is not None:
        _as_yaml(spec)


def _as_yaml(spec: Spec) -> None:
    """Show the spec as YAML, to be copied or edited."""
    with st.expander("This spec as YAML", icon=":material/data_object:"):
        text = yaml.safe_dump(spec.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True)
        st.code(text, language="yaml")
        if st.button("Edit as YAML", key="new_edit_yaml"):
            st.session_state["new_edited"] = text  # the next run puts it into the editor, before it is drawn
            st.rerun()


def _submitted_as(spec: Spec | None) -> str | None:
    """Return the id under which just this spec was submitted by this session, if it was the last."""
    before, submitted = st.session_state.get("new_submitted", (None, None))
    return submitted if spec is not None and spec.model_dump_json() == before else None


if __name__ == "__main__":
    page()
