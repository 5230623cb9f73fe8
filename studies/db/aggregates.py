"""What is made of a study's epochs inside the database: a row per replicate or trial instead of one per epoch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Select, TableClause, case, func, null, or_, select

from studies.db.connection import Database
from studies.db.models import EpochRow, TrialRow
from studies.db.views import CURVES, DIAGNOSTICS, TRAJECTORIES, frame


def ends_frame(database: Database, study_id: str, column: str, epochs: int) -> pd.DataFrame:
    """Return the value of each replicate at initialisation and at the last epoch of the study.

    Args:
        database: where from.
        study_id: the study.
        column: of the view `curves`.
        epochs: the last epoch.

    Returns:
        Columns trial, replicate, first, last and diverged; replaced trials are among them.
    """
    value = getattr(EpochRow, column)
    query = (
        select(
            EpochRow.trial,
            EpochRow.replicate,
            func.max(case((EpochRow.epoch == 0, value))).label("first"),
            func.max(case((EpochRow.epoch == epochs, value))).label("last"),
            _ever(EpochRow.diverged).label("diverged"),
        )
        .where(EpochRow.study_id == study_id, or_(EpochRow.epoch.in_((0, epochs)), EpochRow.diverged))
        .group_by(EpochRow.trial, EpochRow.replicate)
        .order_by(EpochRow.trial, EpochRow.replicate)
    )
    return _read(database, query)


def reached_frame(
    database: Database,
    study_id: str,
    column: str,
    target: float,
    trials: Sequence[int] | None = None,
    has_seconds: bool = True,
) -> pd.DataFrame:
    """Return when each replicate first was at or below a target, or how long it was watched without.

    Args:
        database: where from.
        study_id: the study.
        column: of the view `curves`.
        target: a value of it.
        trials: numbers of the trials to look at; None looks at all.
        has_seconds: whether seconds are summed up, which takes as long as all the rest; else they are NaN.

    Returns:
        Columns trial, replicate, reached, diverged, epochs, steps and seconds, those of training from the start;
        replaced trials are among them.
    """
    key = (EpochRow.trial, EpochRow.replicate)
    is_hit = getattr(EpochRow, column) <= target
    query = (
        select(
            *key,
            func.min(case((is_hit, EpochRow.epoch))).label("hit"),
            func.max(EpochRow.epoch).label("epochs"),
            (func.sum(EpochRow.seconds) if has_seconds else null()).label("seconds"),
            _ever(EpochRow.diverged).label("diverged"),
        )
        .where(EpochRow.study_id == study_id, *([] if trials is None else [EpochRow.trial.in_(trials)]))
        .group_by(*key)
        .order_by(*key)
    )
    found, epoch_steps = _read(database, query), _epoch_steps(database, study_id)
    reached = found["hit"].notna()
    epochs = found["hit"].fillna(found["epochs"])
    seconds = found["seconds"] * np.nan
    if has_seconds:
        keys = list(zip(found["trial"], found["replicate"], strict=True))
        until = _seconds_until(database, query, study_id).reindex(keys) if reached.any() else seconds
        seconds = found["seconds"].where(~reached, until.to_numpy())
    return pd.DataFrame(
        {
            "trial": found["trial"],
            "replicate": found["replicate"],
            "reached": reached,
            "diverged": found["diverged"],
            "epochs": epochs,
            "steps": epochs * epoch_steps,
            "seconds": seconds,
        }
    )


def diverged_frame(database: Database, study_id: str) -> pd.DataFrame:
    """Return the trials that diverged in a seed with the first epoch at which one did: columns trial and epoch."""
    # of trials that ended without, the epochs need not be read
    suspects = select(TrialRow.number).where(TrialRow.study_id == study_id, TrialRow.diverged.is_not(False))
    query = (
        select(EpochRow.trial, func.min(EpochRow.epoch).label("epoch"))
        .where(EpochRow.study_id == study_id, EpochRow.trial.in_(suspects), EpochRow.diverged)
        .group_by(EpochRow.trial)
        .order_by(EpochRow.trial)
    )
    return _read(database, query)


def curves_of_trials(database: Database, study_id: str, trials: Sequence[int]) -> pd.DataFrame:
    """Return the rows that the view `curves` has of some trials of a study."""
    return _rows_of_trials(database, CURVES, study_id, trials)


def diagnostics_of_trials(database: Database, study_id: str, trials: Sequence[int]) -> pd.DataFrame:
    """Return the rows that the view `diagnostics` has of some trials of a study."""
    return _rows_of_trials(database, DIAGNOSTICS, study_id, trials)


def trajectories_of_trials(database: Database, study_id: str, trials: Sequence[int]) -> pd.DataFrame:
    """Return the rows that the view `trajectories` has of some trials of a study."""
    return _rows_of_trials(database, TRAJECTORIES, study_id, trials)


def _rows_of_trials(database: Database, view: TableClause, study_id: str, trials: Sequence[int]) -> pd.DataFrame:
    query = select(view).where(view.c.study_id == study_id, view.c.trial.in_(trials))
    return _read(database, query.order_by(view.c.trial, view.c.replicate, view.c.epoch))


def _epoch_steps(database: Database, study_id: str) -> int:
    """Return the steps of an epoch, the same in all of a study's epochs."""
    query = select(EpochRow.steps).where(EpochRow.study_id == study_id, EpochRow.epoch == 1).limit(1)
    with database.read() as connection:
        return connection.execute(query).scalar() or 0


def _seconds_until(database: Database, ends: Select[*tuple[Any, ...]], study_id: str) -> "pd.Series[float]":
    """Return the seconds until the hit of each replicate that has one, by trial and replicate."""
    hit = ends.order_by(None).having(ends.selected_columns.hit.is_not(None)).subquery()
    same = (EpochRow.trial == hit.c.trial) & (EpochRow.replicate == hit.c.replicate) & (EpochRow.epoch <= hit.c.hit)
    query = (
        select(hit.c.trial, hit.c.replicate, func.sum(EpochRow.seconds).label("seconds"))
        .join_from(hit, EpochRow, same)
        .where(EpochRow.study_id == study_id)
        .group_by(hit.c.trial, hit.c.replicate)
    )
    return _read(database, query).set_index(["trial", "replicate"])["seconds"]


def _ever(condition: Any) -> Any:
    return func.max(case((condition, 1), else_=0))


def _read(database: Database, query: Select[*tuple[Any, ...]]) -> pd.DataFrame:
    with database.read() as connection:
        return frame(connection, query)
