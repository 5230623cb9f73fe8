"""`python -m worker` with shorter times, a pace, a clock that can be set and, for one test each, a planted bug.

The chaos tests start their workers through this file. The product has no switch for any of it:

CHAOS_PACE_SECONDS  a pause after every epoch, so that a study that costs little CPU time lasts long enough
CHAOS_VERSION       what is added to the format of its checkpoints, as another version of the product would have it
CHAOS_ORDERS        a folder whose file `clock` has the seconds that this process's `time.time()` is off, and whose
                    files `memory`, `connections` and `segfault`, once they are there, have a thread take all the
                    memory that the process may have, take all connections of its pool, or read where nothing is
CHAOS_BUG           the bug to plant: an invariant that the verdict has to see broken
"""

import ctypes
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import literal, update

from studies.db import connection, trial_states, workers
from studies.db.models import ArrayRow
from worker import training

LEASE_SECONDS = 3.0  #: 20 in the product
BEAT_SECONDS = 1.0  #: 10
LIVE_SECONDS = 4.5  #: 30
WISH_SECONDS = 0.3  #: 1
CHECKPOINT_SECONDS = 1.0  #: 30
BUSY_TIMEOUT_SECONDS = 2  #: 30
POOL_TIMEOUT_SECONDS = 2.0  #: 30
POOL_CONNECTIONS = 15  #: SQLAlchemy's own number: 5, and 10 more where they are asked for
HOG_SECONDS = 2.0  #: how long memory is short, or all connections are taken

if __name__ == "__main__":  # never in a test's own process
    assert "studies.db.claims" not in sys.modules, "times are set before the modules that take them by name come"
    trial_states.LEASE_SECONDS = LEASE_SECONDS
    workers.LIVE_SECONDS = LIVE_SECONDS
    connection.BUSY_TIMEOUT_SECONDS = BUSY_TIMEOUT_SECONDS
    training.SNAPSHOT_FORMAT += int(os.environ.get("CHAOS_VERSION") or 0)

import worker.__main__ as entry  # noqa: E402
from studies.db import claims, leases  # noqa: E402
from studies.db.engine import Database, now  # noqa: E402
from studies.db.records import Claim  # noqa: E402
from studies.settings import Settings  # noqa: E402
from worker import app, runner, session  # noqa: E402
from worker.training import ArrayTraining  # noqa: E402


def _replace(owner: object, **functions: Callable[..., Any]) -> None:
    for name, function in functions.items():
        setattr(owner, name, function)


def _forget_the_lease_check() -> None:
    def hold(connection: Any, held: Claim) -> None:
        """Prolong the lease, whoever has it."""
        renewed = update(ArrayRow).where(ArrayRow.id == held.array_id)
        connection.execute(renewed.values(lease_expires_at=now() + literal(trial_states.LEASE_SECONDS)))

    _replace(leases, _hold=hold)


def _forget_to_take_over() -> None:
    def take_over(*_: Any) -> None:
        """Leave to the dead what they hold."""

    _replace(claims, _take_over=take_over)


def _forget_uniqueness() -> None:
    import psycopg

    url = os.environ["ADAM_STUDIES_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE result_epochs DROP CONSTRAINT IF EXISTS result_epochs_pkey")


def _forget_to_ring_again() -> None:
    def look_for_work(*_: Any) -> None:
        """Look for nothing."""

    _replace(app, look_for_work=look_for_work)


def _resume_a_step_too_late() -> None:
    start = ArrayTraining.__init__

    def skip(self: ArrayTraining, plan: Any, data: Any, resume: Any = None) -> None:
        start(self, plan, data, resume)
        self._epoch += resume is not None and 0 < self._epoch < plan.epochs

    _replace(ArrayTraining, __init__=skip)


def _forget_the_mirror() -> None:
    def mirror(*_: Any) -> None:
        """Tell Optuna nothing."""

    _replace(app, mirror=mirror)
    _replace(runner, mirror=mirror)


BUGS = {
    "lease-check": _forget_the_lease_check,
    "take-over": _forget_to_take_over,
    "uniqueness": _forget_uniqueness,
    "ring-again": _forget_to_ring_again,
    "resume": _resume_a_step_too_late,
    "mirror": _forget_the_mirror,
}


def _set_pace(seconds: float) -> None:
    record_epoch = leases.record_epoch

    def record_and_rest(*args: Any) -> None:
        record_epoch(*args)
        time.sleep(seconds)

    _replace(leases, record_epoch=record_and_rest)


def _hog_memory() -> None:
    """Let the process grow no more, and take for two seconds what it has free."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize(), resource.RLIM_INFINITY))
    hoard: list[bytearray] = []
    size = 2**26
    deadline = time.monotonic() + HOG_SECONDS
    while time.monotonic() < deadline:
        try:
            hoard.append(bytearray(size))
        except MemoryError:
            size = max(size // 2, 64)
            time.sleep(0.001)
    del hoard
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _take_connections(pools: list[Database]) -> None:
    """Hold for longer than anybody waits for one every connection that the process's pool gives."""
    (db,) = pools
    taken = [db.engine.connect() for _ in range(POOL_CONNECTIONS)]
    time.sleep(POOL_TIMEOUT_SECONDS + HOG_SECONDS)
    for one in taken:
        one.close()


def _open_short_of_patience(pools: list[Database]) -> None:
    open_database = vars(entry)["open_database"]

    def open_and_keep(settings: Settings) -> Database:
        pools.append(open_database(settings))
        pools[0].engine.pool._timeout = POOL_TIMEOUT_SECONDS  # type: ignore[attr-defined]
        return pools[0]

    _replace(entry, open_database=open_and_keep)


def _follow_orders(folder: Path) -> None:
    """Shift `time.time()`, and do the harm that the files order from the moment that they are there."""
    true_time, step = time.time, 0.0
    pools: list[Database] = []
    _open_short_of_patience(pools)
    clock = folder / "clock"
    harms: dict[str, Callable[[], object]] = {
        "memory": _hog_memory,
        "connections": lambda: _take_connections(pools),
        "segfault": lambda: ctypes.string_at(0),
    }

    def watch() -> None:
        nonlocal step
        while True:
            step = float(clock.read_text() or 0) if clock.exists() else 0.0
            for name, harm in harms.items():
                if (folder / name).exists():
                    (folder / name).unlink()
                    harm()
            time.sleep(0.1)

    threading.Thread(target=watch, daemon=True).start()
    time.time = lambda: true_time() + step


if __name__ == "__main__":
    app.BEAT_SECONDS = BEAT_SECONDS
    session.WISH_SECONDS = WISH_SECONDS
    session.CHECKPOINT_SECONDS = CHECKPOINT_SECONDS
    if pace := os.environ.get("CHAOS_PACE_SECONDS"):
        _set_pace(float(pace))
    if orders := os.environ.get("CHAOS_ORDERS"):
        _follow_orders(Path(orders))
    if bug := os.environ.get("CHAOS_BUG"):
        BUGS[bug]()
    sys.exit(entry.main())
