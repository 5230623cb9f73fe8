"""The machine: versions, GPU, disk and data sets."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from studies.data_status import data_status
from studies.doctor.finding import Finding, ok, problem, warning
from studies.settings import Settings

_PACKAGES = ("adam-studies", "optuna", "celery", "redis", "sqlalchemy", "streamlit", "torch", "numba")
_OPTIONAL = {"streamlit": "the dashboard", "torch": "training", "numba": "fast updates"}
_LEAST_FREE_BYTES = 2**30
_GIGABYTE = 2**30


def examine_machine(settings: Settings) -> Iterator[Finding]:
    """Look at what the other parts stand on."""
    yield from _versions()
    yield _gpu()
    yield _folder("home", settings.home, "ADAM_STUDIES_HOME")
    yield _folder("checkpoints", settings.checkpoint_dir, "ADAM_STUDIES_CHECKPOINTS")
    yield from _data_sets(settings)


def _versions() -> Iterator[Finding]:
    found, missing = [f"Python {platform.python_version()}"], []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    yield ok("versions", ", ".join(found))
    for package in missing:
        purpose = _OPTIONAL.get(package, "everything")
        extra = "dashboard" if package == "streamlit" else "worker"
        yield warning(
            "versions", f"{package} is not installed here: no {purpose}", f"pip install 'adam-studies[{extra}]'"
        )


def _gpu() -> Finding:
    """Look at what the driver says, without torch: the command's process never loads it."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return ok("GPU", "none: no NVIDIA driver on this machine, studies train on the CPU")
    query = [command, "--query-gpu=name,driver_version,memory.free,memory.total", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return problem("GPU", f"nvidia-smi does not answer: {error}", "reinstall or restart the NVIDIA driver")
    return ok("GPU", "; ".join(answer.stdout.strip().splitlines()) + " (name, driver, memory free, in all)")


def _folder(about: str, path: Path, setting: str) -> Finding:
    existing = next(folder for folder in (path, *path.parents) if os.path.exists(folder))
    if not os.access(existing, os.W_OK | os.X_OK):
        return problem(about, f"{path} cannot be written", f"let this user write there, or set {setting}")
    free_bytes = shutil.disk_usage(existing).free
    told = f"{path}, {free_bytes / _GIGABYTE:.1f} GiB free"
    if free_bytes < _LEAST_FREE_BYTES:
        return problem(about, told, f"free some disk space, or set {setting} to another disk")
    return ok(about, told)


def _data_sets(settings: Settings) -> Iterator[Finding]:
    for dataset in data_status(settings):
        about, used_by = f"data {dataset.name}", f"needed by {', '.join(dataset.workloads)}"
        if dataset.state in ("present", "built in"):
            yield ok(about, f"{dataset.state}; {used_by}")
        else:
            mend = f"adam-studies data fetch {dataset.name}, or set ADAM_STUDIES_DATA to the folder that has it"
            found = problem if dataset.state == "corrupt" else warning
            yield found(about, f"{dataset.state} in {dataset.folder}; {used_by}", mend)
