"""Which memory layouts the compiled updates serve."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

_DTYPES = (torch.float32, torch.float64)


class Layout(NamedTuple):
    """Contiguous rows; an element's coefficients are those of its row, [C, rows], or of its column, [C, columns]."""

    rows: int
    columns: int
    per_row: bool


def layout_of(theta: Tensor, grad: Tensor, first: Tensor, second: Tensor, coefficients: Tensor) -> Layout | None:
    """How an update runs through memory; None where plain torch must go on.

    Args:
        theta: [R, W] contiguous, or, for one lane, of any shape in any dense memory layout.
        grad: gradient, of theta's memory layout.
        first: first tensor of the state, of theta's memory layout.
        second: second tensor of the state, of theta's memory layout.
        coefficients: [C, 1, W] or [C, R, 1], or [C] for one lane.
    """
    shape, dtype, device = theta.shape, theta.dtype, theta.device
    if dtype not in _DTYPES or coefficients.dtype != dtype or coefficients.device != device or grad.is_neg():
        return None
    for tensor in (grad, first, second):
        if tensor.shape != shape or tensor.dtype != dtype or tensor.device != device:
            return None
    contiguous = theta.is_contiguous() and grad.is_contiguous() and first.is_contiguous() and second.is_contiguous()
    n = theta.numel()
    if coefficients.dim() == 1 and n > 0:
        return Layout(1, n, True) if contiguous or _same_dense_strides(theta, grad, first, second) else None
    if coefficients.dim() == 3 and theta.dim() == 2 and contiguous and n > 0:
        rows, columns = shape
        if coefficients.shape[1:] == (1, columns):
            return Layout(rows, columns, False)
        if coefficients.shape[1:] == (rows, 1):
            return Layout(rows, columns, True)
    return None


def _same_dense_strides(theta: Tensor, *others: Tensor) -> bool:
    """Whether all have theta's strides, and these leave no gaps and let no elements overlap (channels last ...)."""
    strides = theta.stride()
    extent = 1
    for stride, size in sorted(zip(strides, theta.shape, strict=True)):
        if size > 1 and stride != extent:
            return False
        extent *= size
    return all(other.stride() == strides for other in others)
