"""What the training of an array reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Tick:
    """A sign of life: `step` of the epoch's `n_steps` updates are done (epoch 0: the metrics at initialisation)."""

    epoch: int
    step: int
    n_steps: int


@dataclass(frozen=True)
class LaneMetrics:
    """A lane's metrics at the end of an epoch: all None where it diverged, validation's where none is held out."""

    trial: int
    replicate: int
    train_loss: float | None = None  #: over the whole training set, with the L2 term; online the average regret so far
    validation_loss: float | None = None  #: data loss, as the test loss
    validation_error: float | None = None  #: share of the examples
    test_loss: float | None = None
    test_error: float | None = None
    diverged: bool = False  #: whether a figure was not finite; then the lane ends here
    diagnostics: Mapping[str, float] | None = None  #: the figures of `StepDiagnostics`, where they are asked for
    position: tuple[float, ...] | None = None  #: the parameters, where the workload has coordinates to store


@dataclass(frozen=True)
class EpochReport:
    """The metrics of all lanes at the end of an epoch (0: at initialisation)."""

    epoch: int
    steps: int  #: updates so far
    seconds: float  #: training time of this epoch, per lane
    lanes: tuple[LaneMetrics, ...]
