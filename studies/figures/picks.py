"""The few trials of a study that are drawn one by one, and how their lines look."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from studies.analysis.trials import complete_trials
from studies.db.records import StudyRecord
from studies.figures import theme

Role = Literal["best", "default", "median", "diverged"]


@dataclass(frozen=True)
class Pick:
    """A trial with its role."""

    role: Role
    label: str
    trial: int


def picks(record: StudyRecord, trials: pd.DataFrame) -> tuple[Pick, ...]:
    """Return the best trial, the optimizer's default, the median one and the first that diverged, each trial once.

    Args:
        record: the study.
        trials: a frame with the columns of the view `results`.
    """
    table, optimizer = complete_trials(record.spec, trials), record.spec.optimizer_entry
    diverged = np.flatnonzero(table.diverged)
    wanted: list[tuple[Role, str, int | None]] = [
        ("best", "best", table.best),
        ("default", optimizer.default_label, table.default),
        ("diverged", "diverged", int(diverged[0]) if len(diverged) else None),
        ("median", "median", int(table.order[len(table) // 2]) if len(table) > 2 else None),
    ]
    found: dict[int, Pick] = {}
    for role, title, index in wanted:
        if index is not None and index not in found:
            found[index] = Pick(role, f"{title} (trial {table.numbers[index]})", int(table.numbers[index]))
    return tuple(found.values())


def line(role: Role, optimizer: str) -> dict[str, Any]:
    """Return Plotly's line of a role: colour, width and dash."""
    return {
        "best": {"color": theme.BEST_COLOUR, "width": 3},
        "default": {"color": theme.DEFAULT_COLOUR, "width": 2.5, "dash": "dash"},
        "median": {"color": theme.OPTIMIZER_COLOURS.get(optimizer, theme.NEUTRAL_COLOUR), "width": 2, "dash": "dot"},
        "diverged": {"color": theme.NEUTRAL_COLOUR, "width": 2, "dash": "longdashdot"},
    }[role]
