"""How the kernels for the CPU are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import config, njit

if config.DISABLE_JIT:  # type: ignore[attr-defined]
    raise ImportError("Numba's compiler is switched off by NUMBA_DISABLE_JIT")


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call of each process, each operation rounding alone.

    The code is not kept on disk: inner functions of two kernels may have the same symbol in two processes, and a
    process that compiles one kernel and loads the other then runs the one in place of the other, without a word.
    """
    kernel: Callable[..., Any] = njit(nogil=True, error_model="numpy")(function)
    return kernel
