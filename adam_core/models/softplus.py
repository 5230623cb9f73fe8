"""Softplus and sigmoid, whose numbers do not depend on where they stand (those of torch's own functions do).

Compiled kernels serve float32 on a CPU; the plain torch beside them is made of exp and log1p, which keep to this too.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

try:
    from adam_core.kernels import softplus as kernels
except ImportError:  # without Numba
    kernels = None  # type: ignore[assignment]


def softplus(x: Tensor, values: Tensor) -> Tensor:
    """Write log(1 + exp(x)), and return its derivative, sigmoid(x), in the memory of x.

    Args:
        x: [b, n, units], contiguous.
        values: [b, n, units or more], contiguous, of which the first columns are written.
    """
    if _is_compiled(x):
        kernels.softplus(x.flatten(0, 1).numpy(), values.flatten(0, 1).numpy())
        return x
    e = torch.exp(-x.abs())
    torch.add(x.clamp_min(0), e.log1p(), out=values[..., : x.shape[2]])
    return x.copy_(_sigmoid(x, e))


def bernoulli_gradient(logits: Tensor, targets: Tensor) -> Tensor:
    """The gradient of the mean negative log-likelihood, (sigmoid(logits) - targets) / n, in the memory of the logits.

    Args:
        logits: [b, n, units], contiguous.
        targets: in [0, 1], [n, units], contiguous.
    """
    n = len(targets)
    if _is_compiled(logits):
        kernels.bernoulli_gradient(logits.numpy(), targets.numpy(), np.float32(n))
        return logits
    sigmoid = _sigmoid(logits, torch.exp(-logits.abs()))
    return logits.copy_(sigmoid).sub_(targets).div_(n)


def bernoulli_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """The negative log-likelihoods of targets in [0, 1], softplus(logit) - target * logit, in the logits' shape."""
    return torch.exp(-logits.abs()).log1p_().add_(logits.relu()).sub_(targets * logits)


def _is_compiled(x: Tensor) -> bool:
    return kernels is not None and x.device.type == "cpu" and x.dtype is torch.float32


def _sigmoid(x: Tensor, e: Tensor) -> Tensor:
    """sigmoid(x), given e = exp(-|x|)."""
    return torch.where(x < 0, e, 1.0).div_(1.0 + e)
