"""What a trial array trains, and the array that trains it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from adam_core.arrays.lane_updates import LaneSetting, LaneUpdates
from adam_core.arrays.trial_array import TrialArray
from adam_core.randomness import Purpose, stream
from adam_core.schedules import Schedule
from studies.spec import StudySpec
from studies.workloads import Workload, find_workload
from worker.workloads.registry import build_model


@dataclass(frozen=True)
class Lane:
    """One replicate of one trial, with its hyperparameters."""

    trial: int
    replicate: int
    hyperparameters: Mapping[str, float]


@dataclass(frozen=True)
class ArrayPlan:
    """All that the numbers of an array depend on."""

    workload: str
    optimizer: str
    options: Mapping[str, Any]  #: of the update rule (epsilon_mode ...)
    schedule: Schedule
    batch_size: int
    epochs: int
    seed: int  #: the study's
    holdout: bool  #: whether the workload's validation examples are held out of the training set
    lanes: tuple[Lane, ...]
    block_width: int
    diagnostics: bool = False  #: whether the last update of each epoch is looked at

    @classmethod
    def of(cls, spec: StudySpec, lanes: tuple[Lane, ...], block_width: int) -> ArrayPlan:
        """Return the plan of some lanes of a study; parameters that a lane does not name take their defaults."""
        return cls(
            workload=spec.workload,
            optimizer=spec.optimizer,
            options=spec.options,
            schedule=_schedule(spec),
            batch_size=spec.batch_size,
            epochs=spec.epochs,
            seed=spec.seed,
            holdout=spec.holdout,
            lanes=tuple(replace(lane, hyperparameters=_complete(spec, lane.hyperparameters)) for lane in lanes),
            block_width=block_width,
            diagnostics=spec.diagnostics,
        )

    @property
    def workload_entry(self) -> Workload:
        """The catalogue's entry of the workload."""
        return find_workload(self.workload)

    @property
    def n_train(self) -> int:
        """Training examples, without those held out."""
        entry = self.workload_entry
        return entry.n_train - (entry.n_validation if self.holdout else 0)

    @property
    def steps_per_epoch(self) -> int:
        """Updates in an epoch; the last batch may be smaller than the others."""
        return math.ceil(self.n_train / self.batch_size)


def _schedule(spec: StudySpec) -> Schedule:
    """How alpha changes; a cosine comes down to 0 at the study's end."""
    asked = spec.schedule
    total = None
    if asked.alpha == "cosine":
        total = spec.epochs if asked.per == "epoch" else spec.epochs * math.ceil(spec.n_train / spec.batch_size)
    return Schedule(asked.alpha, asked.per, factor=asked.factor, every=asked.every, total=total)


def _complete(spec: StudySpec, given: Mapping[str, float]) -> dict[str, float]:
    """All hyperparameters of the study's optimizer."""
    defaults = spec.optimizer_entry.defaults
    return {name: float(given.get(name, default)) for name, default in defaults.items()}


def build_array(plan: ArrayPlan, device: torch.device, dtype: torch.dtype) -> TrialArray:
    """The plan's array before step 1; its lanes' ids are their indices in the plan.

    Raises:
        NotFoundError: no workload has the plan's name.
        ValueError: an unknown optimizer, option or schedule, or a hyperparameter outside of its range.
    """
    return TrialArray(
        build_model(plan.workload, plan.block_width, device, dtype),
        LaneUpdates(plan.optimizer, plan.options, plan.steps_per_epoch),
        [LaneSetting(lane.hyperparameters, plan.schedule) for lane in plan.lanes],
        [lane.replicate for lane in plan.lanes],
        lambda replicate, layer: stream(plan.seed, replicate, Purpose.INITIAL_WEIGHTS, layer=layer),
    )
