"""How the kernels for the CPU are compiled."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from numba import config, njit

if config.DISABLE_JIT:  # type: ignore[attr-defined]
    raise ImportError("Numba's compiler is switched off by NUMBA_DISABLE_JIT")


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call, each operation rounding alone; keep the code on disk where a folder can be written."""
    dispatcher = njit(nogil=True, error_model="numpy")(function)
    with contextlib.suppress(RuntimeError):  # no such folder
        dispatcher.enable_caching()
    return dispatcher
