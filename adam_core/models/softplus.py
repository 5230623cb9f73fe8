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


def softplus_(x: Tensor) -> Tensor:
    """Replace x, contiguous, by softplus(x) = log(1 + exp(x)), and return the derivative sigmoid(x)."""
    if _is_compiled(x):
        slope = torch.empty_like(x)
        kernels.softplus(x.view(-1).numpy(), slope.view(-1).numpy())
        return slope
    e = torch.exp(-x.abs())
    slope = _sigmoid(x, e)
    x.relu_().add_(e.log1p_())
    return slope


def bernoulli_gradient_(logits: Tensor, targets: Tensor) -> None:
    """Replace logits by the gradient of their mean negative log-likelihood: (sigmoid(logits) - targets) / n.

    Args:
        logits: [b, n, units], contiguous.
        targets: in [0, 1], [n, units], contiguous.
    """
    n = len(targets)
    if _is_compiled(logits):
        kernels.bernoulli_gradient(logits.flatten(1).numpy(), targets.view(-1).numpy(), np.float32(n))
        return
    logits.copy_(_sigmoid(logits, torch.exp(-logits.abs()))).sub_(targets).div_(n)


def bernoulli_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """The negative log-likelihoods of targets in [0, 1], softplus(logit) - target * logit, in the logits' shape."""
    return torch.exp(-logits.abs()).log1p_().add_(logits.relu()).sub_(targets * logits)


def _is_compiled(x: Tensor) -> bool:
    return kernels is not None and x.device.type == "cpu" and x.dtype is torch.float32


def _sigmoid(x: Tensor, e: Tensor) -> Tensor:
    """sigmoid(x), given e = exp(-|x|)."""
    return torch.where(x < 0, e, 1.0).div_(1.0 + e)
