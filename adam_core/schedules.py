"""Scalars that change from step to step: alpha_t and the bias corrections, in float64.

Logarithms, powers and roots are taken a number at a time: vectorized ones may round a lane differently at another
position of the array, and a lane's curve must not depend on where it stands.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor

ScheduleKind = Literal["constant", "inverse-sqrt"]
SchedulePer = Literal["step", "epoch"]


def alpha_schedule(kind: str, per: str, alpha: Tensor, steps_per_epoch: int, first_step: int, n_steps: int) -> Tensor:
    """alpha_t of some consecutive steps.

    Args:
        kind: "constant" (alpha_t = alpha) or "inverse-sqrt" (alpha_t = alpha / sqrt(t)).
        per: what t counts: "step" (as in the theory) or "epoch"; both from 1.
        alpha: [K] float64.
        steps_per_epoch: updates in one pass over the training data.
        first_step: number of the first step, from 1.
        n_steps: T, how many steps.

    Returns:
        [T, K] float64.

    Raises:
        ValueError: an unknown kind or per, or a step number below 1.

    Source: Kingma & Ba 2015, Theorem 4.1 and section 6.1 (alpha_t = alpha / sqrt(t)).
    """
    for name, value, known in (("kind", kind, get_args(ScheduleKind)), ("per", per, get_args(SchedulePer))):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
    for name, number in (("first_step", first_step), ("steps_per_epoch", steps_per_epoch)):
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
    if kind == "constant":
        return alpha.repeat(n_steps, 1)
    steps = range(first_step, first_step + n_steps)
    times = steps if per == "step" else [(step - 1) // steps_per_epoch + 1 for step in steps]
    roots = torch.tensor([math.sqrt(t) for t in times], dtype=torch.float64)
    return alpha / roots[:, None]


def bias_correction(beta: Tensor, first_step: int, n_steps: int) -> Tensor:
    """1 - beta^t of some consecutive steps, as -expm1(t log(beta)), which loses no digits where beta^t is near 1.

    Args:
        beta: [K] float64, in [0, 1).
        first_step: t of the first row, from 1.
        n_steps: T, how many steps.

    Returns:
        [T, K] float64.

    Source: Kingma & Ba 2015, section 3.
    """
    logarithms = [math.log(value) if value > 0.0 else -math.inf for value in beta.tolist()]
    steps = range(first_step, first_step + n_steps)
    rows = [[-math.expm1(t * logarithm) for logarithm in logarithms] for t in steps]
    return torch.tensor(rows, dtype=torch.float64).reshape(n_steps, len(logarithms))
