"""The head of a study's page: what it is, how far it is, and what may be done to it."""

from datetime import UTC, datetime

import streamlit as st

from dashboard.components.links import compare_link, study_link
from dashboard.components.text import badge, escape, number, plural, progress
from dashboard.components.wishes import Target, end_buttons, run_buttons
from studies.db.records import StudyRecord, SuiteRecord
from studies.words import duration


def study_header(study: StudyRecord) -> None:
    """Draw the study's name, state, progress and figures, with its buttons."""
    title, buttons = st.columns((3, 2), vertical_alignment="center")
    with title:
        st.title(escape(study.name), anchor=False)
    with buttons, st.container(horizontal=True, horizontal_alignment="right", gap="xsmall"):
        run_buttons(Target.of(study))
        end_buttons(study)
    spec = study.spec
    rule = " · ".join([*spec.modes, spec.schedule.words])
    st.markdown(
        f"{badge(study.state)} &nbsp;**{spec.optimizer_entry.title}** on **{escape(spec.workload_title)}** &nbsp;"
        f":small[{study.id} · {escape(rule)} · {spec.sampler} sampler · {plural(spec.n_seeds, 'seed')} · "
        f"{plural(spec.epochs, 'epoch')} · batch {spec.batch_size:,} · submitted {study.created_at:%Y-%m-%d %H:%M} UTC]"
    )
    if study.problem is not None:
        st.error(escape(f"Cannot be trained by {study.problem}"), icon=":material/error:")
    st.progress(study.fraction, text=progress(study))
    best, done, diverged, failed, time = st.columns(5, wrap=False)
    of_trial = "" if study.best_trial is None else f" (trial {study.best_trial})"
    best.metric(f"Best {spec.objective}{of_trial}", number(study.best_objective))
    done.metric("Trials ended", f"{study.n_finished:,} / {study.n_trials:,}")
    diverged.metric("Diverged", f"{study.n_diverged:,}")
    failed.metric("Failed", f"{study.counts.get('failed', 0):,}")
    end = study.finished_at or datetime.now(UTC)
    time.metric("Took" if study.finished_at else "Since submit", duration((end - study.created_at).total_seconds()))
    if study.notes is not None:
        with st.container(key="notes"):
            st.text(study.notes)


def suite_links(suite: SuiteRecord, shown_id: str | None = None) -> None:
    """Link to the studies of a suite, except the one that is shown."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(f"Suite {escape(suite.name)} ({suite.id}):", width="content")
        for study in suite.studies:
            if study.id != shown_id:
                study_link(study, width="content")
        compare_link(suite)
