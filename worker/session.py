"""One worker's time with one trial array: training events go in, rows of the database come out."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from studies.db import leases
from studies.db.engine import Database
from studies.db.history import diverged_replicates
from studies.db.records import Claim, EpochDiagnostics, EpochMetrics, EpochPosition
from studies.errors import LeaseLostError
from studies.spec import StudySpec
from worker.checkpoints import CheckpointStore
from worker.pruning import prunable_epochs, pruned_trials
from worker.training import ArrayTraining, EpochReport, LaneMetrics

WISH_SECONDS = 1.0  #: how often the lease is renewed and the study's wish read, at most
CHECKPOINT_SECONDS = 30.0  #: how often a checkpoint is written while nothing else asks for one


class Ending(Enum):
    """How a session ended."""

    FINISHED = "finished"  #: every trial of the array has ended
    HANDED_OVER = "handed over"  #: the lease was given back with a checkpoint: the array goes on elsewhere or later
    CANCELLED = "cancelled"


@dataclass
class Session:
    """The state of a session; `run` does all of it."""

    db: Database
    held: Claim
    spec: StudySpec
    training: ArrayTraining
    store: CheckpointStore
    must_yield: Callable[[float], bool]  #: whether to give the device up, after so many seconds
    _replicates_left: dict[int, set[int]] = field(default_factory=dict)
    _checkpoint: str | None = None

    def run(self) -> Ending:
        """Train until the array ends or somebody wants the device or the study.

        Raises:
            LeaseLostError: another worker has the array.
            ServiceError: the database cannot be reached; the lease will run out by itself.
        """
        started = wished = saved = time.monotonic()
        self._checkpoint = self.held.checkpoint
        self._replicates_left = self._running_replicates()
        events = self.training.run()
        event = next(events, None)
        removed = frozenset(trial.number for trial in self.held.trials if trial.is_ended)
        while event is not None:
            if isinstance(event, EpochReport):
                removed |= self._record(event)
            if not any(self._replicates_left.values()):
                break
            clock = time.monotonic()
            if clock - wished >= WISH_SECONDS:
                wished = clock
                ending = self._heed(leases.renew(self.db, self.held), clock - started)
                if ending is not None:
                    return ending
            if clock - saved >= CHECKPOINT_SECONDS:
                saved = clock
                self._save()
            try:
                event, removed = events.send(removed or None), frozenset()
            except StopIteration:
                event = None
        if any(self._replicates_left.values()):
            raise RuntimeError("the training ended before its trials did")
        self._drop_checkpoint()
        return Ending.FINISHED

    def _running_replicates(self) -> dict[int, set[int]]:
        diverged = diverged_replicates(self.db, self.held)
        return {
            trial.number: {r for r in range(self.spec.n_seeds) if (trial.number, r) not in diverged}
            for trial in self.held.trials
            if not trial.is_ended
        }

    def _heed(self, wish: str, seconds: float) -> Ending | None:
        if wish == "cancel":
            leases.cancel_held(self.db, self.held)
            self._drop_checkpoint()
            return Ending.CANCELLED
        if wish == "pause" or self.must_yield(seconds):
            self._save()
            leases.release(self.db, self.held)
            return Ending.HANDED_OVER
        return None

    def _record(self, report: EpochReport) -> frozenset[int]:
        """Write an epoch and what ended with it; return the trials to take out of the array."""
        for lane in report.lanes:
            if lane.diverged and lane.trial in self._replicates_left:
                self._replicates_left[lane.trial].discard(lane.replicate)
        last = report.epoch == self.spec.epochs
        alive = [trial for trial, replicates in self._replicates_left.items() if replicates]
        ended = {trial: "complete" for trial in self._replicates_left if last or trial not in alive}
        metrics = [_row(report, lane) for lane in report.lanes]
        diagnostics = [_diagnostics(report, lane) for lane in report.lanes if lane.diagnostics is not None]
        positions = [
            EpochPosition(lane.trial, lane.replicate, report.epoch, *lane.position)
            for lane in report.lanes
            if lane.position is not None
        ]
        leases.record_epoch(self.db, self.held, report.epoch, metrics, ended, diagnostics, positions)
        for trial in ended:
            del self._replicates_left[trial]
        if last or report.epoch not in prunable_epochs(self.spec):
            return frozenset()
        pruned = pruned_trials(self.db, self.held, self.spec, report.epoch, list(self._replicates_left))
        for trial in pruned:
            del self._replicates_left[trial]
        return pruned

    def _save(self) -> None:
        name = self.store.save(self.held, self.training.snapshot())
        if name is None:
            return
        try:
            leases.set_checkpoint(self.db, self.held, name, self.store.name)
        except LeaseLostError:
            self.store.remove(name)
            raise
        self._drop_checkpoint()
        self._checkpoint = name

    def _drop_checkpoint(self) -> None:
        if self._checkpoint is not None:
            self.store.remove(self._checkpoint)
            self._checkpoint = None


def _row(report: EpochReport, lane: LaneMetrics) -> EpochMetrics:
    figures: dict[str, Any] = {
        name: getattr(lane, name)
        for name in (
            "trial",
            "replicate",
            "train_loss",
            "validation_loss",
            "validation_error",
            "test_loss",
            "test_error",
        )
    }
    return EpochMetrics(
        epoch=report.epoch, steps=report.steps, seconds=report.seconds, diverged=lane.diverged, **figures
    )


def _diagnostics(report: EpochReport, lane: LaneMetrics) -> EpochDiagnostics:
    figures = {name: value if math.isfinite(value) else None for name, value in (lane.diagnostics or {}).items()}
    return EpochDiagnostics(trial=lane.trial, replicate=lane.replicate, epoch=report.epoch, **figures)
