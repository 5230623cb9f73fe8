"""Compiled updates of Adam and AdaMax: Numba on a CPU, Triton on a GPU.

They give the numbers of the plain torch in `adam_core.rules`, bit for bit, and where they do not serve it goes on.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib import import_module
from types import ModuleType

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from adam_core.kernels.layout import Layout, layout_of

__all__ = ["adam_", "adamax_"]

_log = logging.getLogger(__name__)


def adam_(theta: Tensor, grad: Tensor, m: Tensor, v: Tensor, coefficients: Tensor, root: bool) -> bool:
    """One step of Adam, in place, of theta, m and v, if a compiled kernel serves.

    Args:
        theta: parameters, without autograd (call under `torch.no_grad`).
        grad: gradient; it is only read.
        m: first moment.
        v: second raw moment.
        coefficients: alpha_t, epsilon_hat, beta1, 1 - beta1, beta2, 1 - beta2: [6, 1, W] or [6, R, 1] for theta
            [R, W], or [6] for one lane.
        root: whether the denominator is sqrt(v + epsilon_hat) and not sqrt(v) + epsilon_hat.

    Returns:
        Whether the step is done: False (nothing is changed) for other layouts, dtypes and devices than the kernels',
        and where Numba or Triton is missing.

    Source: Kingma & Ba 2015, Algorithm 1.
    """
    layout = layout_of(theta, grad, m, v, coefficients)
    kernels = layout and _kernels(theta.device.type)
    if not kernels:
        return False
    kernels.adam_(layout, (theta, grad, m, v), coefficients, root)
    _tell_autograd(theta)
    return True


def adamax_(theta: Tensor, grad: Tensor, m: Tensor, u: Tensor, coefficients: Tensor, epsilon_mode: str) -> bool:
    """One step of AdaMax, in place, of theta, m and u, if a compiled kernel serves.

    Args:
        theta: parameters, without autograd (call under `torch.no_grad`).
        grad: gradient; it is only read.
        m: first moment.
        u: exponentially weighted infinity norm.
        coefficients: alpha_t, beta1, 1 - beta1, beta2 and, unless the mode is "none", epsilon, in the shapes that
            `adam_` takes.
        epsilon_mode: "none", "in-max" or "added".

    Returns:
        Whether the step is done, as `adam_` says.

    Source: Kingma & Ba 2015, Algorithm 2.
    """
    layout = layout_of(theta, grad, m, u, coefficients)
    kernels = layout and _kernels(theta.device.type)
    if not kernels:
        return False
    kernels.adamax_(layout, (theta, grad, m, u), coefficients, epsilon_mode)
    _tell_autograd(theta)
    return True


@cache
def _kernels(device_type: str) -> ModuleType | None:
    """The kernels for a device, imported when its first tensor comes."""
    if device_type not in ("cpu", "cuda"):
        return None
    try:
        kernels = import_module(f"adam_core.kernels.{device_type}")
    except ImportError:  # no Numba or no Triton
        return None
    return kernels if device_type == "cpu" or _launches(kernels, device_type) else None


def _launches(kernels: ModuleType, device_type: str) -> bool:
    """Whether a first launch works: Triton needs a C compiler for it, which a user's machine may not have."""
    tensors = tuple(torch.zeros(1, 1, device=device_type) for _ in range(4))
    try:
        kernels.adam_(Layout(1, 1, per_row=False), tensors, torch.ones(6, 1, 1, device=device_type), False)
    except Exception as error:  # whatever a toolchain raises
        _log.warning("Updates run in plain PyTorch, since a Triton kernel cannot be launched: %s", error)
        return False
    return True


def _tell_autograd(theta: Tensor) -> None:
    """Let a backward pass that still needs the old theta fail, as after torch's own updates in place."""
    if theta.requires_grad:
        increment_version(theta)
