"""The parts of the Compare page: tables and figures of a contest, each with what has to be known to read it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.components import contest as data
from dashboard.components.downloads import download_data, download_table
from dashboard.components.text import escape, number
from studies.analysis.comparison import Comparison, over_workloads
from studies.analysis.contest import Entrant, Standing, against, common_labels, target_costs
from studies.analysis.estimates import Estimate
from studies.analysis.profiles import performance_profile
from studies.analysis.transfer import TriedStudy, transfer_matrix
from studies.contests import Contest
from studies.figures.best_curves import best_curve, best_curves_figure
from studies.figures.budget import BudgetSeries, budget_figure
from studies.figures.comparison_tables import (
    best_curves_table,
    budget_table,
    forest_table,
    profile_table,
    transfer_table,
)
from studies.figures.entrants import Look
from studies.figures.forest import ForestRow, forest_figure
from studies.figures.profile import profile_figure
from studies.figures.survival import survival_data, survival_figure
from studies.figures.tables import survival_table
from studies.figures.transfer import transfer_figure
from studies.parameters import PARAMETERS

_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def chart(figure: go.Figure, name: str, alt: str, table: Callable[[], pd.DataFrame]) -> None:
    """Draw a figure that downloads as SVG, and its data as CSV."""
    image = {"filename": name, "format": "svg"}
    st.plotly_chart(figure, key=f"compare_{name}", config={**_CONFIG, "toImageButtonOptions": image}, alt=alt)
    download_data(f"compare-{name}", table)


def best_settings(contest: Contest) -> None:
    """Draw the best settings side by side."""
    rows = [_standing_row(one, contest) for one in sorted(contest.standings, key=lambda one: one.chosen.value)]
    table = pd.DataFrame(rows).fillna("–")
    st.dataframe(table, hide_index=True, key="compare_best", alt=f"The best settings on {contest.workload}")
    with st.container(horizontal=True, gap="small"):
        download_table("Best settings", "compare-best-settings", lambda: table)
    target = "" if contest.target is None else f" Target: {contest.column} at or below {contest.target:.4g}."
    st.caption(
        f"{contest.quantity_label.capitalize()}, means over seeds with 95 % intervals. *Chosen*: the "
        "figures that chose a setting, which flatter it, so without an interval. *Judged*: each half of the seeds "
        f"judges the setting that the other half chose.{target} Times are medians by Kaplan-Meier over the seeds; "
        "∞ is a miss."
    )


def paired(contests: Sequence[Contest], looks: Mapping[str, Look], reference: str) -> None:
    """Draw the forest plot over all workloads and the effect sizes."""
    found = {one.workload: _against(one, reference) for one in contests}
    everyone = dict.fromkeys(label for comparisons in found.values() for label in comparisons)
    if not everyone:
        st.info(
            f"Nothing can be paired with {escape(reference)}: a comparison needs another study of the same workload, "
            "with the same seed and batch size and a complete trial. Choose one above, or submit both as one suite.",
            icon=":material/info:",
        )
        return
    rows, effects = [], []
    for label in everyone:
        own = {workload: comparisons[label] for workload, comparisons in found.items() if label in comparisons}
        for workload, comparison in own.items():
            effects.append(_effect_row(label, workload, comparison))
            if comparison.ratio is not None:
                rows.append(ForestRow(looks[label], workload, comparison.ratio, comparison.n_pairs))
        pooled = over_workloads([*own.values()])
        if pooled is not None:
            rows.append(ForestRow(looks[label], None, pooled, len(own)))
    if rows:
        labels = {one.quantity_label.split(" (")[0] for one in contests}
        label = labels.pop() if len(labels) == 1 else "final value"
        figure = forest_figure(rows, reference, label)
        alt = f"Best settings against that of {reference}, as ratios with intervals"
        chart(figure, "forest", alt, lambda: forest_table(rows))
    else:
        st.info("Some values are 0 or below, or a target was missed, so there are no ratios.", icon=":material/info:")
    table = pd.DataFrame(effects).fillna("–")
    st.dataframe(table, hide_index=True, key="compare_effects", alt=f"Effects against {reference}")
    with st.container(horizontal=True, gap="small"):
        download_table("Effects", "compare-effects", lambda: table)
    is_fair = all(one.is_fair for comparisons in found.values() for one in comparisons.values())
    chosen = (
        "Each half of the seeds judges settings that the other half chose; intervals allow for that."
        if is_fair
        else "With one seed the figures that chose the settings judge them too, so the best look better than they are."
    )
    st.caption(
        f"{chosen} Pairs share initial weights and batches. Intervals are 95 % each, not of all rows together: "
        "Student's below 8 pairs, bootstrap-t from there. *Wins*: share of the seeds. *Any setting*: probability that "
        "a random setting that was tried beats a random one of the reference; Cliff's δ is twice that less one. "
        "Settings that a sampler chose by results, or that a pruner left, give neither an interval."
    )


def convergence(contest: Contest, looks: Mapping[str, Look]) -> None:
    """Draw the curves of the best settings."""
    curves = []
    for one in contest.entrants:
        assert one.finals.best is not None, "only such entrants are compared"
        trial = int(one.finals.numbers[one.finals.best])
        frame = data.best_curves(one.record, trial)
        curves.append(best_curve(looks[one.label], trial, frame, contest.column))
    figure = best_curves_figure(curves, contest.column_label, contest.target)
    chart(figure, "convergence", "Curves of the best settings", lambda: best_curves_table(curves))
    st.caption("Medians over the seeds, the bands from the best seed to the worst; each setting is its study's best.")


def time_to_target(contest: Contest, looks: Mapping[str, Look]) -> None:
    """Draw the share of the trials that reached the target."""
    if contest.target is None:
        st.info("No target can be set: no trial reached a value above 0.", icon=":material/info:")
        return
    found = [
        (looks[one.label], data.reached(one.record, contest.column, contest.target).survival("epochs"))
        for one in contest.entrants
    ]
    shares = survival_data(found, "reached", "epochs", "trials")
    alt = "Share of the trials that reached the target, against epochs"
    chart(survival_figure(shares), "target", alt, lambda: survival_table(shares))
    st.caption(
        f"Target: {escape(contest.column)} at or below {contest.target:.4g}. A trial has reached it once at least half "
        "of its seeds have; the share left at the end never did. Kaplan-Meier with 95 % intervals."
    )


def left_over(contest: Contest, looks: Mapping[str, Look]) -> None:
    """Draw the share of the trials that neither diverged nor were pruned."""
    found = [(looks[one.label], data.survival(one.record)) for one in contest.entrants]
    shares = survival_data(found, "left", "epochs", "trials")
    alt = "Share of the trials that neither diverged nor were pruned, against epochs"
    chart(survival_figure(shares), "survival", alt, lambda: survival_table(shares))
    st.caption("A trial leaves when its first seed diverges, or when it is pruned. Kaplan-Meier with 95 % intervals.")


def budget(contest: Contest, looks: Mapping[str, Look]) -> None:
    """Draw the tuning-budget curves."""
    series = []
    for one in contest.entrants:
        curve = data.budget_curve(one)
        if curve is not None:
            series.append(BudgetSeries(looks[one.label], curve, _default(one)))
    figure = budget_figure(series, contest.quantity_label)
    chart(figure, "budget", "Expected best value against the number of trials", lambda: budget_table(series))
    st.caption(
        "The best of k trials drawn from those that were tried, on average over all choices, with 95 % intervals "
        "up to a quarter of the trials; beyond, it hangs on better values than any that were seen. Diamonds: default "
        "settings, which need no search. Each value is the mean that the best is chosen by, so all look a little too "
        "good."
    )


def profile(contests: Sequence[Contest], looks: Mapping[str, Look]) -> None:
    """Draw the performance profile over the workloads."""
    names = common_labels({one.workload: one.entrants for one in contests})
    if len(names) < 2:
        st.info(
            "A profile needs two optimizers, each with a complete trial on every workload: choose more studies above.",
            icon=":material/info:",
        )
        return
    costs = {one.workload: target_costs([one.best_times[name] for name in names]) for one in contests}
    found = performance_profile(names, costs)
    alt = "Share of the problems solved within a factor of the fewest steps"
    chart(profile_figure(found, looks, "steps to the target"), "profile", alt, lambda: profile_table(found))
    st.caption(
        "Dolan and Moré's profile: every workload counts once, every seed of it is a problem; a problem is solved when "
        "the best setting reaches the workload's target. At 1 stands how often each is the fastest, at the right end "
        "how often it gets there at all. Bands: 95 % over seeds, the workloads taken as they are."
    )


def transfer(contests: Sequence[Contest]) -> None:
    """Draw the transfer matrix of each optimizer with more than one workload."""
    labels = dict.fromkeys(one.label for contest in contests for one in contest.entrants)
    for label in labels:
        own = [one for contest in contests for one in contest.entrants if one.label == label]
        if len(own) > 1:
            st.markdown(f"**{escape(label)}**")
            studies = [TriedStudy(one.record.spec, one.table, one.finals) for one in own]
            found = transfer_matrix(studies)
            alt = f"The best settings of {label} on other workloads"
            chart(transfer_figure(found), f"transfer-{label}", alt, partial(transfer_table, found))
    st.caption(
        "Final value with the best setting of the row's workload over what tuning on the column's gives (1 as good), "
        "with 95 % intervals over seeds. Where that very setting was not tried the nearest stands for it, and how far "
        "off it is is told: the root mean square over the axes, as a share of each axis. Beyond 10 % nothing is said. "
        "What tuning gives is judged by seeds that did not choose it; with one seed it is flattered."
    )


def _against(contest: Contest, reference: str) -> dict[str, Comparison]:
    found = next((one for one in contest.entrants if one.label == reference), None)
    return {} if found is None else against(found, contest.entrants)


def _standing_row(one: Standing, contest: Contest) -> dict[str, str]:
    to_target = one.to_target
    values = {PARAMETERS[name].symbol: PARAMETERS[name].text(value) for name, value in one.setting.items()}
    timed = {}
    if contest.target is not None:
        timed = {
            "epochs to target": number(to_target.epochs.value),
            "steps to target": number(to_target.steps.value),
            "seconds to target": number(to_target.seconds.value, 3),
        }
    return {
        "study": one.label,
        "trial": str(one.trial),
        "chosen": _text(one.chosen),
        "judged": "–" if one.judged is None else _text(one.judged),
        **timed,
        "diverged": f"{one.n_diverged} of {one.n_trials}",
        **values,
    }


def _effect_row(label: str, workload: str, one: Comparison) -> dict[str, str]:
    return {
        "study": label,
        "workload": workload,
        "ratio": "–" if one.ratio is None else _text(one.ratio, 3),
        "difference": "–" if one.difference is None else _text(one.difference, 3),
        "wins": _percent(one.wins),
        "any setting": _percent(one.settings),
        "Cliff's δ": _text(one.cliffs_delta, 2),
        "seeds": str(one.n_pairs),
    }


def _text(estimate: Estimate, digits: int = 4) -> str:
    value = number(estimate.value, digits)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({number(estimate.low, digits)} to {number(estimate.high, digits)})"


def _percent(share: Estimate) -> str:
    if share.low is None or share.high is None:
        return f"{share.value:.0%}"
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"


def _default(entrant: Entrant) -> float | None:
    table = entrant.table
    if table.default is None or (number := table.numbers[table.default]) not in entrant.finals.numbers:
        return None
    value = float(entrant.finals.means[int(np.searchsorted(entrant.finals.numbers, number))])
    return value if np.isfinite(value) else None
