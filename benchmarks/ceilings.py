"""What the device can do at most: the peak of its matrix products and its copy bandwidth."""

from __future__ import annotations

from functools import partial

import torch

from benchmarks.machine import n_cores
from benchmarks.processes import Step, Way, measure

_SIDE = 2048  #: of the square matrices; large enough that a product is bound by arithmetic
_BYTES = 2**28  #: of the copied tensor; far more than a CPU's cache

_ROUNDS = 5
_SECONDS = 0.3


def measure_ceilings(device: torch.device) -> dict[str, float]:
    """GFLOP/s of float32 matrix products and GB/s of copies (read and written), the best of some rounds.

    Returns:
        By "product 2 x 1", "copy 1 x 2" ...: processes x threads.
    """
    cores = n_cores()
    ways = []
    for processes, threads in ((1, 1),) if device.type == "cuda" else ((1, 1), (1, cores), (cores, 1)):
        how = f"{processes} x {threads}"
        ways.append(Way(f"product {how}", processes, threads, partial(_product, device)))
        ways.append(Way(f"copy {how}", processes, threads, partial(_copy, device)))
    return {name: max(rates) / 1e9 for name, rates in measure(ways, _ROUNDS, _SECONDS).items()}


def _product(device: torch.device) -> Step:
    left, right = torch.randn(2, _SIDE, _SIDE, device=device)
    out = torch.empty(_SIDE, _SIDE, device=device)

    def step() -> float:
        torch.mm(left, right, out=out)
        return 2 * _SIDE**3

    return step


def _copy(device: torch.device) -> Step:
    source = torch.zeros(_BYTES // 4, device=device)
    target = torch.empty_like(source)

    def step() -> float:
        target.copy_(source)
        return 2 * _BYTES

    return step
