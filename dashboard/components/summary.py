"""What a study found, in a small table and in words."""

import pandas as pd
import streamlit as st

from dashboard.components.text import escape, number
from studies.analysis.estimates import Estimate
from studies.analysis.summary import SettingResult, StudySummary
from studies.optimizers import find_optimizer
from studies.parameters import PARAMETERS

_NONE = "–"


def summary_table(summary: StudySummary) -> None:
    """Draw the best setting and the optimizer's default, side by side."""
    rows, optimizer = [], find_optimizer(summary.optimizer)
    if summary.best is not None:
        rows.append({"": "best", "rank": "1", **_row(summary.best)})
        if summary.n_complete > 1:
            rows[0]["95 % interval"] = "none: its seeds chose it"
    if summary.default is not None and summary.default_rank is not None:
        rank = summary.default_rank
        beats = "" if rank.percentile is None else f", beats {rank.percentile:.0f} %"
        rows.append(
            {"": optimizer.default_label, "rank": f"{rank.rank} of {rank.n_trials}{beats}", **_row(summary.default)}
        )
    if rows:
        shown = pd.DataFrame(rows)
        if shown["test error"].eq(_NONE).all():  # of an autoencoder, no errors are counted
            shown = shown.drop(columns="test error")
        st.table(shown, border="horizontal", hide_index=True, alt="The best setting and the default")
    if summary.default is None:
        st.caption(f"{optimizer.defaults_from.capitalize()} default is not among the ended trials.")


def where_to_look(summary: StudySummary) -> None:
    """Say what to try next."""
    lines = [line for line in summary.where_to_look if line != summary.importances.message]
    if lines:
        st.markdown("**Where to look next**")
        st.markdown("\n".join(f"- {escape(line)}" for line in lines))


def _row(result: SettingResult) -> dict[str, str]:
    error = result.test_error
    values = {PARAMETERS[name].symbol: PARAMETERS[name].text(value) for name, value in result.setting.items()}
    return {
        "trial": str(result.trial),
        "objective": number(result.objective.value, 5),
        "95 % interval": _interval(result.objective),
        "test error": _NONE if error is None else f"{error.value:.2%}",
        **values,
    }


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "–"
    return f"{number(estimate.low, 5)} to {number(estimate.high, 5)}"
