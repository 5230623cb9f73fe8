"""A function of two parameters as a model, with gradients that may be sparse or noisy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adam_core.models.stacked_model import Batch, Draw


class SurfaceModel:
    """Minimises value(x, y); the one layer is [2, 1], the lane's axis last, and examples are not looked at.

    An update sees gradient * factor + shift, with two factors and two shifts that all lanes of a seed share: a factor
    is 1/keep with probability `keep`, else 0, so that the gradient is right on average; a shift is normal.

    Args:
        value: the function of x and y, elementwise.
        gradient: its partial derivatives.
        start: x and y before step 1 on average.
        jitter: standard deviation of x and y before step 1.
        keep: probability with which an update sees a partial derivative.
        noise: standard deviation of what is added to each.
        width: b, lanes in a block.
        device: where blocks lie.
        dtype: of the parameters.
    """

    lanes_last = True
    shapes = ((2, 1),)

    def __init__(
        self,
        value: Callable[[Tensor, Tensor], Tensor],
        gradient: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
        *,
        start: tuple[float, float],
        jitter: float,
        keep: float,
        noise: float,
        width: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._value, self._gradient = value, gradient
        self._start, self._jitter = start, jitter
        self._keep, self._noise = keep, noise
        self.width = width
        self.device = device
        self.dtype = dtype
        self._exact = (self._tensor(np.ones(2)), self._tensor(np.zeros(2)))
        self._grad = torch.empty(2, 1, width, dtype=dtype, device=device)
        self._zeros = torch.zeros(width, dtype=torch.float64, device=device)

    def initial(self, draw: Draw) -> tuple[NDArray[np.float64], ...]:
        """The parameters of one lane before step 1: ([2, 1],)."""
        return (np.array(self._start)[:, None] + self._jitter * draw(0).standard_normal((2, 1)),)

    def prepare(self, examples: Any, draw: Draw, *, training: bool) -> Batch:
        """The factors and the shifts, [2, 1, 1] each: 1 and 0 unless it is trained on."""
        if not training or (self._keep == 1.0 and self._noise == 0.0):
            return self._exact
        stream = draw(0)
        factors = (stream.random(2) < self._keep) / self._keep
        return self._tensor(factors), self._tensor(self._noise * stream.standard_normal(2))

    def backward(self, theta: Sequence[Tensor], batch: Batch, update: Callable[[int, Tensor], None]) -> None:
        """Hand the gradient [2, 1, b] to `update(0, gradient)`."""
        factors, shifts = batch
        torch.stack(self._gradient(*theta[0].unbind()), out=self._grad)
        update(0, self._grad.mul_(factors).add_(shifts))

    def losses(self, theta: Sequence[Tensor], batch: Batch) -> Tensor:
        """Each lane's value, without noise and computed in float64, and no errors: [2, b]."""
        x, y = theta[0].double().unbind()
        return torch.stack([self._value(x, y)[0], self._zeros])

    def penalty(self, theta: Sequence[Tensor]) -> Tensor:
        """None: [b] zeros."""
        return self._zeros

    def _tensor(self, values: NDArray[np.float64]) -> Tensor:
        return torch.tensor(values, dtype=self.dtype, device=self.device)[:, None, None]
