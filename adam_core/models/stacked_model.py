"""What a model of stacked lanes is.

A block holds b lanes of one seed, which share each batch and its noise. Where in a block's tensors the lane's axis
stands is the model's choice: last, where one wide product serves all lanes, or first, where the lanes take turns or a
batched product serves them. This layout is private to `adam_core`: public shapes lead with K.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: The stream of random numbers of a layer.
Draw = Callable[[int], np.random.Generator]

#: A batch as a model wants it, its noise included: tensors whose shapes depend on the number of examples alone (on a
#: GPU, where they are copied to where a CUDA graph reads them).
Batch = tuple[Tensor, ...]


class StackedModel(Protocol):
    """A model of which a block of lanes is trained together."""

    width: int  #: b, lanes in a block
    device: torch.device
    dtype: torch.dtype
    lanes_last: bool  #: whether a block's parameters are [*shape, b]; otherwise they are [b, *shape]

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each layer's parameters in one lane."""

    def initial(self, draw: Draw) -> tuple[NDArray[np.float64], ...]:
        """Each layer's parameters of one lane before step 1, from the layer's own stream of random numbers."""

    def prepare(self, examples: Any, draw: Draw, *, training: bool) -> Batch:
        """A batch with its noise, for all blocks of one seed.

        Args:
            examples: in the form that the model trains on (`DenseExamples` ...).
            draw: the streams of the noise (dropout masks, latent samples).
            training: whether the batch is trained on; without dropout if not, and of no use to `backward`.
        """

    def backward(self, theta: Sequence[Tensor], batch: Batch, update: Callable[[int, Tensor], None]) -> None:
        """Hand each layer's gradient to `update(layer, gradient)` as soon as it exists and theta is no longer read.

        The gradient is that of the sum over lanes of each lane's mean loss over the batch, L2 term included. It is
        contiguous, of the shape of the block's parameters, and valid only within the call.
        """

    def losses(self, theta: Sequence[Tensor], batch: Batch) -> Tensor:
        """Sums over the batch of each lane's data loss and of its errors: [2, b] float64."""

    def penalty(self, theta: Sequence[Tensor]) -> Tensor:
        """Each lane's L2 term of the loss: [b] float64."""
