"""The name of the machine that was measured on."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

import torch


def n_cores() -> int:
    """Cores of the CPU that this process may use."""
    return len(os.sched_getaffinity(0))


def describe(device: torch.device) -> dict[str, str]:
    """Processor, memory, GPU and versions."""
    gigabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    described = {
        "CPU": f"{_cpu_name()}, {n_cores()} cores, {gigabytes:.0f} GiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}",
        "libraries": ", ".join(_version(package) for package in ("torch", "numpy", "numba", "triton")),
    }
    if device.type == "cuda":
        described["GPU"] = f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"
    return described


def _cpu_name() -> str:
    """The processor's name with its family and model, since a virtual machine may tell little by the name."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
    name = facts.get("model name", platform.processor())
    return f"{name} (family {facts['cpu family']}, model {facts['model']})" if "cpu family" in facts else name


def _version(package: str) -> str:
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return f"no {package}"
