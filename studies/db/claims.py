"""Claiming: how a worker comes to a trial array.

A claim takes an array whose lease ran out, or else makes a new one of waiting trials, in one short transaction that
holds the study's row, so that claims of a study come one after the other. A released lease expires at 0; one that
expires later was lost.
"""

import math
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, literal, select, update

from studies.db.engine import Database, now
from studies.db.models import ArrayRow, StudyRow, TrialRow
from studies.db.records import Claim, ClaimedTrial
from studies.db.trial_states import (
    LEASE_SECONDS,
    RELEASED,
    cancel_unheld,
    end_trials,
    finish_if_ended,
    setting_of,
    unheld,
)
from studies.db.workers import WorkerIdentity, count_live, store_is_live
from studies.samplers import max_in_flight
from studies.spec import StudySpec

MAX_LOST_LEASES = 3  #: leases lost without a new epoch before an array is split, or its one trial failed


@dataclass(frozen=True)
class _Study:
    id: str
    spec: StudySpec
    block_width: int


def claim(
    db: Database, study_id: str, worker: WorkerIdentity, lanes: int, avoided: Collection[int] = ()
) -> Claim | None:
    """Take an array whose lease ran out, or else a new one of at most `lanes` lanes; None where there is nothing.

    Arrays whose ids are in `avoided` are left to others.
    """
    with db.write() as connection:
        row = connection.execute(_held_row(select(StudyRow.__table__), study_id)).first()
        if row is None:
            return None
        if row.wish == "cancel":
            cancel_unheld(connection, study_id)
        if row.wish != "run" or row.spec["device"] not in worker.devices:
            return None
        study = _Study(row.id, StudySpec.stored(row.spec), row.block_width or 1)
        return _take_over(connection, study, worker, avoided) or _take_new(connection, study, worker, lanes)


def end_cancelled(db: Database, study_id: str) -> None:
    """End what nobody holds of a cancelled study."""
    with db.write() as connection:
        row = connection.execute(_held_row(select(StudyRow.wish), study_id)).first()
        if row is not None and row.wish == "cancel":
            cancel_unheld(connection, study_id)


def _held_row(columns: Select[*tuple[Any, ...]], study_id: str) -> Select[*tuple[Any, ...]]:
    """Select of a study's row, held against other claims and wishes until the transaction ends.

    Not against checks of foreign keys: every holder that writes an epoch makes one, and would wait for all claims.
    """
    return columns.where(StudyRow.id == study_id).with_for_update(key_share=True)


def _take_over(connection: Connection, study: _Study, worker: WorkerIdentity, avoided: Collection[int]) -> Claim | None:
    while True:
        rows = connection.execute(
            select(ArrayRow.__table__)
            .where(ArrayRow.study_id == study.id, ~ArrayRow.finished, unheld(), ArrayRow.id.not_in(avoided))
            .order_by(ArrayRow.id)
            .with_for_update(skip_locked=True)  # a holder that is writing just now lives
        ).all()
        row = next((row for row in rows if _may_resume(connection, row, worker)), None)
        if row is None:
            return None
        lost = row.lost_leases + (row.lease_expires_at > RELEASED)
        if lost < MAX_LOST_LEASES:
            checkpoint = row.checkpoint if row.store == worker.store else None
            return _take(connection, study.id, worker, row.id, lost, row.epoch, checkpoint)
        _give_up(connection, study.id, row)


def _may_resume(connection: Connection, row: Row[Any], worker: WorkerIdentity) -> bool:
    """Whether this worker sees the checkpoint, or no living worker does, so that it may start anew."""
    return row.checkpoint is None or row.store == worker.store or not store_is_live(connection, row.store)


