"""A short `make chaos`: random faults over one study, chosen by a seed."""

import random

import pytest

from studies.db import queries
from tests.chaos.chaos import FAULTS, Injected, chaos_spec, judge_run, run, run_undisturbed, wait_for_end
from tests.chaos.stack import running_stack

SEED = 438
N_FAULTS = 3
SMALL = {"n_seeds": 1, "epochs": 30}
N_TRIALS, N_MORE = 12, 4


@pytest.mark.timeout(300)
def test_random_faults_lose_nothing_and_count_nothing_twice() -> None:
    rng = random.Random(SEED)
    injected: list[Injected] = []
    with running_stack() as stack:
        for _ in range(2):
            stack.add_worker()
        study_id = stack.submit(chaos_spec(n_trials=N_TRIALS, **SMALL))
        run(stack, study_id, rng.sample(FAULTS, N_FAULTS), rng, injected.append, N_MORE)
        wait_for_end(stack)
        for worker in list(stack.workers):
            stack.remove_worker(worker)
        n_trials = queries.find_study(stack.db, study_id).n_trials
        undisturbed_id = run_undisturbed(stack, chaos_spec(n_trials=n_trials, **SMALL))
        verdict = judge_run(stack, study_id, undisturbed_id)
    assert verdict.is_clean, (injected, verdict)
