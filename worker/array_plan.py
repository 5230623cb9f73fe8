"""What a trial array trains, and the array that trains it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from adam_core.lane_updates import LaneUpdates
from adam_core.randomness import Purpose, stream
from adam_core.trial_array import TrialArray
from studies.spec import StudySpec
from studies.workloads import Workload, find_workload
from worker.workloads.registry import build_model


@dataclass(frozen=True)
class Lane:
    """One replicate of one trial, with its alpha, beta1, beta2 and epsilon."""

    trial: int
    replicate: int
    hyperparameters: Mapping[str, float]


@dataclass(frozen=True)
class ArrayPlan:
    """All that the numbers of an array depend on."""

    workload: str
    optimizer: str
    options: Mapping[str, Any]  #: of the update rule (epsilon_mode ...)
    schedule_kind: str
    schedule_per: str
    batch_size: int
    epochs: int
    seed: int  #: the study's
    holdout: bool  #: whether the workload's validation examples are held out of the training set
    lanes: tuple[Lane, ...]
    block_width: int

    @classmethod
    def of(cls, spec: StudySpec, lanes: tuple[Lane, ...], block_width: int) -> ArrayPlan:
        """Return the plan of some lanes of a study."""
        return cls(
            workload=spec.workload,
            optimizer=spec.optimizer,
            options=spec.options,
            schedule_kind=spec.schedule.alpha,
            schedule_per=spec.schedule.per,
            batch_size=spec.batch_size,
            epochs=spec.epochs,
            seed=spec.seed,
            holdout=spec.holdout,
            lanes=lanes,
            block_width=block_width,
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


def build_array(plan: ArrayPlan, device: torch.device, dtype: torch.dtype) -> TrialArray:
    """The plan's array before step 1; its lanes' ids are their indices in the plan.

    Raises:
        NotFoundError: no workload has the plan's name.
        ValueError: an unknown optimizer, option or schedule, or a hyperparameter outside of its range.
    """
    return TrialArray(
        build_model(plan.workload, plan.block_width, device, dtype),
        LaneUpdates(plan.optimizer, plan.options, plan.schedule_kind, plan.schedule_per, plan.steps_per_epoch),
        [lane.hyperparameters for lane in plan.lanes],
        [lane.replicate for lane in plan.lanes],
        lambda replicate, layer: stream(plan.seed, replicate, Purpose.INITIAL_WEIGHTS, layer=layer),
    )
