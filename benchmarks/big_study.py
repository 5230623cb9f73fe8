"""A suite of studies as large as the dashboard has to bear, written straight into a database: nothing is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Connection, func, insert, update

from studies.db.engine import Database
from studies.db.models import ArrayRow, EpochRow, TrialRow
from studies.db.queries import find_suite, trials_frame
from studies.db.submissions import insert_suite
from studies.db.trial_states import RELEASED, end_trials
from studies.spec import StudySpec, SuiteSpec

_OPTIMIZERS = ("adam", "adamax")
_CHUNK = 250  #: trials that are written at once
_FIRST_LOSS = 2.302585


def insert_big_suite(db: Database, n_trials: int, n_seeds: int, epochs: int) -> tuple[str, tuple[str, ...]]:
    """Write a suite of Adam and AdaMax on mnist-logistic with all its curves; return its id and those of its studies.

    Curves fall from log(10), fastest in the middle of the search space; where alpha is largest, some diverge.
    """
    size: dict[str, Any] = {"workload": "mnist-logistic", "n_trials": n_trials, "n_seeds": n_seeds, "epochs": epochs}
    specs = [StudySpec(name=f"{name}-of-{n_trials}-trials", optimizer=name, **size) for name in _OPTIMIZERS]
    suite_id = insert_suite(db, SuiteSpec(suite=f"{n_trials} trials each", studies=tuple(specs)))
    found = find_suite(db, suite_id).studies
    for study in found:
        settings = trials_frame(db, study.id)
        for first in range(0, n_trials, _CHUNK):
            _write(db, study.id, study.spec, settings.iloc[first : first + _CHUNK])
    return suite_id, tuple(study.id for study in found)


def _write(db: Database, study_id: str, spec: StudySpec, settings: Any) -> None:
    """Record the epochs of these trials, and end them."""
    numbers = settings["trial"].tolist()
    array = {"study_id": study_id, "token": "", "worker_id": "", "lost_leases": 0, "finished": True}
    with db.write() as connection:
        added = insert(ArrayRow).values(**array, epoch=spec.epochs, lease_expires_at=RELEASED)
        array_id = connection.scalar(added.returning(ArrayRow.id))
        begun = update(TrialRow).where(TrialRow.study_id == study_id, TrialRow.number.in_(numbers))
        started = {"state": "running", "array_id": array_id, "device": "cpu"}
        connection.execute(begun.values(**started, started_at=func.current_timestamp()))
        _insert(connection, _epochs(study_id, spec, settings))
        end_trials(connection, study_id, dict.fromkeys(numbers, "complete"))


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Write rows of epochs, on PostgreSQL by COPY: there INSERT takes several times as long."""
    if connection.dialect.name != "postgresql":
        connection.execute(insert(EpochRow), rows)
        return
    columns = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(EpochRow.__tablename__), columns)
    with connection.connection.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(tuple(row.values()))


def _epochs(study_id: str, spec: StudySpec, settings: Any) -> list[dict[str, Any]]:
    """Return the rows of all replicates of some trials."""
    losses = _losses(spec, settings)
    n_steps = -(-spec.n_train // spec.batch_size)
    rows = []
    for curves, trial in zip(losses.tolist(), settings["trial"].tolist(), strict=True):
        for replicate, curve in enumerate(curves):
            for epoch, loss in enumerate(curve):
                diverged = loss > 100.0
                figures = dict.fromkeys(
                    ("train_loss", "test_loss", "test_error", "validation_loss", "validation_error")
                )
                if not diverged:
                    figures |= {"train_loss": loss, "test_loss": 1.05 * loss, "test_error": min(0.9, 0.3 * loss)}
                key = {"study_id": study_id, "trial": trial, "replicate": replicate, "epoch": epoch}
                seconds = 0.05 if epoch else 0.0
                rows.append({**key, "steps": epoch * n_steps, "seconds": seconds, "diverged": diverged, **figures})
                if diverged:
                    break
    return rows


def _losses(spec: StudySpec, settings: Any) -> NDArray[np.float64]:
    """Return losses [trials, seeds, epochs + 1]; one above 100 stands for divergence."""
    alpha, beta1, beta2 = (settings[name].fillna(0.5).to_numpy(np.float64) for name in ("alpha", "beta1", "beta2"))
    off = np.log10(alpha) + 2.5
    floor = 0.25 + 0.03 * off**2 + 0.02 * np.log10((1 - beta1) / 0.1) ** 2 + 0.01 * np.log10((1 - beta2) / 1e-3) ** 2
    rate = 1.5 * np.exp(-0.5 * off**2)
    epochs = np.arange(spec.epochs + 1)
    mean = floor[:, None] + (_FIRST_LOSS - floor[:, None]) * np.exp(-rate[:, None] * epochs**0.7)
    rng = np.random.default_rng([spec.seed, int(settings["trial"].iloc[0])])
    noise = rng.normal(scale=0.02, size=(len(settings), spec.n_seeds, spec.epochs + 1))
    losses: NDArray[np.float64] = mean[:, None, :] * np.exp(noise)
    losses[..., 0] = _FIRST_LOSS
    diverges = rng.random((len(settings), spec.n_seeds)) < np.clip(off - 0.8, 0.0, 0.5)[:, None]
    at = rng.integers(1, spec.epochs + 1, size=diverges.shape)
    losses[diverges[..., None] & (epochs == at[..., None])] = 1e3
    return losses
