"""Frames with the columns and types of the views `results` and `curves`, of studies whose answers are known."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from studies.db.records import StudyRecord
from studies.db.views import CURVES_COLUMNS, RESULTS_COLUMNS
from studies.samplers import draw_settings
from studies.spec import StudySpec
from tests.factories import make_spec

Setting = Mapping[str, float]
_FIGURES = ("alpha", "beta1", "beta2", "epsilon", "objective", "objective_std", "test_error", "train_loss", "seconds")


def make_record(spec: StudySpec) -> StudyRecord:
    """Return the record of a complete study."""
    return StudyRecord(
        id="s-test",
        name=spec.name,
        suite_id=None,
        suite=None,
        state="complete",
        spec_json=spec.to_json(),
        n_trials=spec.n_trials,
        counts={"complete": spec.n_trials},
        n_diverged=0,
        epochs_done=spec.n_trials * spec.epochs,
        best_trial=None,
        best_objective=None,
        block_width=None,
        problem=None,
        notes=None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        finished_at=None,
    )


def drawn_study(
    objective: Callable[[Setting], float], n_trials: int = 128, **overrides: Any
) -> tuple[StudySpec, pd.DataFrame]:
    """Return a spec and the trials of its own sampler, all complete, with `objective` of each setting."""
    spec = make_spec(**{"n_trials": n_trials, "sampler": "random", **overrides})
    settings = draw_settings(spec)
    rows = [{**setting, "objective": objective(setting)} for setting in settings if setting is not None]
    return spec, trials_of(spec, rows)


def trials_of(spec: StudySpec, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a frame of complete trials from rows of any columns of `results`; trial 0 may be the paper's default."""
    full = []
    for number, row in enumerate(rows):
        setting = {name: row[name] for name in spec.search_space}
        is_default = number == 0 and setting == spec.default_setting
        other = {name: value for name, value in setting.items() if name not in RESULTS_COLUMNS}
        base = {
            "trial": number,
            "state": "complete",
            "diverged": False,
            "is_default": is_default,
            "n_seeds": spec.n_seeds,
        }
        full.append({**base, "other": other or None, "objective_std": 0.01, "test_error": 0.1, **row})
    frame = pd.DataFrame(full, columns=list(RESULTS_COLUMNS))
    types = {name: "float64" for name in _FIGURES} | {"trial": "int64", "n_seeds": "int64"}
    return frame.astype(types | dict.fromkeys(("diverged", "is_default", "bias_correction"), "boolean"))


def curves_of(curves: Mapping[tuple[int, int], Sequence[float | None]], quantity: str = "train_loss") -> pd.DataFrame:
    """Return a frame of curves {(trial, replicate): values at epochs 0, 1, ...}; None is the epoch of divergence."""
    rows = [
        {"trial": trial, "replicate": replicate, "epoch": epoch, quantity: value, "diverged": value is None}
        for (trial, replicate), values in curves.items()
        for epoch, value in enumerate(values)
    ]
    frame = pd.DataFrame(rows, columns=list(CURVES_COLUMNS))
    losses = ("train_loss", "validation_loss", "validation_error", "test_loss", "test_error")
    counts = dict.fromkeys(("trial", "replicate", "epoch"), "int64")
    return frame.astype({**dict.fromkeys(losses, "float64"), **counts, "diverged": "boolean"})


def decades_from(value: float, centre: float) -> float:
    """Return how many powers of ten a value lies from a centre."""
    return abs(float(np.log10(value / centre)))
