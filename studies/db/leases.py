"""What the holder of a lease writes: every function is one short transaction that checks the token first.

A lease is a token and a time on the database's clock. Whoever shows the token may write, until another worker has
taken the array over; what a late worker brings is dropped (`LeaseLostError`).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Update, func, literal, select, update

from studies.db.engine import Database, now
from studies.db.models import ArrayRow, Base, DiagnosticsRow, EpochRow, StudyRow, TrajectoryRow, TrialRow, WorkerRow
from studies.db.records import Claim, EpochDiagnostics, EpochMetrics, EpochPosition
from studies.db.trial_states import (
    LEASE_SECONDS,
    RELEASED,
    cancel_running,
    end_trials,
    finish_if_ended,
    setting_columns,
    unheld,
)
from studies.db.upsert import insert_missing
from studies.errors import LeaseLostError
from studies.samplers import Drawn
from studies.spec import StudySpec

#: Where what is recorded of an epoch goes.
_TABLES: dict[type, type[Base]] = {
    EpochMetrics: EpochRow,
    EpochDiagnostics: DiagnosticsRow,
    EpochPosition: TrajectoryRow,
}


def renew(db: Database, held: Claim) -> str:
    """Prolong the lease and return the study's wish (run, pause or cancel)."""
    with db.write() as connection:
        _hold(connection, held)
        connection.execute(update(WorkerRow).where(WorkerRow.id == held.worker_id).values(heartbeat_at=now()))
        return connection.execute(select(StudyRow.wish).where(StudyRow.id == held.study_id)).scalar_one()


def set_settings(db: Database, held: Claim, spec: StudySpec, drawn: Mapping[int, Drawn]) -> None:
    """Commit what an adaptive sampler drew for the trials of these numbers."""
    with db.write() as connection:
        _hold(connection, held)
        for number, found in drawn.items():
            columns = setting_columns(spec, found.setting)
            connection.execute(_trial(held, number).values(**columns, sampler_attrs=found.attrs))


def record_verdicts(db: Database, held: Claim, attrs: Mapping[int, dict[str, Any]], pruned: Collection[int]) -> None:
    """Keep what a pruner wants to find again with these trials, and end those that it pruned."""
    with db.write() as connection:
        _hold(connection, held)
        for number, found in attrs.items():
            connection.execute(_trial(held, number).values(sampler_attrs=found))
        end_trials(connection, held.study_id, dict.fromkeys(pruned, "pruned"))
        finish_if_ended(connection, held.array_id)


def record_epoch(
    db: Database,
    held: Claim,
    epoch: int,
    metrics: Sequence[EpochMetrics],
    ended: Mapping[int, str],
    *further: Sequence[EpochDiagnostics] | Sequence[EpochPosition],
) -> None:
    """Write the metrics of all lanes at the end of an epoch, what else is known of it, and the trials that ended.

    A replayed epoch keeps the rows that it has. `ended` maps numbers of trials to their final states; they get their
    figures from the recorded curves.
    """
    with db.write() as connection:
        _hold(connection, held)
        for records in (metrics, *further):
            rows = [{"study_id": held.study_id, **vars(record)} for record in records]
            if rows:
                insert_missing(connection, _TABLES[type(records[0])], rows)
        connection.execute(
            update(ArrayRow)
            .where(ArrayRow.id == held.array_id, ArrayRow.epoch < epoch)
            .values(epoch=epoch, lost_leases=0, error=None)
        )
        end_trials(connection, held.study_id, ended)
        finish_if_ended(connection, held.array_id)


def set_checkpoint(db: Database, held: Claim, checkpoint: str, store: str) -> None:
    """Name the array's checkpoint and the store that holds it."""
    with db.write() as connection:
        _hold(connection, held)
        connection.execute(
            update(ArrayRow).where(ArrayRow.id == held.array_id).values(checkpoint=checkpoint, store=store)
        )


def release(db: Database, held: Claim, error: str | None = None) -> None:
    """Give the lease back; with an error it counts as lost."""
    with db.write() as connection:
        _hold(connection, held)
        values: dict[str, object] = {"lease_expires_at": RELEASED}
        if error is not None:
            values |= {"error": error, "lost_leases": ArrayRow.lost_leases + 1}
        connection.execute(update(ArrayRow).where(ArrayRow.id == held.array_id).values(**values))


def cancel_held(db: Database, held: Claim) -> None:
    """End the trials of a cancelled study's array."""
    with db.write() as connection:
        _hold(connection, held)
        cancel_running(connection, held.study_id, held.array_id)


def count_lost(db: Database) -> int:
    """Return the number of arrays whose holders fell silent and which nobody took over yet; of paused studies none."""
    lost = select(func.count()).select_from(ArrayRow).join(StudyRow, StudyRow.id == ArrayRow.study_id)
    lost = lost.where(~ArrayRow.finished, ArrayRow.lease_expires_at != RELEASED, unheld(), StudyRow.wish == "run")
    with db.read() as connection:
        return connection.execute(lost).scalar_one()


def _hold(connection: Connection, held: Claim) -> None:
    """Prolong the lease as the first write of a transaction: it locks the array's row against a take-over."""
    held_row = update(ArrayRow).where(ArrayRow.id == held.array_id, ArrayRow.token == held.token, ~ArrayRow.finished)
    if connection.execute(held_row.values(lease_expires_at=now() + literal(LEASE_SECONDS))).rowcount != 1:
        raise LeaseLostError(f"array {held.array_id} of study {held.study_id} went to another worker")


def _trial(held: Claim, number: int) -> Update:
    return update(TrialRow).where(TrialRow.study_id == held.study_id, TrialRow.number == number)
