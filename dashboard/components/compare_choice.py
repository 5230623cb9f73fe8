"""Which studies are compared: chosen on the page and kept in the URL, so that a link opens the same view."""

from collections.abc import Sequence

import streamlit as st

from dashboard import queries
from dashboard.components.text import escape, plural
from studies.db.records import StudyRecord

_KEY = "compare_ids"
_WRITTEN = "compare_written"  #: what this session last put into the URL
_PARAMETER = "ids"


def chosen_studies() -> tuple[StudyRecord, ...]:
    """Let the user choose suites and studies; return the studies, each once."""
    studies = queries.all_studies()
    known = _options(studies)
    given = st.query_params.get(_PARAMETER)
    if given is not None and given != st.session_state.get(_WRITTEN):
        asked = [one for one in given.split(",") if one]
        if not known.keys() >= {*asked}:  # what was submitted just now is not in the listing that is kept
            queries.forget_listings()
            studies = queries.all_studies()
            known = _options(studies)
        st.session_state[_KEY] = [one for one in asked if one in known]
        if unknown := [one for one in asked if one not in known]:
            st.warning(escape(f"No study or suite has the id {', '.join(unknown)}. It may have been deleted."))
    st.session_state[_KEY] = [one for one in st.session_state.get(_KEY, ()) if one in known]
    chosen = st.multiselect(
        "Suites and studies to compare",
        list(known),
        key=_KEY,
        format_func=known.__getitem__,
        placeholder="Choose a suite, or two studies or more",
        persist_state="session",
    )
    _write(chosen)
    return tuple(study for study in _in_order(studies) if study.id in chosen or study.suite_id in chosen)


def remembered(name: str, label: str, options: Sequence[str], default: str) -> str:
    """Return one of some options, chosen from a list and kept in the URL under a name."""
    key = f"compare_{name}"
    given = st.query_params.get(name)
    if st.session_state.get(key) not in options:
        st.session_state[key] = given if given in options else default
    found = str(st.selectbox(label, options, key=key, width=420))
    if st.query_params.get(name, default) != found:
        st.query_params[name] = found
    return found


def _options(studies: Sequence[StudyRecord]) -> dict[str, str]:
    """Return how each suite and study is written, by its id: the suites first, the newest of each before the others."""
    sizes: dict[str, int] = {}
    for study in studies:
        if study.suite_id is not None:
            sizes[study.suite_id] = sizes.get(study.suite_id, 0) + 1
    names = {study.suite_id: study.suite for study in studies if study.suite_id is not None}
    plurals = {1: "1 study"}
    suites = {
        str(one): f"Suite {name} · {plurals.get(sizes[str(one)], f'{sizes[str(one)]} studies')} · {one}"
        for one, name in names.items()
    }
    return suites | {study.id: f"{study.name} · {plural(study.n_trials, 'trial')} · {study.id}" for study in studies}


def _in_order(studies: Sequence[StudyRecord]) -> list[StudyRecord]:
    """Return the studies with Adam and AdaMax first: the first of a workload is what others are held against."""
    first = ("adam", "adamax")
    rank = {optimizer: place for place, optimizer in enumerate(first)}
    return sorted(studies, key=lambda study: rank.get(study.spec.optimizer, len(first)))


def _write(chosen: Sequence[str]) -> None:
    text = ",".join(chosen)
    st.session_state[_WRITTEN] = text
    if text != st.query_params.get(_PARAMETER, ""):
        if text:
            st.query_params[_PARAMETER] = text
        else:
            del st.query_params[_PARAMETER]
