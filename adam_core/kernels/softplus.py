"""Compiled softplus and sigmoid in float32, for the CPU.

Every number is computed by the same sequence of operations, each rounded alone, in vector code and in its tail: unlike
torch's, results do not depend on where a number stands. They are within 4 units in the last place of the true ones
(exp(x) is 2e-38 where x < -87).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from adam_core.kernels.compilation import compiled

_f = np.float32  # a Python float would make Numba compute in float64
_ZERO, _ONE, _TWO = _f(0), _f(1), _f(2)

#: exp below this is no normal number any more.
_LOWEST = _f(-87)

#: Added to and subtracted from a number, it leaves the next integer, which stands in the last bits of the sum.
_ROUND = _f(1.5 * 2**23)

#: log 2 in two parts, the first so short that its products with integers are exact.
_LOG2_HIGH, _LOG2_LOW = _f(0.693359375), _f(-2.12194440e-4)
_PER_LOG2 = _f(1.44269504)

#: exp(r) = 1 + r + r² (_E0 + _E1 r + ...) for |r| <= log(2)/2: the coefficients of Cephes' expf.
_E0, _E1, _E2 = _f(5.0000001201e-1), _f(1.6666665459e-1), _f(4.1665795894e-2)
_E3, _E4, _E5 = _f(8.3334519073e-3), _f(1.3981999507e-3), _f(1.9875691500e-4)

#: 2 atanh(s) = 2 s + 2/3 s³ + 2/5 s⁵ + ...
_A3, _A5, _A7, _A9, _A11, _A13 = (_f(2 / power) for power in (3, 5, 7, 9, 11, 13))

_MANTISSA_BITS, _EXPONENT_OF_ONE = np.int32(23), np.int32(127 << 23)


@compiled
def softplus(x: Any, values: Any) -> None:
    """Write log(1 + exp(x)) to the first columns of `values`, and replace x by the derivative.

    Args:
        x: [rows, units].
        values: [rows, units or more].
    """
    for row in range(x.shape[0]):
        for i in range(x.shape[1]):
            x_i = x[row, i]
            e = _exp(-abs(x_i))
            s = e / (_TWO + e)  # log(1 + e) = 2 atanh(s), s <= 1/3
            t = s * s
            log1p = ((((((_A13 * t + _A11) * t + _A9) * t + _A7) * t + _A5) * t + _A3) * t + _TWO) * s
            values[row, i] = log1p if x_i <= _ZERO else x_i + log1p
            x[row, i] = _sigmoid(x_i, e)


@compiled
def bernoulli_gradient(logits: Any, targets: Any, n: Any) -> None:
    """Replace logits by (sigmoid(logits) - targets) / n.

    Args:
        logits: [b, n, units].
        targets: [n, units].
        n: in float32.
    """
    for lane in range(logits.shape[0]):
        for row in range(logits.shape[1]):
            for i in range(logits.shape[2]):
                logit = logits[lane, row, i]
                logits[lane, row, i] = (_sigmoid(logit, _exp(-abs(logit))) - targets[row, i]) / n


@njit(inline="always", error_model="numpy")
def _exp(x):  # type: ignore[no-untyped-def]
    """exp(x) = 2^k exp(r) for x <= 0, NaN for NaN."""
    x = _LOWEST if x < _LOWEST else x
    rounded = x * _PER_LOG2 + _ROUND
    k = rounded - _ROUND
    r = (x - k * _LOG2_HIGH) - k * _LOG2_LOW
    polynomial = ((((_E5 * r + _E4) * r + _E3) * r + _E2) * r + _E1) * r + _E0
    bits = (np.float32(rounded).view(np.int32) << _MANTISSA_BITS) + _EXPONENT_OF_ONE
    return (polynomial * (r * r) + r + _ONE) * np.int32(bits).view(np.float32)


@njit(inline="always", error_model="numpy")
def _sigmoid(x, e):  # type: ignore[no-untyped-def]
    """1 / (1 + exp(-x)), given e = exp(-|x|)."""
    return (e if x < _ZERO else _ONE) / (_ONE + e)
