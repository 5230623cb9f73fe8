"""Data sets, parts of them and batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor


class Examples(Protocol):
    """Examples on a device: a data set, a part of it or a batch."""

    def __len__(self) -> int:
        """n, the number of examples."""

    @property
    def device(self) -> torch.device:
        """Where they lie, and so where they are trained on."""

    @property
    def dtype(self) -> torch.dtype:
        """Of the inputs, and so of the parameters."""

    def part(self, start: int, stop: int) -> Self:
        """The examples start ... stop - 1, or up to the last one, not copied."""

    def gather(self, rows: Tensor) -> Self:
        """Copies of the examples of these indices, [n] int64 on the device."""


@dataclass(frozen=True)
class DenseExamples:
    """Inputs [n, ...] in the model's dtype and labels [n] int64 (a module's loss may want others, [n, ...])."""

    inputs: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """n, the number of examples."""
        return self.labels.shape[0]

    @property
    def device(self) -> torch.device:
        """Where they lie."""
        return self.inputs.device

    @property
    def dtype(self) -> torch.dtype:
        """Of the inputs."""
        return self.inputs.dtype

    def part(self, start: int, stop: int) -> DenseExamples:
        """The examples start ... stop - 1, or up to the last one, not copied."""
        return DenseExamples(self.inputs[start:stop], self.labels[start:stop])

    def gather(self, rows: Tensor) -> DenseExamples:
        """Copies of the examples of these indices."""
        return DenseExamples(self.inputs.index_select(0, rows), self.labels.index_select(0, rows))
