"""What leaves this package: frozen copies, never rows that are still bound to a session."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from studies.spec import StudySpec


@dataclass(frozen=True)
class StudyRecord:
    """A study with its progress."""

    id: str
    name: str
    suite_id: str | None
    suite: str | None
    state: str  #: waiting, running, pausing, paused, cancelling, cancelled, complete or failed
    spec_json: dict[str, Any]
    n_trials: int
    counts: dict[str, int]  #: trials in each state, replaced ones left out
    n_diverged: int
    epochs_done: int  #: epochs of all trials recorded so far
    best_trial: int | None  #: the complete trial with the least objective
    best_objective: float | None
    block_width: int | None
    problem: str | None  #: why the last worker that looked could not train it
    notes: str | None  #: what users wrote down about it; data, never markup
    created_at: datetime
    finished_at: datetime | None  #: when the last trial ended, once all have

    @cached_property
    def spec(self) -> StudySpec:
        """The spec that was submitted."""
        return StudySpec.stored(self.spec_json)

    @property
    def n_finished(self) -> int:
        """Trials that have ended, in whatever way."""
        return self.n_trials - self.counts.get("waiting", 0) - self.counts.get("running", 0)

    @property
    def fraction(self) -> float:
        """Share of the work done, from 0 to 1, by epochs."""
        done = (self.n_finished - self.counts.get("cancelled", 0)) / self.n_trials
        return max(done, min(1.0, self.epochs_done / (self.n_trials * self.spec.epochs)))

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the study by itself."""
        return self.state in ("complete", "failed", "cancelled")

    @property
    def optuna_name(self) -> str:
        """The study's name in Optuna's tables."""
        return f"{self.name}-{self.id}"


@dataclass(frozen=True)
class SuiteRecord:
    """A suite with its studies."""

    id: str
    name: str
    created_at: datetime
    studies: tuple[StudyRecord, ...]


@dataclass(frozen=True)
class WorkerRecord:
    """A worker process."""

    id: str
    host: str
    pid: int
    device: str
    is_gpu: bool
    study_id: str | None
    seconds_since_heartbeat: float
    is_live: bool
    started_at: datetime


@dataclass(frozen=True)
class ClaimedTrial:
    """A trial that a claim hands to a worker."""

    number: int
    setting: dict[str, float] | None  #: None: the sampler has to draw it now
    is_ended: bool  #: whether it needs no more training (it ended under an earlier lease)


@dataclass(frozen=True)
class Claim:
    """A trial array under a lease; `token` is what the holder shows with every write."""

    array_id: int
    study_id: str
    worker_id: str
    token: str
    trials: tuple[ClaimedTrial, ...]
    epoch: int  #: last epoch recorded, -1 at first
    checkpoint: str | None  #: to resume from, in the worker's own store


@dataclass(frozen=True)
class EpochMetrics:
    """The metrics of one replicate at the end of an epoch."""

    trial: int
    replicate: int
    epoch: int
    steps: int
    train_loss: float | None
    validation_loss: float | None
    validation_error: float | None
    test_loss: float | None
    test_error: float | None
    seconds: float
    diverged: bool


@dataclass(frozen=True)
class EpochDiagnostics:
    """What the last update of an epoch looked like, of one replicate; None where there is no (finite) figure."""

    trial: int
    replicate: int
    epoch: int
    max_step: float | None  #: the largest |update| / alpha of all parameters, alpha as scheduled
    signal_to_noise: float | None  #: the mean of |m_hat| / sqrt(v_hat) over all parameters
    epsilon_share: float | None  #: the share of parameters in which epsilon is the larger part of what divides
    update_norm: float | None
    weight_norm: float | None  #: before the update
    gradient_norm: float | None


@dataclass(frozen=True)
class EpochPosition:
    """Where one replicate stands at the end of an epoch, of a workload with one or two parameters."""

    trial: int
    replicate: int
    epoch: int
    x: float
    y: float | None = None
