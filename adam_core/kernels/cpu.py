# mypy: disable-error-code="call-arg, no-untyped-call"
# (The first argument of an intrinsic, the typing context, is Numba's to give.)
"""Adam and AdaMax compiled by Numba for the CPU.

The numbers are those of the rules' plain torch, bit for bit: no fast mathematics, and each operation rounds alone.
"""

from __future__ import annotations

from threading import Thread
from typing import Any

import numpy as np
import torch
from numba import njit, types
from numba.extending import intrinsic
from numba.np.numpy_support import carray
from torch import Tensor

from adam_core.kernels.compilation import compiled
from adam_core.kernels.layout import Layout

#: Elements of a pass, about: enough for vector code, few enough for their coefficients to stay in the fastest cache.
PASS_ELEMENTS = 1024

#: Elements that are worth a thread of their own.
THREAD_ELEMENTS = 2**18

#: Modes of AdaMax and, last, of Adam.
NONE, IN_MAX, ADDED, OUTSIDE, ROOT = range(5)
_EPSILON_MODES = {"none": NONE, "in-max": IN_MAX, "added": ADDED}

#: Tells Numba of which type the numbers at an address are.
_LIKE = {torch.float32: np.float32(0), torch.float64: np.float64(0)}


def adam_(layout: Layout, tensors: tuple[Tensor, ...], coefficients: Tensor, root: bool) -> None:
    """One step of Adam, in place, of (theta, grad, m, v)."""
    _run(_adam, ROOT if root else OUTSIDE, layout, tensors, coefficients)


def adamax_(layout: Layout, tensors: tuple[Tensor, ...], coefficients: Tensor, epsilon_mode: str) -> None:
    """One step of AdaMax, in place, of (theta, grad, m, u)."""
    _run(_adamax, _EPSILON_MODES[epsilon_mode], layout, tensors, coefficients)


def _run(kernel: Any, mode: int, layout: Layout, tensors: tuple[Tensor, ...], coefficients: Tensor) -> None:
    """Run a kernel over all elements, in as many threads as torch would."""
    theta, grad, first, second = tensors
    rows, columns, per_row = layout
    n = rows * columns
    coefficients = coefficients.contiguous()
    addresses = theta.data_ptr(), grad.data_ptr(), first.data_ptr(), second.data_ptr(), coefficients.data_ptr()
    arguments = (mode, _LIKE[theta.dtype], *addresses, len(coefficients), rows, columns, per_row)
    if n < 2 * THREAD_ELEMENTS or torch.get_num_threads() == 1:
        kernel(*arguments, 0, n)
    else:
        _run_in_threads(kernel, arguments, n, 1 if per_row else columns)


