"""The scalars of each lane's updates: hyperparameters, schedule and bias corrections, tabled for many steps at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from adam_core.rules import Rule, make_rule
from adam_core.schedules import alpha_schedule

#: Steps in a table. Tables start at fixed steps (1, 257, ...), wherever a run starts.
TABLE_STEPS = 256

#: A lane without a trial (padding, or frozen): alpha 0 keeps its theta at 0, the rest keeps its state finite.
FROZEN: Mapping[str, float] = {"alpha": 0.0, "beta1": 0.9, "beta2": 0.999, "epsilon": 1.0}


@dataclass(frozen=True)
class LaneUpdates:
    """What the updates of all lanes of an array share.

    Args:
        optimizer: name of the update rule.
        options: the rule's options.
        schedule_kind: as `alpha_schedule` takes it.
        schedule_per: as `alpha_schedule` takes it.
        steps_per_epoch: updates in one pass over the training data.
    """

    optimizer: str
    options: Mapping[str, Any]
    schedule_kind: str
    schedule_per: str
    steps_per_epoch: int

    def rule(self, hyperparameters: Mapping[str, float]) -> Rule:
        """The rule of one lane.

        Raises:
            ValueError: an unknown optimizer or option, or a hyperparameter that is missing or outside of its range.
        """
        lanes = {name: torch.tensor([value], dtype=torch.float64) for name, value in hyperparameters.items()}
        return make_rule(self.optimizer, lanes, **self.options)

    def table(self, hyperparameters: Sequence[Mapping[str, float]], first_step: int, dtype: torch.dtype) -> Tensor:
        """The coefficients of TABLE_STEPS steps of some lanes: [TABLE_STEPS, C, lanes], rounded once, to dtype.

        Each lane is computed alone, so that its numbers cannot depend on its mates.

        Args:
            hyperparameters: each lane's alpha, beta1, beta2 and epsilon.
            first_step: number of the first step, from 1.
            dtype: of the parameters.
        """
        return torch.cat([self._lane(values, first_step) for values in hyperparameters], dim=2).to(dtype)

    def _lane(self, hyperparameters: Mapping[str, float], first_step: int) -> Tensor:
        alpha = alpha_schedule(
            self.schedule_kind,
            self.schedule_per,
            torch.tensor([hyperparameters["alpha"]], dtype=torch.float64),
            self.steps_per_epoch,
            first_step,
            TABLE_STEPS,
        )
        return self.rule(hyperparameters).coefficients(first_step, alpha)
