"""Random faults over one study, with the time that each costs, and an undisturbed study to compare with."""

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from studies.db import queries
from studies.db.mirror import unmirrored_studies
from studies.db.workers import WorkerIdentity
from studies.spec import StudySpec
from tests.chaos import dashboard_faults, service_faults, worker_faults
from tests.chaos.stack import Stack, succeeds
from tests.chaos.verdict import Verdict, judge
from tests.factories import make_spec
from tests.processes import wait_until
from worker.checkpoints import CheckpointStore
from worker.device import device_kind
from worker.runner import Runner

Fault = Callable[[Stack, str, random.Random], None]

#: Of a stack with PostgreSQL; each function's docstring says what it does.
FAULTS: tuple[Fault, ...] = (
    worker_faults.sigkill,
    worker_faults.sigterm,
    worker_faults.segfault,
    worker_faults.out_of_memory,
    worker_faults.pool_exhausted,
    worker_faults.sleeps_past_its_lease,
    worker_faults.comes_back_after_another_took_over,
    worker_faults.no_space_for_checkpoints,
    worker_faults.corrupt_checkpoint,
    worker_faults.truncated_checkpoint,
    worker_faults.missing_checkpoint,
    worker_faults.worker_clock_steps,
    worker_faults.deploy,
    service_faults.messages_lost,
    service_faults.messages_doubled,
    service_faults.same_message_for_all,
    service_faults.redis_restarts,
    service_faults.redis_restarts_empty,
    service_faults.postgres_restarts,
    service_faults.postgres_process_dies,
    service_faults.connections_cut,
    service_faults.connections_exhausted,
    service_faults.database_disk_full,
    service_faults.database_clock_steps,
    service_faults.network_cut,
    service_faults.network_cut_for_long,
    service_faults.network_silent,
    service_faults.submit_killed,
    *((dashboard_faults.dashboard_killed,) if dashboard_faults.BROWSER else ()),  # laptops may be without
)

_LANES = 64  #: of the arrays of the undisturbed study
_RECOVERY_SECONDS = 180.0  #: the longest that any fault may hold work up


@dataclass(frozen=True)
class Injected:
    """A fault that was injected, and how long it held up the array that it hit worst, itself included."""

    name: str
    seconds_lost: float


def chaos_spec(**overrides: object) -> StudySpec:
    """Return a study that lasts for long at little cost, whose results do not depend on the order of its trials."""
    return make_spec(**{"n_trials": 32, "n_seeds": 2, "epochs": 100, "batch_size": 512, "sampler": "qmc", **overrides})


def inject(stack: Stack, study_id: str, fault: Fault, rng: random.Random) -> Injected:
    """Inject a fault and wait until every array that was in training has recorded a new epoch, or has ended."""
    before = set(stack.unfinished())
    started = time.monotonic()
    fault(stack, study_id, rng)
    left: dict[int, int] = {}

    def look() -> bool:
        left.update({array: epoch for array, epoch in stack.unfinished().items() if array in before})
        return True

    wait_until(lambda: succeeds(look))

    def go_on() -> bool:
        now = stack.unfinished()
        for array in list(left):
            if array not in now or now[array] > left[array]:
                del left[array]
        return not left

    wait_until(lambda: succeeds(go_on), _RECOVERY_SECONDS)
    return Injected(fault.__name__, time.monotonic() - started)


def keep_busy(stack: Stack, study_id: str, n_more: int) -> None:
    """Give the study more trials where less than half of so many wait, so that the next fault finds it in course."""

    def extend() -> bool:
        record = queries.find_study(stack.db, study_id)
        if 2 * record.counts.get("waiting", 0) < n_more:
            stack.service.extend(study_id, n_more)
        return True

    wait_until(lambda: succeeds(extend))


def run(
    stack: Stack,
    study_id: str,
    faults: Sequence[Fault],
    rng: random.Random,
    tell: Callable[[Injected], None],
    n_more: int = 16,
) -> None:
    """Inject the faults one after the other into a study that gets so many more trials whenever it needs some."""
    for fault in faults:
        keep_busy(stack, study_id, n_more)
        stack.holder(study_id, rng)
        time.sleep(rng.uniform(0.0, 0.5))
        tell(inject(stack, study_id, fault, rng))


def wait_for_end(stack: Stack, seconds: float = 90.0) -> None:
    """Wait until all studies are over and Optuna has been told of them."""

    def is_over() -> bool:
        time.sleep(0.2)
        return all(study.is_final for study in queries.list_studies(stack.db)) and not unmirrored_studies(stack.db)

    wait_until(lambda: succeeds(is_over), seconds)


def run_undisturbed(stack: Stack, spec: StudySpec) -> str:
    """Train a study of this spec in this process, where nothing disturbs; return its id."""
    assert not stack.workers, "nothing disturbs"
    study_id = stack.submit(spec)
    store = CheckpointStore(stack.settings.checkpoint_dir)
    device = torch.device("cpu")
    identity = WorkerIdentity("w-undisturbed", "node", os.getpid(), device_kind(device), False, store.name)
    runner = Runner(stack.db, stack.bell, identity, device, store, stack.settings, _LANES, 300.0)
    while not queries.find_study(stack.db, study_id).is_final:
        runner.run(study_id)
    return study_id


def judge_run(stack: Stack, study_id: str, undisturbed_id: str) -> Verdict:
    """Return the verdict on the disturbed study, and on what killed commands submitted beside it."""
    n_trials = queries.find_study(stack.db, study_id).n_trials
    verdicts = [judge(stack.db, study_id, n_trials, undisturbed_id)]
    for study in queries.list_studies(stack.db):
        if study.name == service_faults.SUBMITTED_NAME:
            verdicts.append(judge(stack.db, study.id, service_faults.SUBMITTED_TRIALS))
    return Verdict(
        lost=tuple(line for verdict in verdicts for line in verdict.lost),
        double=tuple(line for verdict in verdicts for line in verdict.double),
        different=tuple(line for verdict in verdicts for line in verdict.different),
    )
