"""One small study per kind of fault: it completes by itself, with the numbers that it would have had."""

import random
import resource
import sqlite3
import time
from collections.abc import Iterator

import pytest

from studies.db import queries
from tests.chaos import service_faults, worker_faults
from tests.chaos.chaos import FAULTS, Fault, chaos_spec, inject, judge_run, run_undisturbed, wait_for_end
from tests.chaos.stack import Stack, running_stack
from tests.chaos.verdict import judge
from tests.chaos.worker_entry import BUSY_TIMEOUT_SECONDS
from tests.chaos.worker_faults import limited

pytestmark = pytest.mark.slow  # minutes in all; `make test` has a few faults chosen by a seed

N_TRIALS = 8
SPEC = chaos_spec(n_trials=N_TRIALS, n_seeds=1, epochs=40)

#: One fault of each part that can fail.
OF_EACH_PART = (
    worker_faults.sigkill,
    worker_faults.comes_back_after_another_took_over,
    service_faults.messages_doubled,
    service_faults.redis_restarts_empty,
    service_faults.postgres_restarts,
    service_faults.network_silent,
)


@pytest.fixture(scope="module")
def stack() -> Iterator[tuple[Stack, str]]:
    """Start PostgreSQL, Redis and two workers; yields also the id of the undisturbed study."""
    with running_stack() as stack:
        undisturbed_id = run_undisturbed(stack, SPEC)
        for _ in range(2):
            stack.add_worker()
        yield stack, undisturbed_id


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_nothing_is_lost_double_or_different(stack: tuple[Stack, str], fault: Fault) -> None:
    parts, undisturbed_id = stack
    study_id = parts.submit(SPEC)
    inject(parts, study_id, fault, random.Random(fault.__name__))
    wait_for_end(parts)
    verdict = judge_run(parts, study_id, undisturbed_id)
    assert verdict.is_clean, verdict


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("sampler", "pruner"), [("tpe", "none"), ("random", "successive-halving")])
def test_what_depends_on_the_order_of_trials_is_whole(stack: tuple[Stack, str], sampler: str, pruner: str) -> None:
    parts, _ = stack
    rng = random.Random(sampler)
    study_id = parts.submit(chaos_spec(n_trials=24, n_seeds=2, epochs=27, sampler=sampler, pruner=pruner))
    for fault in OF_EACH_PART:
        if not queries.find_study(parts.db, study_id).is_final:
            inject(parts, study_id, fault, rng)
    wait_for_end(parts)
    verdict = judge(parts.db, study_id, 24)
    assert verdict.is_clean, verdict
    assert ("pruned" in queries.find_study(parts.db, study_id).counts) == (pruner != "none")


@pytest.fixture
def sqlite_stack() -> Iterator[tuple[Stack, str]]:
    """Start Redis and a worker on SQLite; yields also the id of the undisturbed study."""
    with running_stack(is_sqlite=True) as stack:
        undisturbed_id = run_undisturbed(stack, SPEC)
        stack.add_worker()
        yield stack, undisturbed_id


def test_locked_or_full_sqlite_loses_nothing(sqlite_stack: tuple[Stack, str]) -> None:
    parts, undisturbed_id = sqlite_stack
    study_id = parts.submit(SPEC)
    worker = parts.holder(study_id, random.Random(0))
    reader = sqlite3.connect(parts.db.file, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM result_epochs").fetchone()  # from here on it holds the log's end back
    writer = sqlite3.connect(parts.db.file, isolation_level=None, timeout=30)
    writer.execute("BEGIN IMMEDIATE")
    time.sleep(2 * BUSY_TIMEOUT_SECONDS)
    writer.rollback()
    before = parts.unfinished()
    with limited([worker.pid], resource.RLIMIT_FSIZE, 4096):
        time.sleep(1.5)
        assert parts.unfinished() == before, "epochs were written to a full disk"
    wait_for_end(parts)
    verdict = judge(parts.db, study_id, N_TRIALS, undisturbed_id)
    reader.close()
    writer.close()
    assert verdict.is_clean, verdict
