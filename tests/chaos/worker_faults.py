"""Faults of worker processes. Each is done once it has been injected; whatever died starts again by itself."""

import os
import random
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals

from tests.chaos.stack import Stack, Worker
from tests.chaos.worker_entry import HOG_SECONDS, LEASE_SECONDS, POOL_TIMEOUT_SECONDS
from tests.processes import wait_until

HOUR = 3600.0


def sigkill(stack: Stack, study_id: str, rng: random.Random) -> None:
    """A worker that trains is killed."""
    _end(stack.holder(study_id, rng), SIGKILL)


def sigterm(stack: Stack, study_id: str, rng: random.Random) -> None:
    """A worker that trains is asked to end."""
    _end(stack.holder(study_id, rng), SIGTERM)


def segfault(stack: Stack, study_id: str, rng: random.Random) -> None:
    """A worker that trains reads memory that is not its own."""
    worker = stack.holder(study_id, rng)
    child = worker.child
    (worker.orders / "segfault").touch()
    wait_until(lambda: not child.is_running)


def out_of_memory(stack: Stack, study_id: str, rng: random.Random) -> None:
    """A worker may have no more memory for two seconds, and a thread of its own takes what it has."""
    _order(stack.holder(study_id, rng), "memory")
    time.sleep(HOG_SECONDS)


def pool_exhausted(stack: Stack, study_id: str, rng: random.Random) -> None:
    """Something in a worker keeps all of its connections to the database for longer than others wait for one."""
    _order(stack.holder(study_id, rng), "connections")
    time.sleep(POOL_TIMEOUT_SECONDS + HOG_SECONDS)


def sleeps_past_its_lease(stack: Stack, study_id: str, rng: random.Random) -> None:
    """A worker is stopped for longer than its lease, then goes on where it was."""
    worker = stack.holder(study_id, rng)
    worker.child.signal(SIGSTOP)
    time.sleep(LEASE_SECONDS * rng.uniform(1.1, 1.6))
    worker.child.signal(SIGCONT)


def comes_back_after_another_took_over(stack: Stack, study_id: str, rng: random.Random) -> None:
    """A worker is stopped until another one has its array, then goes on where it was."""
    worker = stack.holder(study_id, rng)
    worker.child.signal(SIGSTOP)
    deadline = time.monotonic() + 20.0
    while worker.pid in stack.holders(study_id) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(rng.uniform(0.1, 0.6))
    worker.child.signal(SIGCONT)


def no_space_for_checkpoints(stack: Stack, study_id: str, rng: random.Random) -> None:
    """A worker's disk is full for two seconds: no file may grow beyond 4 KiB; then it is killed."""
    worker = stack.holder(study_id, rng)
    with limited([worker.pid], resource.RLIMIT_FSIZE, 4096):
        time.sleep(2.0)
        if rng.random() < 0.5:
            _end(worker, SIGKILL)


def corrupt_checkpoint(stack: Stack, study_id: str, rng: random.Random) -> None:
    """All checkpoints have wrong bytes in their midst when their worker is killed."""

    def corrupt(file: Path) -> None:
        content = bytearray(file.read_bytes())
        middle = len(content) // 2
        content[middle : middle + 64] = rng.randbytes(64)
        file.write_bytes(content)

    _spoil(stack, study_id, rng, corrupt)


def truncated_checkpoint(stack: Stack, study_id: str, rng: random.Random) -> None:
    """All checkpoints end in their midst when their worker is killed."""
    _spoil(stack, study_id, rng, lambda file: os.truncate(file, rng.randrange(file.stat().st_size)))


def missing_checkpoint(stack: Stack, study_id: str, rng: random.Random) -> None:
    """All checkpoints are gone when their worker is killed."""
    _spoil(stack, study_id, rng, lambda file: file.unlink())


def worker_clock_steps(stack: Stack, study_id: str, rng: random.Random) -> None:
    """A worker's clock is set an hour ahead or back, and stays so."""
    (stack.holder(study_id, rng).orders / "clock").write_text(str(rng.choice((-HOUR, HOUR))))
    time.sleep(0.3)


def deploy(stack: Stack, study_id: str, rng: random.Random) -> None:
    """New workers, whose checkpoints the old ones could not read, start beside these, which are then asked to end."""
    old = list(stack.workers)
    stack.version += 1
    for _ in old:
        stack.add_worker()
    stack.wait_for_workers(2 * len(old))
    for worker in old:
        worker.is_wanted = False
        worker.child.signal(SIGTERM)
    wait_until(lambda: not any(worker.child.is_running for worker in old))
    for worker in old:
        stack.remove_worker(worker)


@contextmanager
def limited(pids: list[int], kind: int, limit: int) -> Iterator[None]:
    """Give running processes a soft limit for as long as the context lasts; those that end meanwhile end."""
    for pid in pids:
        _set_limit(pid, kind, limit)
    try:
        yield
    finally:
        for pid in pids:
            _set_limit(pid, kind, resource.RLIM_INFINITY)


def _set_limit(pid: int, kind: int, limit: int) -> None:
    try:
        resource.prlimit(pid, kind, (limit, resource.RLIM_INFINITY))
    except ProcessLookupError:
        pass


def _order(worker: Worker, harm: str) -> None:
    order = worker.orders / harm
    order.touch()
    wait_until(lambda: not order.exists() or not worker.child.is_running)
    order.unlink(missing_ok=True)


def _end(worker: Worker, number: Signals) -> None:
    child = worker.child
    child.signal(number)
    wait_until(lambda: not child.is_running)


def _spoil(stack: Stack, study_id: str, rng: random.Random, spoil: Callable[[Path], object]) -> None:
    """Spoil all checkpoints that lie there while their workers stand still, then kill one of these."""
    folder = stack.settings.checkpoint_dir
    worker = stack.holder(study_id, rng)
    wait_until(lambda: any(folder.glob("*.pt")) or not worker.child.is_running)
    worker.child.signal(SIGSTOP)
    for file in folder.glob("*.pt"):
        try:
            spoil(file)
        except (FileNotFoundError, ValueError):  # dropped by its worker just now, or empty
            continue
    _end(worker, SIGKILL)
