"""The device that a worker trains on, what it is called, and how many lanes it takes at once."""

from __future__ import annotations

import os

import torch

from studies.errors import InputError
from worker.workloads.registry import build_model

#: Tensors of a lane's parameters: parameters, two of state, one of each moved copy when lanes are packed anew.
_COPIES = 6

#: Share of the free memory that an array may take, beside data and work space.
_MEMORY_SHARE = 0.5


def choose_device(setting: str) -> torch.device:
    """The device of a worker.

    Args:
        setting: any (a GPU where there is one), gpu or cpu.

    Raises:
        InputError: the setting is none of these, or asks for a GPU where torch finds none.
    """
    if setting not in ("any", "gpu", "cpu"):
        raise InputError(f"ADAM_STUDIES_DEVICE must be one of any, gpu, cpu, got {setting!r}")
    if setting == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if setting == "gpu":
        raise InputError("ADAM_STUDIES_DEVICE is gpu, but torch finds no CUDA device; allowed here are any and cpu")
    return torch.device("cpu")


def device_kind(device: torch.device) -> str:
    """What bit-identity holds within: cpu, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def use_one_thread() -> None:
    """Compute on one thread of the CPU: faster for many processes, and sums then never depend on the thread count."""
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)


def is_short_of_memory(error: BaseException) -> bool:
    """Whether the device or the host had no memory left, which says nothing of what was trained."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)  # torch's words of a CPU


def lanes_in_memory(workload: str, device: torch.device) -> int:
    """The number of lanes of this workload that fit into the memory that is free.

    On a CPU, whose memory several workers share, into a core's part of it.

    Raises:
        NotFoundError: no workload has this name.
    """
    model = build_model(workload, 1, torch.device("cpu"), torch.float32)
    n_parameters = sum(torch.Size(shape).numel() for shape in model.shapes)
    if device.type == "cuda":
        free_bytes, _ = torch.cuda.mem_get_info(device)
    else:
        free_bytes = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // (os.cpu_count() or 1)
    return int(free_bytes * _MEMORY_SHARE) // (n_parameters * _COPIES * torch.float32.itemsize)
