"""All studies with their progress, suites together."""

from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from dashboard import queries
from dashboard.components.links import NEW_STUDY
from dashboard.components.live import live
from dashboard.components.study_row import head_row, study_row, suite_head
from dashboard.components.worker_line import worker_line
from studies.db.records import StudyRecord, SuiteRecord

_GROUPS_PER_PAGE = 20
_EMPTY = """\
No study has been submitted yet.

- Here: **New study**, from a preset or freely.
- In a terminal: `adam-studies submit quickstart` (Adam and AdaMax on handwritten digits, under a minute), or
  `adam-studies submit FILE.yaml`.
- In Python: `from studies import Client; Client().submit("quickstart")`.
"""


def page() -> None:
    """Draw the page."""
    st.title("Studies", anchor=False)
    live("home_is_live", _listing)


def _listing() -> bool:
    """Draw the list; return whether anything in it will still change."""
    studies = queries.all_studies()
    is_live = any(not study.is_final for study in studies)
    worker_line(queries.workers(), has_work=is_live)
    if not studies:
        st.info(_EMPTY, icon=":material/experiment:")
        st.page_link(NEW_STUDY, label="New study", icon=":material/add:")
        return is_live
    groups = _grouped(studies)
    n_pages = -(-len(groups) // _GROUPS_PER_PAGE)
    page_number = st.pagination(n_pages, key="home_page") if n_pages > 1 else 1
    head_row()
    shown = groups[(page_number - 1) * _GROUPS_PER_PAGE : page_number * _GROUPS_PER_PAGE]
    for is_suite, cards in groupby(shown, lambda group: isinstance(group, SuiteRecord)):
        for card in ([one] for one in cards) if is_suite else [list(cards)]:
            _card(card)
    return is_live


def _card(groups: Sequence[StudyRecord | SuiteRecord]) -> None:
    """Draw a suite with its studies, or studies that follow one another and belong to none."""
    with st.container(border=True, gap="xsmall", key=f"group_{groups[0].id}"):
        for group in groups:
            if isinstance(group, SuiteRecord):
                suite_head(group)
            for study in group.studies if isinstance(group, SuiteRecord) else (group,):
                study_row(study)


def _grouped(studies: Sequence[StudyRecord]) -> list[StudyRecord | SuiteRecord]:
    """Return the studies in their order, those of a suite as one entry in the place of its first."""
    members: dict[str, list[StudyRecord]] = {}
    for study in studies:
        members.setdefault(study.suite_id or study.id, []).append(study)
    return [_group(group) for group in members.values()]


def _group(studies: Sequence[StudyRecord]) -> StudyRecord | SuiteRecord:
    first = studies[0]
    if first.suite_id is None:
        return first
    return SuiteRecord(first.suite_id, first.suite or "", first.created_at, tuple(studies))


if __name__ == "__main__":
    page()