def _run_in_threads(kernel: Any, arguments: tuple[Any, ...], n: int, unit: int) -> None:
    """Run a kernel over n elements, in parts of whole units.

    Python's threads, since Numba's own end the process where it forks or where two threads call them at once.
    """
    n_parts = min(torch.get_num_threads(), n // THREAD_ELEMENTS)
    bounds = [n * part // n_parts // unit * unit for part in range(n_parts)] + [n]
    threads = [Thread(target=kernel, args=(*arguments, *bounds[part : part + 2])) for part in range(n_parts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@njit(error_model="numpy")
def _adam_scalars(c, i):  # type: ignore[no-untyped-def]
    return c[0, i], c[1, i], c[2, i], c[3, i], c[4, i], c[5, i]


@njit(error_model="numpy")
def _adam_step(mode, theta, g, m, v, scalars):  # type: ignore[no-untyped-def]
    """theta, m and v of one element after a step."""
    alpha_t, epsilon_hat, beta1, one_minus_beta1, beta2, one_minus_beta2 = scalars
    m = m * beta1 + g * one_minus_beta1
    v = v * beta2 + (g * one_minus_beta2) * g
    denominator = np.sqrt(v + epsilon_hat) if mode == ROOT else np.sqrt(v) + epsilon_hat
    return theta - m / (denominator / alpha_t), m, v


@njit(error_model="numpy")
def _adamax_scalars(c, i):  # type: ignore[no-untyped-def]
    return c[0, i], c[1, i], c[2, i], c[3, i], c[-1, i]  # epsilon is the last, and not read where there is none


@njit(error_model="numpy")
def _adamax_step(mode, theta, g, m, u, scalars):  # type: ignore[no-untyped-def]
    """theta, m and u of one element after a step."""
    alpha_t, beta1, one_minus_beta1, beta2, epsilon = scalars
    m = m * beta1 + g * one_minus_beta1
    decayed = u * beta2
    size = abs(g) + epsilon if mode == IN_MAX else abs(g)
    u = decayed if decayed >= size or decayed != decayed else size  # NaN if either is, as torch.maximum
    if mode == ADDED:
        denominator = u + epsilon
    else:
        denominator = type(u)(np.inf) if u <= type(u)(0) else u
    return theta - m / (denominator / alpha_t), m, u


@intrinsic
def _pointer(typing_context: Any, address: Any, start: Any, like: Any) -> Any:
    """A pointer to the element `start` of the numbers at this address."""
    pointer = types.CPointer(like)

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.gep(builder.inttoptr(arguments[0], context.get_value_type(pointer)), [arguments[1]])

    return pointer(address, start, like), lower


@njit(error_model="numpy")
def _array(address, start, shape, like):  # type: ignore[no-untyped-def]
    return carray(_pointer(address, start, like), shape)


@njit(error_model="numpy")
def _repeated(c, n):  # type: ignore[no-untyped-def]
    """The coefficients [C, columns] over and over, for a pass or for n elements: rows may be short."""
    n_coefficients, columns = c.shape
    if columns >= PASS_ELEMENTS:
        return c
    repeats = max(1, min(PASS_ELEMENTS, n) // columns)
    repeated = np.empty((n_coefficients, repeats * columns), c.dtype)
    for k in range(n_coefficients):
        for start in range(0, repeats * columns, columns):
            for i in range(columns):
                repeated[k, start + i] = c[k, i]
    return repeated


def _update_of(step: Any, scalars: Any) -> Any:
    """The update of many elements, of a rule's step of one."""

    @njit(error_model="numpy")
    def update_row(mode, like, theta, grad, first, second, start, n, c, row):  # type: ignore[no-untyped-def]
        theta, grad = _array(theta, start, n, like), _array(grad, start, n, like)
        first, second = _array(first, start, n, like), _array(second, start, n, like)
        same = scalars(c, row)
        for i in range(n):
            theta[i], first[i], second[i] = step(mode, theta[i], grad[i], first[i], second[i], same)

    @njit(error_model="numpy")
    def update_columns(mode, like, theta, grad, first, second, start, n, c):  # type: ignore[no-untyped-def]
        theta, grad = _array(theta, start, n, like), _array(grad, start, n, like)
        first, second = _array(first, start, n, like), _array(second, start, n, like)
        for i in range(n):
            theta[i], first[i], second[i] = step(mode, theta[i], grad[i], first[i], second[i], scalars(c, i))

    @njit(error_model="numpy")
    def update(mode, like, theta, grad, first, second, c, n_c, rows, columns, per_row, start, stop):  # type: ignore[no-untyped-def]
        """Elements start ... stop - 1 (whole rows, unless per_row) of rows x columns at these addresses."""
        if per_row:
            c = _array(c, 0, (n_c, rows), like)
            while start < stop:
                row = start // columns
                n = min(stop, (row + 1) * columns) - start
                update_row(mode, like, theta, grad, first, second, start, n, c, row)
                start += n
        else:
            c = _repeated(_array(c, 0, (n_c, columns), like), stop - start)
            while start < stop:
                n = min(stop - start, c.shape[1])
                update_columns(mode, like, theta, grad, first, second, start, n, c)
                start += n

    return update


_adam_update = _update_of(_adam_step, _adam_scalars)
_adamax_update = _update_of(_adamax_step, _adamax_scalars)


@compiled
def _adam(*arguments: Any) -> None:
    _adam_update(*arguments)


@compiled
def _adamax(*arguments: Any) -> None:
    _adamax_update(*arguments)
