"""The scalars of each lane's updates: hyperparameters, schedule and bias corrections, tabled for many steps at once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from adam_core.rules import Rule, make_rule
from adam_core.schedules import Schedule

#: Steps in a table. Tables start at fixed steps (1, 257, ...), wherever a run starts.
TABLE_STEPS = 256


@dataclass(frozen=True)
class LaneSetting:
    """What a lane's updates are made with: alpha and the rule's hyperparameters, and how alpha changes."""

    hyperparameters: Mapping[str, float]
    schedule: Schedule


#: A lane without a trial (padding, or frozen): alpha 0 keeps its theta at 0, the rest keeps its state finite.
FROZEN = LaneSetting(
    {
        "alpha": 0.0,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1.0,
        "momentum": 0.0,
        "rho": 0.9,
        "weight_decay": 0.0,
        "bias_correction": 1.0,
        "beta1_decay": 1.0,
    },
    Schedule(),
)


@dataclass(frozen=True)
class LaneUpdates:
    """What the updates of all lanes of an array share.

    Args:
        optimizer: name of the update rule.
        options: the rule's options.
        steps_per_epoch: updates in one pass over the training data.
    """

    optimizer: str
    options: Mapping[str, Any]
    steps_per_epoch: int
    _tables: dict[int, dict[Hashable, Tensor]] = field(default_factory=dict, repr=False, compare=False)

    def rule(self, hyperparameters: Mapping[str, float]) -> Rule:
        """The rule of one lane.

        Raises:
            ValueError: an unknown optimizer or option, or a hyperparameter that is missing or outside of its range.
        """
        lanes = {name: torch.tensor([value], dtype=torch.float64) for name, value in hyperparameters.items()}
        return make_rule(self.optimizer, lanes, **self.options)

    def table(self, settings: Sequence[LaneSetting], first_step: int, dtype: torch.dtype) -> Tensor:
        """The coefficients of TABLE_STEPS steps of some lanes: [TABLE_STEPS, C, lanes], rounded once, to dtype.

        Each lane is computed alone, so that its numbers cannot depend on its mates, and once for all seeds of a trial.

        Args:
            settings: of each lane.
            first_step: number of the first step, from 1.
            dtype: of the parameters.
        """
        if first_step not in self._tables:
            self._tables.clear()
            self._tables[first_step] = {}
        lanes, known = [], self._tables[first_step]
        for setting in settings:
            key = (*sorted(setting.hyperparameters.items()), setting.schedule)
            if key not in known:
                known[key] = self._lane(setting, first_step)
            lanes.append(known[key])
        return torch.cat(lanes, dim=2).to(dtype)

    def alphas(self, settings: Sequence[LaneSetting], first_step: int, n_steps: int) -> Tensor:
        """Alpha of T steps of some lanes, their schedules applied: [T, lanes] float64."""
        return torch.cat([self._lane_alphas(setting, first_step, n_steps) for setting in settings], dim=1)

    def _lane(self, setting: LaneSetting, first_step: int) -> Tensor:
        alphas = self._lane_alphas(setting, first_step, TABLE_STEPS)
        return self.rule(setting.hyperparameters).coefficients(first_step, alphas)

    def _lane_alphas(self, setting: LaneSetting, first_step: int, n_steps: int) -> Tensor:
        alpha = torch.tensor([setting.hyperparameters["alpha"]], dtype=torch.float64)
        return setting.schedule.alphas(alpha, self.steps_per_epoch, first_step, n_steps)
