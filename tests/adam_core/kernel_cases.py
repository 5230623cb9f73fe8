"""Steps of the compiled updates beside the rules' plain torch, and tensors that every branch of them meets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from adam_core import make_rule

#: Optimizer, epsilon_mode and the number of coefficients.
MODES = [
    ("adam", "outside", 6),
    ("adam", "root", 6),
    ("adamax", "none", 4),
    ("adamax", "in-max", 5),
    ("adamax", "added", 5),
]
DTYPES = [torch.float32, torch.float64]

#: Rows and columns: tails, single rows and columns, a pass that is repeated, one that is longer than a pass.
SHAPES = [(1, 1), (7, 1), (1, 7), (3, 77), (33, 16), (5, 160), (2, 1030), (1, 3001), (70, 3)]

EXTREMES = [0.0, -0.0, 1.0, -1e-45, 1e-30, 3e38, float("inf"), float("-inf"), float("nan")]


def random(*shape: int, seed: int, dtype: torch.dtype) -> Tensor:
    """Numbers of magnitudes from 1e-8 to 1e2, some of them extreme."""
    generator = torch.Generator().manual_seed(seed)
    exponents = torch.rand(*shape, generator=generator, dtype=torch.float64) * 10 - 8
    numbers = torch.randn(*shape, generator=generator, dtype=torch.float64) * 10**exponents
    chosen = torch.randint(0, 40, shape, generator=generator)
    for index, extreme in enumerate(EXTREMES):
        numbers[chosen == index] = extreme
    return numbers.to(dtype)


def tensors_of(*shape: int, dtype: torch.dtype, seed: int = 1) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Parameters, gradient, first moment, and second moment (not negative)."""
    theta, grad, first, second = (random(*shape, seed=seed + index, dtype=dtype) for index in range(4))
    return theta, grad, first, second.abs()


def coefficients_of(*shape: int, dtype: torch.dtype) -> Tensor:
    """Coefficients in (0, 1), the first (alpha) of some lanes 0."""
    generator = torch.Generator().manual_seed(9)
    coefficients = torch.rand(*shape, generator=generator, dtype=torch.float64)
    coefficients[0].view(-1)[::5] = 0.0
    return coefficients.to(dtype)


def plain_update_(optimizer: str, mode: str, tensors: tuple[Tensor, ...], coefficients: Tensor) -> None:
    """The rule's step without compiled kernels."""
    theta, grad, *state = tensors
    lane = {name: torch.tensor([0.5], dtype=torch.float64) for name in ("beta1", "beta2", "epsilon")}
    rule = make_rule(optimizer, lane, epsilon_mode=mode)
    with mock.patch(f"adam_core.kernels.{optimizer}_", return_value=False) as kernel:
        rule.update_(theta, grad, tuple(state), coefficients)
    kernel.assert_called_once()


def mode_argument(optimizer: str, mode: str) -> Any:
    """What the kernels take for the mode."""
    return mode == "root" if optimizer == "adam" else mode


def arrays(dtype: torch.dtype) -> Iterator[tuple[str, str, tuple[Tensor, ...], Tensor]]:
    """Every mode with every shape of [R, W], its coefficients by row, by column and, as one lane, for all elements."""
    for optimizer, mode, n_coefficients in MODES:
        for rows, columns in SHAPES:
            for shape in ((n_coefficients, rows, 1), (n_coefficients, 1, columns), (n_coefficients,)):
                yield optimizer, mode, tensors_of(rows, columns, dtype=dtype), coefficients_of(*shape, dtype=dtype)


def assert_same_bits(actual: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> None:
    """The same bits, or NaN in both."""
    for left, right in zip(actual, expected, strict=True):
        bits = torch.int32 if left.dtype == torch.float32 else torch.int64
        same = (left.contiguous().view(bits) == right.contiguous().view(bits)) | (left.isnan() & right.isnan())
        assert same.all(), f"{int((~same).sum())} of {same.numel()} differ: {left[~same][:3]} {right[~same][:3]}"
