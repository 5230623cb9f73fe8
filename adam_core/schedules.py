"""Scalars that change from step to step: alpha_t, beta1_t and the bias corrections, in float64.

Logarithms, powers, roots and cosines are taken a number at a time: vectorized ones may round a lane differently at
another position of the array, and a lane's curve must not depend on where it stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

ScheduleKind = Literal["constant", "inverse-sqrt", "step-decay", "cosine"]
SchedulePer = Literal["step", "epoch"]


@dataclass(frozen=True)
class Schedule:
    """How alpha changes from step to step.

    The kinds, with t from 1:

    - "constant": alpha_t = alpha;
    - "inverse-sqrt": alpha_t = alpha / sqrt(t), Kingma & Ba 2015, Theorem 4.1 and section 6.1;
    - "step-decay": alpha_t = alpha factor^floor((t - 1) / every);
    - "cosine": alpha_t = alpha (1 + cos(pi (t - 1) / total)) / 2, and 0 from t = total + 1 on; Loshchilov & Hutter
      2017, "SGDR", without restarts.

    Args:
        kind: one of these.
        per: what t, every and total count: "step" (as in the theory) or "epoch".
        factor: of "step-decay" only, in (0, 1).
        every: of "step-decay" only, how many steps or epochs alpha keeps its value, at least 1.
        total: of "cosine" only, how many steps or epochs it takes to come down to 0, at least 1.

    Raises:
        ValueError: an unknown kind or per, or a number that is missing, out of place or outside of its range.
    """

    kind: str = "constant"
    per: str = "step"
    factor: float | None = None
    every: int | None = None
    total: int | None = None

    def __post_init__(self) -> None:
        """Check the names and the numbers."""
        known = (("kind", self.kind, get_args(ScheduleKind)), ("per", self.per, get_args(SchedulePer)))
        for name, value, allowed in known:
            if value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
        owners = (("factor", "step-decay"), ("every", "step-decay"), ("total", "cosine"))
        for name, owner in owners:
            value = getattr(self, name)
            if self.kind != owner and value is not None:
                raise ValueError(f"{name} must be left out unless kind is {owner}, got {value!r} with {self.kind}")
            if self.kind == owner:
                _require_number(name, value)

    def alphas(self, alpha: Tensor, steps_per_epoch: int, first_step: int, n_steps: int) -> Tensor:
        """alpha_t of some consecutive steps.

        Args:
            alpha: [K] float64.
            steps_per_epoch: updates in one pass over the training data.
            first_step: number of the first step, from 1.
            n_steps: T, how many steps.

        Returns:
            [T, K] float64.

        Raises:
            ValueError: a step number below 1.
        """
        for name, number in (("first_step", first_step), ("steps_per_epoch", steps_per_epoch)):
            if number < 1:
                raise ValueError(f"{name} must be at least 1, got {number}")
        steps = range(first_step, first_step + n_steps)
        times = steps if self.per == "step" else [(step - 1) // steps_per_epoch + 1 for step in steps]
        if self.kind == "inverse-sqrt":
            return alpha / _column(math.sqrt(t) for t in times)
        if self.factor is not None and self.every is not None:
            return alpha * _column(self.factor ** ((t - 1) // self.every) for t in times)
        if self.total is not None:
            return alpha * _column((1.0 + math.cos(math.pi * min((t - 1) / self.total, 1.0))) / 2.0 for t in times)
        return alpha.repeat(n_steps, 1)


def bias_correction(beta: Tensor, first_step: int, n_steps: int, corrected: Tensor | None = None) -> Tensor:
    """1 - beta^t of some consecutive steps, as -expm1(t log(beta)), which loses no digits where beta^t is near 1.

    Args:
        beta: [K] float64, in [0, 1).
        first_step: t of the first row, from 1.
        n_steps: T, how many steps.
        corrected: [K], 0 for the lanes that go without: 1 at every step.

    Returns:
        [T, K] float64.

    Source: Kingma & Ba 2015, section 3.
    """
    logarithms = [math.log(value) if value > 0.0 else -math.inf for value in beta.tolist()]
    steps = range(first_step, first_step + n_steps)
    lanes = [[-math.expm1(t * logarithm) for t in steps] for logarithm in logarithms]
    corrections = torch.tensor(lanes, dtype=torch.float64).reshape(len(lanes), n_steps).T
    return corrections if corrected is None else corrections.where(corrected != 0.0, 1.0)


def decayed_beta(beta: Tensor, decay: Tensor, first_step: int, n_steps: int) -> Tensor:
    """beta_t = beta decay^(t - 1) of some consecutive steps.

    Args:
        beta: [K] float64.
        decay: [K] float64, the paper's lambda, in (0, 1].
        first_step: t of the first row, from 1.
        n_steps: T, how many steps.

    Returns:
        [T, K] float64.

    Source: Kingma & Ba 2015, Theorem 4.1.
    """
    exponents = range(first_step - 1, first_step - 1 + n_steps)
    lanes = [
        [value**exponent for exponent in exponents] if value != 1.0 else [1.0] * n_steps for value in decay.tolist()
    ]
    return beta * torch.tensor(lanes, dtype=torch.float64).reshape(len(lanes), n_steps).T


def _column(values: Iterable[float]) -> Tensor:
    """[T, 1] float64."""
    return torch.tensor(list(values), dtype=torch.float64)[:, None]


def _require_number(name: str, value: float | None) -> None:
    """Raise ValueError unless the value is what Schedule allows for this name."""
    if name == "factor":
        if value is None or not 0.0 < value < 1.0:
            raise ValueError(f"factor must be in (0, 1), got {value}")
    elif not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
