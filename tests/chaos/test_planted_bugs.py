"""The verdict sees an invariant that does not hold: workers with one planted bug each fail it."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from studies.db import queries
from tests.chaos import service_faults, worker_faults
from tests.chaos.chaos import chaos_spec, run_undisturbed, wait_for_end
from tests.chaos.stack import Stack, running_stack
from tests.chaos.verdict import judge
from tests.chaos.worker_entry import BEAT_SECONDS, LEASE_SECONDS
from tests.processes import wait_until

pytestmark = pytest.mark.slow  # minutes in all

N_TRIALS = 8
SPEC = chaos_spec(n_trials=N_TRIALS, n_seeds=1, epochs=60)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


@contextmanager
def workers(stack: Stack, bug: str, n_workers: int) -> Iterator[None]:
    for _ in range(n_workers):
        stack.add_worker(bug)
    try:
        yield
    finally:
        for worker in list(stack.workers):
            stack.remove_worker(worker)


def test_writing_without_the_lease_is_seen(stack: Stack) -> None:
    study_id = stack.submit(SPEC)
    with workers(stack, "lease-check", 2):
        worker_faults.comes_back_after_another_took_over(stack, study_id, random.Random(0))
        wait_for_end(stack)
    verdict = judge(stack.db, study_id, N_TRIALS)
    assert "held by chaos-" in verdict.double[0]


def test_arrays_that_nobody_takes_over_are_seen(stack: Stack) -> None:
    study_id = stack.submit(SPEC)
    with workers(stack, "take-over", 1):
        worker_faults.sigkill(stack, study_id, random.Random(0))
        stack.wait_for_workers(1)
        time.sleep(LEASE_SECONDS + 3 * BEAT_SECONDS)
        assert judge(stack.db, study_id, N_TRIALS).lost[0] == "8 trials should be complete, got {'running': 8}"
        stack.add_worker()
        wait_for_end(stack)
    assert judge(stack.db, study_id, N_TRIALS).is_clean


def test_epochs_that_are_there_twice_are_seen(stack: Stack) -> None:
    study_id = stack.submit(SPEC)
    try:
        with workers(stack, "uniqueness", 1):
            worker_faults.sigkill(stack, study_id, random.Random(0))
            wait_for_end(stack)
        verdict = judge(stack.db, study_id, N_TRIALS)
    finally:
        stack.service.delete(study_id)
        with stack.db.write() as connection:
            connection.exec_driver_sql("ALTER TABLE result_epochs ADD PRIMARY KEY (study_id, trial, replicate, epoch)")
    assert verdict.double[0].startswith("2 x epoch ")


def test_work_that_nobody_rings_for_is_seen(stack: Stack) -> None:
    study_id = stack.submit(SPEC)
    service_faults.messages_lost(stack, study_id, random.Random(0))
    with workers(stack, "ring-again", 1):
        stack.wait_for_workers(1)
        time.sleep(3 * BEAT_SECONDS)
        assert judge(stack.db, study_id, N_TRIALS).lost[0] == "8 trials should be complete, got {'waiting': 8}"
        stack.add_worker()  # one without the bug finds the work, and all is well
        wait_for_end(stack)
    assert judge(stack.db, study_id, N_TRIALS).is_clean


def test_other_bits_after_a_restart_are_seen(stack: Stack) -> None:
    undisturbed_id = run_undisturbed(stack, SPEC)
    study_id = stack.submit(SPEC)
    with workers(stack, "resume", 1):
        worker_faults.sigterm(stack, study_id, random.Random(0))
        wait_until(lambda: queries.find_study(stack.db, study_id).is_final)
    verdict = judge(stack.db, study_id, N_TRIALS, undisturbed_id)
    assert len(verdict.different) == 2, verdict
    assert not verdict.double


def test_trials_that_optuna_lacks_are_seen(stack: Stack) -> None:
    study_id = stack.submit(SPEC)
    with workers(stack, "mirror", 1):
        wait_until(lambda: queries.find_study(stack.db, study_id).is_final)
    assert judge(stack.db, study_id, N_TRIALS).lost == (f"Optuna has 0 of {N_TRIALS} trials",)
