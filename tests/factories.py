"""Specs, and studies in every state, written through the product's own functions."""

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from sqlalchemy import func, insert, update

from studies.db import submissions
from studies.db.engine import Database, now
from studies.db.models import ArrayRow, EpochRow, TrialRow, WorkerRow
from studies.db.queries import find_study, find_suite, trials_frame
from studies.db.trial_states import LEASE_SECONDS, RELEASED, end_trials, finish_if_ended
from studies.spec import StudySpec, SuiteSpec


def make_spec(**overrides: Any) -> StudySpec:
    """Return a small study of Adam on digits-logistic; `overrides` are keys of the spec."""
    small = {"n_trials": 8, "n_seeds": 2, "epochs": 5}
    return StudySpec.model_validate(
        {"name": "adam-on-digits", "workload": "digits-logistic", "optimizer": "adam", **small, **overrides}
    )


def make_suite(**overrides: Any) -> SuiteSpec:
    """Return a suite of Adam and AdaMax; `overrides` are keys that both studies take."""
    given = [make_spec(name=name, optimizer=name, **overrides) for name in ("adam", "adamax")]
    return SuiteSpec(suite="adam-vs-adamax", studies=tuple(given))


def insert_study(
    db: Database,
    spec: StudySpec | None = None,
    *,
    trials: int | None = None,
    epochs: int | None = None,
    states: Mapping[int, str] | None = None,
    diverged: Collection[int] = (),
) -> str:
    """Write a study with plausible curves and return its id; complete, unless told otherwise.

    Args:
        db: where to.
        spec: `make_spec()` by default.
        trials: how many trials have left the queue; all by default.
        epochs: how many epochs a complete trial has; those of the spec by default. Trials in other states have half.
        states: states of some trials by number (running, pruned, failed, cancelled); the others are complete.
        diverged: numbers of trials whose first replicate diverges half-way.
    """
    study_id = submissions.insert_study(db, spec or make_spec())
    fill_study(db, study_id, trials=trials, epochs=epochs, states=states, diverged=diverged)
    return study_id


def insert_suite(db: Database, spec: SuiteSpec | None = None) -> str:
    """Write a suite of complete studies and return its id."""
    suite_id = submissions.insert_suite(db, spec or make_suite())
    for study in find_suite(db, suite_id).studies:
        fill_study(db, study.id)
    return suite_id


def fill_study(
    db: Database,
    study_id: str,
    *,
    trials: int | None = None,
    epochs: int | None = None,
    states: Mapping[int, str] | None = None,
    diverged: Collection[int] = (),
) -> None:
    """Give the waiting trials of a study curves and states, as `insert_study` says."""
    record = find_study(db, study_id)
    spec = record.spec
    settings = trials_frame(db, study_id).head(trials if trials is not None else record.n_trials).to_dict("records")
    numbers = [int(setting["trial"]) for setting in settings]
    if not numbers:
        return
    found = {number: (states or {}).get(number, "complete") for number in numbers}
    n_epochs = spec.epochs if epochs is None else epochs
    rows: list[dict[str, Any]] = []
    for setting, (number, state) in zip(settings, found.items(), strict=True):
        last = n_epochs if state == "complete" else n_epochs // 2
        for row in _curves(spec, setting, last, number in diverged):
            rows.append({"study_id": study_id, "trial": number, **row})
    _write(db, study_id, found, rows, n_epochs // 2)


def insert_worker(db: Database, worker_id: str, *, study_id: str | None = None, silent_seconds: float = 0.0) -> None:
    """Write a CPU worker whose last heartbeat was `silent_seconds` ago."""
    with db.write() as connection:
        connection.execute(
            insert(WorkerRow).values(
                id=worker_id,
                host="node-1",
                pid=4242,
                device="CPU",
                is_gpu=False,
                store="node-1:/checkpoints",
                study_id=study_id,
                heartbeat_at=now() - silent_seconds,
            )
        )


def _write(db: Database, study_id: str, states: Mapping[int, str], rows: list[dict[str, Any]], epoch: int) -> None:
    """Claim all the trials in one array, record their epochs, and end those that are not to run on."""
    array = {"study_id": study_id, "token": "token", "worker_id": "worker-1", "lost_leases": 0, "finished": False}
    with db.write() as connection:
        expiry = now() + 3 * LEASE_SECONDS if "running" in states.values() else RELEASED
        array_id = connection.scalar(
            insert(ArrayRow).values(**array, epoch=epoch, lease_expires_at=expiry).returning(ArrayRow.id)
        )
        claimed = update(TrialRow).where(TrialRow.study_id == study_id, TrialRow.number.in_(list(states)))
        started = {"state": "running", "array_id": array_id, "device": "CPU"}
        connection.execute(claimed.values(**started, started_at=func.current_timestamp()))
        connection.execute(insert(EpochRow), rows)
        end_trials(connection, study_id, {number: state for number, state in states.items() if state != "running"})
        failed = [number for number, state in states.items() if state == "failed"]
        connection.execute(claimed.where(TrialRow.number.in_(failed)).values(error="RuntimeError: out of memory"))
        assert array_id is not None
        finish_if_ended(connection, array_id)


def _curves(spec: StudySpec, setting: Mapping[Any, Any], n_epochs: int, diverges: bool) -> Iterator[dict[str, Any]]:
    """Return the epochs of all replicates of a setting: losses that fall from log(10), fastest near α = 0.01."""
    alpha = setting["alpha"] / (1 + 100 * np.nan_to_num(setting["epsilon"]))
    off = math.log10(alpha) + 2
    best = {"beta1": 0.9, "beta2": 0.999}
    beta1_off, beta2_off = (math.log10((1 - np.nan_to_num(setting[b], nan=best[b])) / (1 - best[b])) for b in best)
    rate = 1.5 * math.exp(-0.5 * off**2)
    floor = 0.1 + 0.03 * off**2 + 0.02 * beta1_off**2 + 0.005 * beta2_off**2
    for replicate in range(spec.n_seeds):
        rng = np.random.default_rng([spec.seed, replicate])  # the same for every trial: comparisons are paired
        noise = rng.normal(scale=0.02, size=(n_epochs + 1, 3))
        for epoch in range(n_epochs + 1):
            loss = floor + (math.log(10) - floor) * math.exp(-rate * epoch**0.7)
            is_last = diverges and replicate == 0 and epoch == max(1, n_epochs // 2)
            yield _epoch(spec, replicate, epoch, None if is_last else loss * np.exp(noise[epoch]))
            if is_last:
                break


def _epoch(spec: StudySpec, replicate: int, epoch: int, losses: Any) -> dict[str, Any]:
    """Return a row of curves; `losses` are those of training, validation and test, None at divergence."""
    row: dict[str, Any] = {"replicate": replicate, "epoch": epoch, "seconds": 0.25 if epoch else 0.0}
    row |= {"steps": epoch * math.ceil(spec.n_train / spec.batch_size), "diverged": losses is None}
    names = ("train_loss", "validation_loss", "validation_error", "test_loss", "test_error")
    row |= dict.fromkeys(names)
    if losses is not None:
        train, validation, test = (float(loss) for loss in losses)
        row |= {"train_loss": train, "test_loss": 1.05 * test, "test_error": min(0.9, 0.39 * test)}
        if spec.holdout:
            row |= {"validation_loss": 1.04 * validation, "validation_error": min(0.9, 0.39 * validation)}
        if spec.workload_entry.metric is None:
            row |= {"validation_error": None, "test_error": None}
    return row
