# mypy: disable-error-code="import-not-found, import-untyped, no-untyped-call, no-untyped-def, untyped-decorator"
"""Adam and AdaMax compiled by Triton for a GPU.

The numbers are those of the rules' plain torch, bit for bit: division and square root are rounded correctly, and no
multiplication is fused with an addition.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from adam_core.kernels.layout import Layout

#: Elements of a program: two accesses of 16 bytes per thread and tensor in float32, all in flight before the first sum.
BLOCK_ELEMENTS = 1024
NUM_WARPS = 4

IN_MAX = tl.constexpr("in-max")
ADDED = tl.constexpr("added")


def adam_(layout: Layout, tensors: tuple[Tensor, ...], coefficients: Tensor, root: bool) -> None:
    """One step of Adam, in place, of (theta, grad, m, v)."""
    _launch(_adam, layout, tensors, coefficients, root)


def adamax_(layout: Layout, tensors: tuple[Tensor, ...], coefficients: Tensor, epsilon_mode: str) -> None:
    """One step of AdaMax, in place, of (theta, grad, m, u)."""
    _launch(_adamax, layout, tensors, coefficients, epsilon_mode)


def _launch(kernel: Any, layout: Layout, tensors: tuple[Tensor, ...], coefficients: Tensor, mode: bool | str) -> None:
    """Launch a kernel in tiles of whole rows or of parts of a row."""
    rows, columns, per_row = layout
    block_columns = min(triton.next_power_of_2(columns), BLOCK_ELEMENTS if per_row else 128)
    block_rows = min(triton.next_power_of_2(rows), BLOCK_ELEMENTS // block_columns)
    grid = (triton.cdiv(rows, block_rows) * triton.cdiv(columns, block_columns),)
    with torch.cuda.device_of(tensors[0]):
        kernel[grid](
            *tensors,
            coefficients.contiguous(),
            rows,
            columns,
            per_row,
            mode,
            block_rows,
            block_columns,
            num_warps=NUM_WARPS,
            enable_fp_fusion=False,
        )


@triton.jit
def _tile(rows, columns, per_row: tl.constexpr, block_rows: tl.constexpr, block_columns: tl.constexpr):
    """Offsets and mask of a program's elements and of their coefficients, and the length of a row of coefficients."""
    tile = tl.program_id(0).to(tl.int64)
    tiles_in_row = tl.cdiv(columns, block_columns)
    row = (tile // tiles_in_row) * block_rows + tl.arange(0, block_rows)[:, None]
    column = (tile % tiles_in_row) * block_columns + tl.arange(0, block_columns)[None, :]
    mask = (row < rows) & (column < columns)
    if per_row:
        return row * columns + column, mask, row, row < rows, rows
    else:
        return row * columns + column, mask, column, column < columns, columns


@triton.jit
def _divided(x, y):
    """The quotient x / y, rounded correctly."""
    return tl.div_rn(x, y) if x.dtype == tl.float32 else x / y


@triton.jit
def _root(x):
    """The square root, rounded correctly."""
    return tl.sqrt_rn(x) if x.dtype == tl.float32 else tl.sqrt(x)


@triton.jit
def _adam(
    theta,
    grad,
    m,
    v,
    coefficients,
    rows,
    columns,
    per_row: tl.constexpr,
    root: tl.constexpr,
    block_rows: tl.constexpr,
    block_columns: tl.constexpr,
):
    at, mask, place, served, n_places = _tile(rows, columns, per_row, block_rows, block_columns)
    g = tl.load(grad + at, mask, 0.0)
    m_t = tl.load(m + at, mask, 0.0)
    v_t = tl.load(v + at, mask, 0.0)
    theta_t = tl.load(theta + at, mask, 0.0)
    alpha_t = tl.load(coefficients + place, served, 1.0)
    epsilon_hat = tl.load(coefficients + n_places + place, served, 1.0)
    beta1 = tl.load(coefficients + 2 * n_places + place, served, 0.0)
    one_minus_beta1 = tl.load(coefficients + 3 * n_places + place, served, 0.0)
    beta2 = tl.load(coefficients + 4 * n_places + place, served, 0.0)
    one_minus_beta2 = tl.load(coefficients + 5 * n_places + place, served, 0.0)
    m_t = m_t * beta1 + g * one_minus_beta1
    v_t = v_t * beta2 + (g * one_minus_beta2) * g
    denominator = _root(v_t + epsilon_hat) if root else _root(v_t) + epsilon_hat
    theta_t -= _divided(m_t, _divided(denominator, alpha_t))
    tl.store(m + at, m_t, mask)
    tl.store(v + at, v_t, mask)
    tl.store(theta + at, theta_t, mask)


@triton.jit
def _adamax(
    theta,
    grad,
    m,
    u,
    coefficients,
    rows,
    columns,
    per_row: tl.constexpr,
    epsilon_mode: tl.constexpr,
    block_rows: tl.constexpr,
    block_columns: tl.constexpr,
):
    at, mask, place, served, n_places = _tile(rows, columns, per_row, block_rows, block_columns)
    g = tl.load(grad + at, mask, 0.0)
    m_t = tl.load(m + at, mask, 0.0)
    u_t = tl.load(u + at, mask, 0.0)
    theta_t = tl.load(theta + at, mask, 0.0)
    alpha_t = tl.load(coefficients + place, served, 1.0)
    beta1 = tl.load(coefficients + n_places + place, served, 0.0)
    one_minus_beta1 = tl.load(coefficients + 2 * n_places + place, served, 0.0)
    beta2 = tl.load(coefficients + 3 * n_places + place, served, 0.0)
    m_t = m_t * beta1 + g * one_minus_beta1
    decayed = u_t * beta2
    size = tl.abs(g)
    if epsilon_mode == IN_MAX:
        size += tl.load(coefficients + 4 * n_places + place, served, 0.0)
    u_t = tl.where((decayed >= size) | (decayed != decayed), decayed, size)  # NaN if either is, as torch.maximum
    if epsilon_mode == ADDED:
        denominator = u_t + tl.load(coefficients + 4 * n_places + place, served, 1.0)
    else:
        denominator = tl.where(u_t <= 0.0, float("inf"), u_t)
    theta_t -= _divided(m_t, _divided(denominator, alpha_t))
    tl.store(m + at, m_t, mask)
    tl.store(u + at, u_t, mask)
    tl.store(theta + at, theta_t, mask)
