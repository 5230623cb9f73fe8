"""The regret of the lanes of an online problem."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Regret:
    """R(T) = sum over t of f_t(theta_(t-1)) - f_t(theta*), of every lane, summed in float64.

    Args:
        n_lanes: of the plan, whether they still train or not.
        best_fixed_cost: the mean over the sequence of f_t(theta*), theta* the best fixed point in hindsight.
        device: where the lanes are.

    Source: Kingma & Ba 2015, section 4.
    """

    def __init__(self, n_lanes: int, best_fixed_cost: float, device: torch.device) -> None:
        self._best = best_fixed_cost
        self.costs = torch.zeros(n_lanes + 1, dtype=torch.float64, device=device)  #: by lane; the last of no lane

    def places(self, slots: Sequence[int | None]) -> Tensor:
        """Where the costs of each slot are summed: [slots]."""
        nowhere = len(self.costs) - 1
        return torch.tensor([nowhere if lane is None else lane for lane in slots], device=self.costs.device)

    def add(self, places: Tensor, costs: Tensor) -> None:
        """Take in what each slot played at an update, before it: [slots] float64."""
        self.costs.index_add_(0, places, costs)

    def per_step(self, n_steps: int) -> list[float]:
        """R(T)/T of every lane, T whole passes over the sequence."""
        return (self.costs[:-1] / n_steps - self._best).tolist()
