"""The health of the service, and all studies with their progress, suites together: what runs before what ended."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby

import streamlit as st

from dashboard import queries
from dashboard.components.health import health_cards
from dashboard.components.links import NEW_STUDY
from dashboard.components.live import live
from dashboard.components.study_row import head_row, study_row, suite_head
from dashboard.components.worker_line import no_worker_warning
from studies.db.records import StudyRecord, SuiteRecord
from studies.errors import AdamStudiesError

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
    has_open = True
    with suppress(AdamStudiesError):  # the listing will tell
        has_open = any(not study.is_final for study in queries.all_studies())
    live("home_is_live", _listing, starts_live=has_open)


def _listing() -> bool:
    """Draw the health and the list; return whether anything in it will still change."""
    studies, workers = queries.all_studies(), queries.all_workers()
    is_live = any(not study.is_final for study in studies)
    health_cards(studies, workers, queries.broker(), queries.n_lost_arrays())
    if is_live and not any(worker.is_live for worker in workers):
        no_worker_warning()
    if not studies:
        st.info(_EMPTY, icon=":material/experiment:")
        st.page_link(NEW_STUDY, label="New study", icon=":material/add:")
        return is_live
    groups = sorted(_grouped(studies), key=_has_ended)
    n_pages = -(-len(groups) // _GROUPS_PER_PAGE)
    page_number = st.pagination(n_pages, key="home_page") if n_pages > 1 else 1
    shown = groups[(page_number - 1) * _GROUPS_PER_PAGE : page_number * _GROUPS_PER_PAGE]
    for ended, part in groupby(shown, _has_ended):
        head_row("Ended" if ended else "Open", _n(groups, ended))
        for is_suite, cards in groupby(part, lambda group: isinstance(group, SuiteRecord)):
            for card in ([one] for one in cards) if is_suite else [list(cards)]:
                _card(card)
    return is_live


def _card(groups: Sequence[StudyRecord | SuiteRecord]) -> None:
    """Draw a suite with its studies, or studies that follow one another and belong to none."""
    with st.container(border=True, gap="xsmall", key=f"group_{groups[0].id}"):
        for group in groups:
            if isinstance(group, SuiteRecord):
                suite_head(group)
            for study in _members(group):
                study_row(study)


def _has_ended(group: StudyRecord | SuiteRecord) -> bool:
    return all(study.is_final for study in _members(group))


def _members(group: StudyRecord | SuiteRecord) -> Sequence[StudyRecord]:
    return group.studies if isinstance(group, SuiteRecord) else (group,)


def _n(groups: Sequence[StudyRecord | SuiteRecord], ended: bool) -> int:
    """Return the number of studies in the groups that have ended, or in the others."""
    return sum(len(_members(group)) for group in groups if _has_ended(group) is ended)


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
