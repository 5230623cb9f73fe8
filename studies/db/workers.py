"""The worker processes and their heartbeats."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from studies.db.engine import Database, now
from studies.db.models import WorkerRow

LIVE_SECONDS = 30.0  #: a worker is alive while its last heartbeat is at most this old
_FORGET_SECONDS = 3600.0


@dataclass(frozen=True)
class WorkerIdentity:
    """A worker process: who it is, what it trains on, and which checkpoint store it sees."""

    id: str
    host: str
    pid: int
    device: str
    is_gpu: bool
    store: str

    @property
    def devices(self) -> tuple[str, str]:
        """The values of a spec's `device` that this worker serves; also the names of its queues."""
        return ("any", "gpu" if self.is_gpu else "cpu")


def register(db: Database, worker: WorkerIdentity) -> None:
    """Add the worker to the living, and forget those dead for long."""
    with db.write() as connection:
        connection.execute(delete(WorkerRow).where(WorkerRow.heartbeat_at < now() - _FORGET_SECONDS))
        _insert(connection, worker)


def beat(db: Database, worker: WorkerIdentity, study_id: str | None) -> None:
    """Renew the worker's heartbeat, and say what it trains."""
    with db.write() as connection:
        renewed = update(WorkerRow).where(WorkerRow.id == worker.id)
        if connection.execute(renewed.values(heartbeat_at=now(), study_id=study_id)).rowcount == 0:
            _insert(connection, worker)  # others took it for dead, and forgot it


def unregister(db: Database, worker: WorkerIdentity) -> None:
    """Take a worker that ends from the living."""
    with db.write() as connection:
        connection.execute(delete(WorkerRow).where(WorkerRow.id == worker.id))


def count_live(connection: Connection, device: str) -> int:
    """Return the number of living workers that serve studies of this `device` (any, gpu or cpu)."""
    living = select(func.count()).where(_is_live())
    if device != "any":
        living = living.where(WorkerRow.is_gpu.is_(device == "gpu"))
    return connection.execute(living).scalar_one()


def store_is_live(connection: Connection, store: str) -> bool:
    """Whether a living worker sees this checkpoint store."""
    living = select(WorkerRow.id).where(WorkerRow.store == store, _is_live())
    return connection.execute(living.limit(1)).first() is not None


def _is_live() -> ColumnElement[bool]:
    """Whether the heartbeat is fresh; one from the future is as old: the clock was set back since."""
    return WorkerRow.heartbeat_at.between(now() - LIVE_SECONDS, now() + LIVE_SECONDS)


def _insert(connection: Connection, worker: WorkerIdentity) -> None:
    connection.execute(
        insert(WorkerRow).values(
            id=worker.id,
            host=worker.host,
            pid=worker.pid,
            device=worker.device,
            is_gpu=worker.is_gpu,
            store=worker.store,
            heartbeat_at=now(),
        )
    )
