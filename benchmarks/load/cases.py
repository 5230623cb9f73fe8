"""What is measured: one large study, many studies at once, small ones among large ones, and asking for an array."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.load.stack import LoadStack
from benchmarks.load.statements import Times
from studies.samplers import PastTrial, draw_adaptive, draw_settings
from studies.search_space import to_optuna
from studies.spec import StudySpec

_SETTLE_SECONDS = 2.0  #: the workers write their counts every second
_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 1800.0


@dataclass(frozen=True)
class Load:
    """What studies of a kind cost."""

    n_studies: int
    n_trials: int  #: of each study
    epochs: int
    submit_seconds: float
    wall_seconds: float  #: from the submit to the last trial's end
    most_queued: int  #: messages
    first_claims: list[float | None]  #: seconds from the submit to the first claim, by study
    numbers: dict[str, float]
    statements: Times

    @property
    def all_trials(self) -> int:
        """Trials of all studies."""
        return self.n_studies * self.n_trials

    @property
    def all_rows(self) -> int:
        """Epoch rows of all trials."""
        return int(self.numbers["result_epochs"])


@dataclass(frozen=True)
class Asking:
    """How long it takes to ask for the settings of an array."""

    way: str
    n_before: int  #: trials that the study has already
    n_trials: int  #: asked for
    seconds: float


def spec_of(name: str, n_trials: int, epochs: int) -> StudySpec:
    """Return the spec of a study of the benchmark."""
    return StudySpec(
        name=name,
        workload="digits-logistic",
        optimizer="adam",
        sampler="random",
        n_trials=n_trials,
        n_seeds=1,
        epochs=epochs,
    )


@dataclass(frozen=True)
class Mirroring:
    """What it costs to tell Optuna, while nothing else happens."""

    n_waiting: int  #: trials that Optuna lacked
    n_mirrored: int  #: within the time
    seconds: float
    numbers: dict[str, float]
    statements: Times


def run_studies(stack: LoadStack, n_studies: int, n_trials: int, epochs: int) -> Load:
    """Submit studies one after the other and wait until all their trials have ended."""
    before, started, most = stack.counters(), time.monotonic(), 0
    ids = [stack.submit(spec_of(f"load-{index}", n_trials, epochs)) for index in range(n_studies)]
    submitted = time.monotonic()

    def ended() -> bool:
        nonlocal most
        most = max(most, stack.queued)
        return stack.n_final(ids) == n_studies * n_trials

    _wait(ended)
    finished = time.monotonic()
    time.sleep(_SETTLE_SECONDS)
    spent = stack.counters() - before
    return Load(
        n_studies,
        n_trials,
        epochs,
        submitted - started,
        finished - started,
        most,
        stack.seconds_to_first_claim(ids),
        spent.numbers,
        spent.statements,
    )


def watch_mirror(stack: LoadStack, n_waiting: int, most_seconds: float) -> Mirroring:
    """Watch idle workers tell Optuna what it lacks, from the first trial until the last or the time's end."""
    first = stack.n_mirrored
    _wait(lambda: stack.n_mirrored > first)
    begun, before, started = stack.n_mirrored, stack.counters(), time.monotonic()
    while stack.n_mirrored < first + n_waiting and time.monotonic() < started + most_seconds:
        time.sleep(_LOOK_SECONDS)
    ended, seconds = stack.n_mirrored, time.monotonic() - started
    time.sleep(_SETTLE_SECONDS)
    spent = stack.counters() - before
    return Mirroring(n_waiting, ended - begun, seconds, spent.numbers, spent.statements)


@dataclass(frozen=True)
class Fairness:
    """How long small studies waited that were submitted while large ones had all workers."""

    n_large: int
    n_workers: int
    slice_seconds: float
    array_seconds: float
    waits: list[float | None]  #: seconds from the submit to the first claim; None: not within the patience
    queued: list[int]  #: messages that waited at the submit


def wait_among_large(
    stack: LoadStack, n_large: int, n_workers: int, slice_seconds: float, epoch_seconds: float, n_small: int
) -> Fairness:
    """Submit large studies, let them run for six slices, then a small study every second slice."""
    epochs = round(4 * slice_seconds / epoch_seconds)
    stack.set_pace(epoch_seconds)
    large = [stack.submit(spec_of(f"large-{index}", 4000, epochs)) for index in range(n_large)]
    time.sleep(6 * slice_seconds)
    small, queued = [], []
    for index in range(n_small):
        queued.append(stack.queued)
        small.append(stack.submit(spec_of(f"small-{index}", 4, 2)))
        time.sleep(2 * slice_seconds)
    deadline = time.monotonic() + 10 * slice_seconds
    while None in stack.seconds_to_first_claim(small) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    waits = stack.seconds_to_first_claim(small)
    stack.set_pace(0.0)
    for study_id in (*large, *small):
        if not stack.service.studies(study_id)[0].is_final:
            stack.service.cancel(study_id)
    return Fairness(n_large, n_workers, slice_seconds, epochs * epoch_seconds, waits, queued)


def ask(before: Sequence[int], n_trials: int) -> list[Asking]:
    """Time the settings of arrays: random ones, drawn at the submit, and TPE's in view of so many trials before."""
    found = []
    for n_before in before:
        spec = spec_of("asked", n_before, 1)
        started = time.perf_counter()
        settings = draw_settings(spec)
        found.append(Asking("random, the whole study at its submit", 0, n_before, time.perf_counter() - started))
        past = [
            PastTrial(number, "complete", to_optuna(spec.search_space, setting), number % 97 / 97, {})
            for number, setting in enumerate(settings)
        ]
        adaptive = spec.model_copy(update={"sampler": "tpe"})
        started = time.perf_counter()
        list(draw_adaptive(adaptive, past, range(n_before, n_before + n_trials)))
        found.append(Asking("tpe, an array in one go", n_before, n_trials, time.perf_counter() - started))
    return found


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not done within {_PATIENCE_SECONDS:.0f} s")
        time.sleep(_LOOK_SECONDS)
