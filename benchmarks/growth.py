"""How the cost of a trial array grows with its lanes: time per trial-step, memory, and taking lanes out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from benchmarks.ours import training
from benchmarks.processes import call, finish

_WARM_UP_STEPS = 2
_TIMED_SECONDS = 0.2

#: Where sizes end: by number, by the time that a step is expected to take, and by the share of the free memory.
_MOST_LANES = {"cpu": 1024, "cuda": 16384}
_LONGEST_STEP_SECONDS = 1.0
_MEMORY_SHARE = 0.5


@dataclass(frozen=True)
class Size:
    """An array of some lanes."""

    lanes: int
    width: int  #: of its blocks
    step_seconds: float  #: of a step of all lanes
    n_bytes: int  #: that the array and its training take


@dataclass(frozen=True)
class Removal:
    """Taking every second lane out of an array."""

    lanes: int  #: before
    seconds: float
    before_seconds: float  #: of a step
    after_seconds: float


def measure_growth(shape_name: str, width: int, folder: Path, device: torch.device) -> list[Size]:
    """Arrays of K = 1, 2, 4 ... lanes of one seed, each in a fresh process.

    Args:
        shape_name: of the workload.
        width: of blocks; arrays of fewer lanes are one block.
        folder: of the data.
        device: where to train.
    """
    sizes: list[Size] = []
    lanes, expected_bytes = 1, 0
    while lanes <= _MOST_LANES[device.type]:
        size = call(_measure_size, shape_name, min(width, lanes), lanes, expected_bytes, folder, device)
        if size is None:
            break
        sizes.append(size)
        if 2 * size.step_seconds > _LONGEST_STEP_SECONDS:
            break
        lanes, expected_bytes = 2 * lanes, 2 * size.n_bytes
    return sizes


def measure_removal(shape_name: str, width: int, n_lanes: int, folder: Path, device: torch.device) -> Removal:
    """Taking half of the lanes out of an array of one seed, in a fresh process."""
    return call(_measure_removal, shape_name, width, n_lanes, folder, device)


def _measure_size(
    shape_name: str, width: int, n_lanes: int, expected_bytes: int, folder: Path, device: torch.device
) -> Size | None:
    """The array of this size; None: it does not fit."""
    if expected_bytes > _MEMORY_SHARE * _free_bytes(device):
        return None
    before = _used_bytes(device)
    _, steps = training(shape_name, width, n_lanes, 1, folder, device)
    step_seconds = _step_seconds(steps)
    return Size(n_lanes, width, step_seconds, _used_bytes(device) - before)


def _measure_removal(shape_name: str, width: int, n_lanes: int, folder: Path, device: torch.device) -> Removal:
    array, steps = training(shape_name, width, n_lanes, 1, folder, device)
    before_seconds = _step_seconds(steps)
    started = time.perf_counter()
    array.remove(range(0, n_lanes, 2))
    finish()
    seconds = time.perf_counter() - started
    return Removal(n_lanes, seconds, before_seconds, _step_seconds(steps))


def _step_seconds(steps: Iterator[int]) -> float:
    """The median time of a step."""
    for _ in range(_WARM_UP_STEPS):
        next(steps)
    finish()
    timings: list[float] = []
    begun = time.perf_counter()
    while time.perf_counter() - begun < _TIMED_SECONDS:
        started = time.perf_counter()
        n_steps = next(steps)
        finish()
        timings.append((time.perf_counter() - started) / n_steps)
    return median(timings)


def _used_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    status = Path("/proc/self/status").read_text("ascii")
    return 1024 * int(status.partition("RssAnon:")[2].split()[0])


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
