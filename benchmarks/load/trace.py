"""A recorded training of an array, and what plays it to a worker in the place of the training."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from studies.settings import Settings
from studies.spec import StudySpec
from worker.array_plan import ArrayPlan, Lane
from worker.datasets.registry import load_dataset
from worker.reports import EpochReport, LaneMetrics, Tick
from worker.training import SNAPSHOT_FORMAT, ArrayTraining

N_LANES = 32  #: of the recorded array; also the most lanes that a worker of the benchmark takes
TRACE_VARIABLE = "LOAD_TRACE"  #: names the recording's file
PACE_VARIABLE = "LOAD_PACE"  #: names the file that says how many seconds an epoch lasts when it is played
_TICK_SECONDS = 0.5
_BLOCK_WIDTH = 8


def record(file: Path, epochs: int) -> None:
    """Train an array of digits-logistic with settings from all over the search space and keep what it reported."""
    spec = StudySpec(name="trace", workload="digits-logistic", optimizer="adam", n_trials=N_LANES, epochs=epochs)
    lanes = tuple(
        Lane(number, 0, {"alpha": 10 ** (-4 + 4 * number / N_LANES), "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8})
        for number in range(N_LANES)
    )
    data = load_dataset(spec.workload_entry, spec.data, Settings.from_environ({}), torch.device("cpu"), torch.float32)
    training = ArrayTraining(ArrayPlan.of(spec, lanes, _BLOCK_WIDTH), data)
    epochs_seen = [[vars(lane) for lane in event.lanes] for event in training.run() if isinstance(event, EpochReport)]
    torch.save({"epochs": epochs_seen, "array": training.snapshot()["array"]}, file)


class TracePlayer:
    """What `ArrayTraining` is to a worker's session, but its reports are the recorded ones, again and again."""

    def __init__(self, plan: ArrayPlan, _data: object, resume: Mapping[str, Any] | None = None) -> None:
        """Play for the lanes of this plan, from the start or from a snapshot."""
        self._plan = plan
        recording = torch.load(os.environ[TRACE_VARIABLE], weights_only=True)
        self._epochs = [[LaneMetrics(**lane) for lane in lanes] for lanes in recording["epochs"]]
        self._array = recording["array"]
        self._epoch_seconds = float(Path(os.environ[PACE_VARIABLE]).read_text("ascii"))
        self._epoch = 0 if resume is None else int(resume["epoch"])
        self._left: set[int] = set() if resume is None else set(resume["leaving"])

    def run(self) -> Generator[Tick | EpochReport, frozenset[int] | None, None]:
        """Report epoch after epoch, with a sign of life at least twice a second."""
        while self._epoch <= self._plan.epochs:
            ends = time.monotonic() + (self._epoch_seconds if self._epoch else 0.0)
            while (left := ends - time.monotonic()) > 0:
                time.sleep(min(left, _TICK_SECONDS))
                self._left |= (yield Tick(self._epoch, 0, self._plan.steps_per_epoch)) or frozenset()
            report = self._report()
            self._epoch += 1
            self._left |= (yield report) or frozenset()

    def snapshot(self) -> dict[str, Any]:
        """Return a snapshot with the state of the recorded array, so that it is as large as a real one."""
        return {
            "format": SNAPSHOT_FORMAT,
            "epoch": self._epoch,
            "leaving": sorted(self._left),
            "array": self._array,
        }

    def _report(self) -> EpochReport:
        recorded = self._epochs[min(self._epoch, len(self._epochs) - 1)]
        lanes = tuple(
            replace(recorded[lane.trial % len(recorded)], trial=lane.trial, replicate=lane.replicate)
            for lane in self._plan.lanes
            if lane.trial not in self._left
        )
        return EpochReport(self._epoch, self._epoch * self._plan.steps_per_epoch, self._epoch_seconds, lanes)
