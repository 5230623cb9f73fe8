"""The objective of a trial: the aggregate of its replicates' curves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_CAP_FACTOR = 10.0  #: a replicate counts at most this many times its value at initialisation


@dataclass(frozen=True)
class Objective:
    """Mean and sample standard deviation (None for one seed) over the replicates of a trial."""

    mean: float
    std: float | None


def cap_of(first: float) -> float:
    """Return what a replicate counts at most, and a diverged one counts: ten times its value at initialisation.

    Of a value below 0, as a likelihood's logarithm may have, as far above it as ten times its size is above it; there
    is no cap where the value is 0 or not finite.
    """
    if not math.isfinite(first) or first == 0:
        return math.inf
    return _CAP_FACTOR * first if first > 0 else (2 - _CAP_FACTOR) * first


def loss_objective(curves: Sequence[Sequence[float | None]]) -> Objective:
    """Return the mean over replicates of min(last value, `cap_of` the value at initialisation).

    Args:
        curves: per replicate the values at epochs 0, 1, ...; None marks the epoch at which it diverged, and such a
            replicate counts as the cap.

    Returns:
        The mean and the sample standard deviation; infinite where the model diverges at its very initialisation.
    """
    values = []
    for curve in curves:
        first, last = curve[0], curve[-1]
        cap = math.inf if first is None else cap_of(first)
        values.append(cap if last is None else min(last, cap))
    return _aggregate(values)


def target_objective(curves: Sequence[Sequence[float | None]], target: float, epochs: int) -> Objective:
    """Return the mean over replicates of the first epoch at which the curve is at or below the target.

    A miss counts as twice the epochs of the study: a number for the sampler, which the analysis treats as censored.
    """
    values = []
    for curve in curves:
        hits = (epoch for epoch, value in enumerate(curve) if value is not None and value <= target)
        values.append(float(next(hits, 2 * epochs)))
    return _aggregate(values)


def objective(
    name: Literal["train_loss", "validation_loss", "validation_error", "epochs_to_target"],
    curves: Sequence[Sequence[float | None]],
    target: float | None,
    epochs: int,
) -> Objective:
    """Return the objective of this name from the replicates' curves of `objective_column(name)`."""
    if name == "epochs_to_target":
        assert target is not None, "a spec with this objective has a target"
        return target_objective(curves, target, epochs)
    return loss_objective(curves)


def objective_column(name: str) -> str:
    """Return the metric whose curve the objective is made from."""
    return "train_loss" if name == "epochs_to_target" else name


def _aggregate(values: Sequence[float]) -> Objective:
    mean = math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.inf
    if len(values) < 2 or not math.isfinite(mean):
        return Objective(mean, None)
    return Objective(mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)))
