"""Dropout: which units are kept, drawn once for all lanes of a seed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_LEVELS = 256  #: a random byte decides for each unit


class Dropout:
    """Dropout of a share of the units, the kept ones scaled by 1 / (1 - rate), so that evaluation needs no scaling.

    Args:
        rate: the probability that a unit is dropped, in [0, 1), a multiple of 1/256.

    Raises:
        ValueError: another rate.

    Source: Srivastava et al. 2014, section 10 (scaled during training).
    """

    def __init__(self, rate: float) -> None:
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"dropout must be in [0, 1), got {rate}")
        self.rate = rate
        self._first_kept = min(round(rate * _LEVELS), _LEVELS - 1)
        if self._first_kept != rate * _LEVELS:
            raise ValueError(
                f"dropout must be a multiple of 1/256, got {rate}; the nearest is {self._first_kept / _LEVELS}"
            )

    def mask(
        self, random: np.random.Generator, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype
    ) -> Tensor:
        """What to multiply units by: 0 or 1 / (1 - rate).

        Args:
            random: a stream that nothing else draws from, of a bit generator of 64-bit words.
            shape: of the mask.
            device: where it is wanted.
            dtype: of the units.
        """
        size = int(np.prod(shape))
        words = random.bit_generator.random_raw(-(-size // 8))
        levels = torch.from_numpy(words.view(np.uint8)[:size]).to(device)
        mask = torch.empty(shape, dtype=dtype, device=device)
        return torch.ge(levels.view(shape), self._first_kept, out=mask).mul_(1.0 / (1.0 - self.rate))
