"""Several studies side by side: best settings, paired differences, convergence, tuning budgets, profiles, transfer."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components import comparison
from dashboard.components.compare_choice import chosen_studies, remembered
from dashboard.components.contest import contests, read_ahead
from dashboard.components.links import NEW_STUDY
from dashboard.components.text import escape
from studies.analysis.entrants import labels, remarks
from studies.contests import Contest
from studies.db.records import StudyRecord
from studies.figures.entrants import looks


def page() -> None:
    """Draw the page of the studies that the URL names."""
    st.title("Compare", anchor=False)
    studies = chosen_studies()
    if len(studies) < 2:
        _too_few(len(studies))
        return
    found = contests(studies)
    for line in _remarks(studies, found):
        st.warning(escape(line), icon=":material/warning:")
    found = tuple(one for one in found if one.entrants)
    if not found:
        st.info(
            "No trial of these studies is complete yet: the comparison appears with the first.",
            icon=":material/hourglass_empty:",
        )
        return
    _comparison(studies, found)


def _comparison(studies: Sequence[StudyRecord], found: tuple[Contest, ...]) -> None:
    names = labels(studies)
    look = looks(studies, names)
    present = [*dict.fromkeys(one.label for contest in found for one in contest.entrants)]
    reference = remembered("reference", "Held against", present, present[0])
    st.subheader("Paired comparison", anchor=False)
    comparison.paired(found, look, reference)
    titles = [one.workload for one in found]
    title = remembered("workload", "Workload shown below", titles, titles[0]) if len(titles) > 1 else titles[0]
    contest = found[titles.index(title)]
    read_ahead(contest)
    st.subheader(f"Best settings on {escape(contest.workload)}", anchor=False)
    comparison.best_settings(contest)
    parts = (
        ("Convergence of the best", comparison.convergence),
        ("Tuning budget", comparison.budget),
        ("Time to target", comparison.time_to_target),
        ("Survival", comparison.left_over),
    )
    for row in (parts[:2], parts[2:]):
        with st.container(key=f"compare_row_{row[0][0].split()[0].lower()}"):
            for column, (heading, draw) in zip(st.columns(2, gap="medium"), row, strict=True):
                with column:
                    st.subheader(heading, anchor=False)
                    draw(contest, look)
    if len(found) > 1:
        st.subheader("Performance profile over the workloads", anchor=False)
        comparison.profile(found, look)
        st.subheader("Transfer of the best settings", anchor=False)
        comparison.transfer(found)


def _too_few(n_studies: int) -> None:
    if n_studies:
        text = "One study is chosen. Choose another above, of the same workload, or its whole suite."
    else:
        text = (
            "Choose a suite, or at least two studies, above. Studies that were submitted as one suite share their "
            "seed, so that they can be compared pair by pair: `adam-studies submit quickstart` submits one."
        )
    st.info(text, icon=":material/info:")
    st.page_link(NEW_STUDY, label="New study", icon=":material/add:")


def _remarks(studies: Sequence[StudyRecord], found: Sequence[Contest]) -> list[str]:
    compared = {one.record.id for contest in found for one in contest.entrants}
    absent = [study.name for study in studies if study.id not in compared]
    lines = [*remarks(studies)]
    if absent and compared:
        lines.append(f"Not compared, since no trial is complete: {', '.join(absent)}.")
    return lines


if __name__ == "__main__":
    page()
