"""The square root that IEEE 754 defines."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def square_root(values: Tensor, out: Tensor) -> Tensor:
    """The square roots, each rounded correctly, written to `out`, which may be `values`.

    On a CPU torch may leave them to Intel's MKL, whose last digit is wrong for one float32 in five and is another one
    on another machine; NumPy takes the processor's instruction.
    """
    if values.device.type == "cpu":
        np.sqrt(values.numpy(), out=out.numpy())
        return out
    return torch.sqrt(values, out=out)