def _take(
    connection: Connection,
    study_id: str,
    worker: WorkerIdentity,
    array_id: int,
    lost_leases: int = 0,
    epoch: int = -1,
    checkpoint: str | None = None,
) -> Claim:
    token = secrets.token_hex(16)
    connection.execute(
        update(ArrayRow)
        .where(ArrayRow.id == array_id)
        .values(
            token=token,
            worker_id=worker.id,
            lost_leases=lost_leases,
            lease_expires_at=now() + literal(LEASE_SECONDS),
        )
    )
    rows = connection.execute(
        select(TrialRow.__table__).where(TrialRow.array_id == array_id).order_by(TrialRow.number)
    ).all()
    trials = tuple(
        ClaimedTrial(
            number=row.number,
            setting=None if row.params is None else setting_of(row),
            is_ended=row.state != "running",
        )
        for row in rows
    )
    return Claim(array_id, study_id, worker.id, token, trials, epoch, checkpoint)


def _give_up(connection: Connection, study_id: str, row: Row[Any]) -> None:
    """Split an array that keeps losing its lease into arrays of one trial; fail the trial of one that is so already."""
    running = select(TrialRow.number).where(TrialRow.array_id == row.id, TrialRow.state == "running")
    numbers = connection.execute(running.order_by(TrialRow.number)).scalars().all()
    if len(numbers) == 1:
        died = f"its worker died {MAX_LOST_LEASES} times before the end of epoch {row.epoch + 1}"
        connection.execute(
            update(TrialRow)
            .where(TrialRow.study_id == study_id, TrialRow.number == numbers[0])
            .values(error=row.error or died)
        )
        end_trials(connection, study_id, {numbers[0]: "failed"})
    else:
        for number in numbers:
            moved = update(TrialRow).where(TrialRow.study_id == study_id, TrialRow.number == number)
            connection.execute(moved.values(array_id=_new_array(connection, study_id)))
    finish_if_ended(connection, row.id)


def _take_new(connection: Connection, study: _Study, worker: WorkerIdentity, lanes: int) -> Claim | None:
    unended = (TrialRow.study_id == study.id, TrialRow.state.in_(("waiting", "running")))
    by_state = select(TrialRow.state, func.count()).where(*unended).group_by(TrialRow.state)
    counts = {state: n for state, n in connection.execute(by_state)}
    waiting, running = counts.get("waiting", 0), counts.get("running", 0)
    limit = max_in_flight(study.spec)
    if waiting == 0 or (limit is not None and (running >= limit or _is_drawing(connection, study.id))):
        return None
    share = math.ceil((waiting + running) / max(1, count_live(connection, study.spec.device)))
    n_trials = min(max(1, lanes // study.spec.n_seeds), share)
    if n_trials > study.block_width:
        n_trials -= n_trials % study.block_width
    if limit is not None:
        n_trials = min(n_trials, limit - running)
    numbers = (
        select(TrialRow.number)
        .where(TrialRow.study_id == study.id, TrialRow.state == "waiting")
        .order_by(TrialRow.number)
        .limit(n_trials)
    )
    array_id = _new_array(connection, study.id)
    connection.execute(
        update(TrialRow)
        .where(TrialRow.study_id == study.id, TrialRow.number.in_(connection.execute(numbers).scalars().all()))
        .values(state="running", array_id=array_id, started_at=func.current_timestamp(), device=worker.device)
    )
    return _take(connection, study.id, worker, array_id)


def _is_drawing(connection: Connection, study_id: str) -> bool:
    """Whether a worker is about to draw settings: adaptive samplers have one claimer at a time."""
    undrawn = select(TrialRow.number).where(
        TrialRow.study_id == study_id, TrialRow.state == "running", TrialRow.params.is_(None)
    )
    return connection.execute(undrawn.limit(1)).first() is not None


def _new_array(connection: Connection, study_id: str) -> int:
    """Add an array that nobody holds yet."""
    return connection.execute(
        insert(ArrayRow)
        .values(
            study_id=study_id,
            token="",
            worker_id="",
            lease_expires_at=RELEASED,
            epoch=-1,
            lost_leases=0,
            finished=False,
        )
        .returning(ArrayRow.id)
    ).scalar_one()
