"""`make chaos`: random faults over one study, and the verdict on it.

CHAOS_FAULTS is the number of faults (default 200), CHAOS_SEED the seed that chooses them (default: a new one).
"""

import os
import random
import secrets
import statistics
import sys
import time
from collections import defaultdict

from studies.db import queries
from tests.chaos.chaos import FAULTS, Injected, chaos_spec, judge_run, run, run_undisturbed, wait_for_end
from tests.chaos.stack import running_stack
from tests.chaos.verdict import Verdict

N_WORKERS = 3
PACE_SECONDS = 0.1


def main() -> None:
    """Run it; exits with 1 where anything was lost, double or different."""
    n_faults = int(os.environ.get("CHAOS_FAULTS") or 200)
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(10**6))
    print(f"{n_faults} faults, seed {seed}: one study, PostgreSQL, Redis and {N_WORKERS} workers", flush=True)
    rng = random.Random(seed)
    faults = [FAULTS[index % len(FAULTS)] for index in range(n_faults)]
    rng.shuffle(faults)
    injected: list[Injected] = []
    started = time.monotonic()

    def tell(found: Injected) -> None:
        injected.append(found)
        clock = time.monotonic() - started
        print(f"{clock:7.1f} s  {len(injected):4d}  {found.seconds_lost:5.1f} s lost  {found.name}", flush=True)

    with running_stack(pace_seconds=PACE_SECONDS) as stack:
        for _ in range(N_WORKERS):
            stack.add_worker()
        study_id = stack.submit(chaos_spec())
        run(stack, study_id, faults, rng, tell)
        wait_for_end(stack, 600.0)
        for worker in list(stack.workers):
            stack.remove_worker(worker)
        record = queries.find_study(stack.db, study_id)
        print(f"the study is {record.state}: {record.n_trials} trials; now the same without faults", flush=True)
        undisturbed_id = run_undisturbed(stack, chaos_spec(n_trials=record.n_trials))
        verdict = judge_run(stack, study_id, undisturbed_id)
        _print_summary(injected, verdict, seed)
        if not verdict.is_clean:
            sys.exit(f"logs: {stack.settings.home / 'logs'}")


def _print_summary(injected: list[Injected], verdict: Verdict, seed: int) -> None:
    by_name = defaultdict(list)
    for found in injected:
        by_name[found.name].append(found.seconds_lost)
    print("\n  n  median  worst  fault (seconds until every array went on)")
    for name, seconds in sorted(by_name.items()):
        print(f"{len(seconds):3d}  {statistics.median(seconds):6.1f}  {max(seconds):5.1f}  {name}")
    every = [found.seconds_lost for found in injected]
    for line in (*verdict.lost, *verdict.double, *verdict.different):
        print(line)
    print(
        f"\n{len(every)} faults, seed {seed}: lost = {len(verdict.lost)}, double = {len(verdict.double)}, "
        f"different from the undisturbed run = {len(verdict.different)}; "
        f"time lost per fault: median {statistics.median(every):.1f} s, worst {max(every):.1f} s"
    )


if __name__ == "__main__":
    main()
