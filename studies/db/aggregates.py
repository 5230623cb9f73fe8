"""What is made of a study's epochs inside the database: a row per replicate or trial instead of one per epoch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Select, TableClause, case, func, null, select
from sqlalchemy.orm import aliased

from studies.db.connection import Database
from studies.db.models import EpochRow, TrialRow
from studies.db.views import (
    CURVES,
    CURVES_COLUMNS,
    DIAGNOSTICS,
    DIAGNOSTICS_COLUMNS,
    TRAJECTORIES,
    TRAJECTORIES_COLUMNS,
    frame,
)


def ends_frame(database: Database, study_id: str, column: str, epochs: int, n_seeds: int) -> pd.DataFrame:
    """Return the value of each replicate at initialisation and at the last epoch of the study.

    Args:
        database: where from.
        study_id: the study.
        column: of the view `curves`.
        epochs: the last epoch.
        n_seeds: replicates of a trial.

    Returns:
        Columns trial, replicate, first, last and diverged; replaced trials are among them.
    """
    value, key = getattr(EpochRow, column), (EpochRow.trial, EpochRow.replicate)
    trials = select(TrialRow.number).where(TrialRow.study_id == study_id)
    # every column of the primary key is given, so that two rows of a replicate are looked up and the others not read
    ends = (EpochRow.trial.in_(trials), EpochRow.replicate.in_(range(n_seeds)), EpochRow.epoch.in_((0, epochs)))
    query = (
        select(
            *key,
            func.max(case((EpochRow.epoch == 0, value))).label("first"),
            func.max(case((EpochRow.epoch == epochs, value))).label("last"),
        )
        .where(EpochRow.study_id == study_id, *ends)
        .group_by(*key)
        .order_by(*key)
    )
    diverged = select(*key, EpochRow.diverged).where(*_divergences(study_id)).distinct()
    found = _read(database, query).merge(_read(database, diverged), "left", ["trial", "replicate"])
    return found.assign(diverged=found["diverged"].notna())


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
    wanted = [EpochRow.study_id == study_id, *([] if trials is None else [EpochRow.trial.in_(trials)])]
    query = (
        select(
            *key,
            func.min(case((is_hit, EpochRow.epoch))).label("hit"),
            func.max(EpochRow.epoch).label("epochs"),
            (func.sum(EpochRow.seconds) if has_seconds else null()).label("seconds"),
            _ever(EpochRow.diverged).label("diverged"),
        )
        .where(*wanted)
        .group_by(*key)
        .order_by(*key)
    )
    found, epoch_steps = _read(database, query), _epoch_steps(database, study_id)
    reached = found["hit"].notna()
    epochs = found["hit"].fillna(found["epochs"])
    seconds = found["seconds"] * np.nan
    if has_seconds:
        keys = list(zip(found["trial"], found["replicate"], strict=True))
        until = _seconds_until(database, is_hit, wanted).reindex(keys)
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
    query = (
        select(EpochRow.trial, func.min(EpochRow.epoch).label("epoch"))
        .where(*_divergences(study_id))
        .group_by(EpochRow.trial)
        .order_by(EpochRow.trial)
    )
    return _read(database, query)


def curves_of_trials(
    database: Database, study_id: str, trials: Sequence[int], columns: Sequence[str] = CURVES_COLUMNS
) -> pd.DataFrame:
    """Return the rows that the view `curves` has of some trials of a study; reading all columns takes twice as long."""
    return _rows_of_trials(database, CURVES, study_id, trials, columns)


def diagnostics_of_trials(database: Database, study_id: str, trials: Sequence[int]) -> pd.DataFrame:
    """Return the rows that the view `diagnostics` has of some trials of a study."""
    return _rows_of_trials(database, DIAGNOSTICS, study_id, trials, DIAGNOSTICS_COLUMNS)


def trajectories_of_trials(database: Database, study_id: str, trials: Sequence[int]) -> pd.DataFrame:
    """Return the rows that the view `trajectories` has of some trials of a study."""
    return _rows_of_trials(database, TRAJECTORIES, study_id, trials, TRAJECTORIES_COLUMNS)


def _rows_of_trials(
    database: Database, view: TableClause, study_id: str, trials: Sequence[int], columns: Sequence[str]
) -> pd.DataFrame:
    query = select(*(view.c[name] for name in columns)).where(view.c.study_id == study_id, view.c.trial.in_(trials))
    return _read(database, query.order_by(view.c.trial, view.c.replicate, view.c.epoch))


def _epoch_steps(database: Database, study_id: str) -> int:
    """Return the steps of an epoch, the same in all of a study's epochs."""
    query = select(EpochRow.steps).where(EpochRow.study_id == study_id, EpochRow.epoch == 1).limit(1)
    with database.read() as connection:
        return connection.execute(query).scalar() or 0


def _seconds_until(database: Database, is_hit: Any, wanted: Sequence[Any]) -> "pd.Series[float]":
    """Return the seconds until the hit of each wanted replicate that has one, by trial and replicate."""
    key = (EpochRow.study_id, EpochRow.trial, EpochRow.replicate)
    hits = select(*key, func.min(EpochRow.epoch).label("hit")).where(*wanted, is_hit).group_by(*key).subquery()
    epoch = aliased(EpochRow)
    same = (getattr(epoch, name) == hits.c[name] for name in ("study_id", "trial", "replicate"))
    until = select(func.sum(epoch.seconds)).where(*same, epoch.epoch <= hits.c.hit)
    # not a join: SQLite would look up every epoch among the hits
    query = select(hits.c.trial, hits.c.replicate, until.scalar_subquery().label("seconds"))
    return _read(database, query).set_index(["trial", "replicate"])["seconds"]


def _divergences(study_id: str) -> tuple[Any, ...]:
    """Return what holds of the rows of a study that tell a divergence."""
    # of trials that ended without, the epochs need not be read
    suspects = select(TrialRow.number).where(TrialRow.study_id == study_id, TrialRow.diverged.is_not(False))
    return EpochRow.study_id == study_id, EpochRow.trial.in_(suspects), EpochRow.diverged


def _ever(condition: Any) -> Any:
    return func.max(case((condition, 1), else_=0))


def _read(database: Database, query: Select[*tuple[Any, ...]]) -> pd.DataFrame:
    with database.read() as connection:
        return frame(connection, query)
