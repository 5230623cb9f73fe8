"""Working memory of the update rules, allocated once: fresh memory for each update would cost more than its sums."""

from __future__ import annotations

import torch
from torch import Tensor


class Scratch:
    """One buffer per dtype and device that grows to the largest tensor updated so far."""

    def __init__(self) -> None:
        """Start without memory."""
        self._buffers: dict[tuple[torch.dtype, torch.device], Tensor] = {}

    def like(self, theta: Tensor) -> Tensor:
        """A tensor of theta's shape and strides, of undefined content, valid until the next call."""
        extent = 1 + sum((size - 1) * stride for size, stride in zip(theta.shape, theta.stride(), strict=True))
        key = (theta.dtype, theta.device)
        buffer = self._buffers.get(key)
        if buffer is None or buffer.numel() < extent:
            buffer = torch.empty(max(extent, 0), dtype=theta.dtype, device=theta.device)
            self._buffers[key] = buffer
        return buffer.as_strided(theta.shape, theta.stride())
