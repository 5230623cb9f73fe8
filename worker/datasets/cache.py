"""Arrays that are made once, kept as .npy files and mapped into the memory of all processes that read them.

One process at a time builds, in a folder beside the final one, which then takes its name in one step: whoever is killed
leaves nothing that could be taken for whole. The lock ends with its holder.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies.errors import DataError

Arrays = Mapping[str, NDArray[Any]]

_INDEX = "arrays.json"  #: name -> shape, dtype and bytes of the file

_NOT_WHOLE = (OSError, ValueError, EOFError)  #: what loading raises where a file is missing or damaged

_log = logging.getLogger(__name__)


def kept_arrays(folder: Path, make: Callable[[], Arrays]) -> Arrays:
    """The arrays of this folder, made if they are not there or are damaged.

    Args:
        folder: theirs alone; its name tells what they were made from, and by which version of `make`.
        make: makes them.

    Returns:
        by name; mapped into memory, so that processes share the pages that none of them writes to.

    Raises:
        DataError: they cannot be written.
    """
    try:
        return _load(folder)
    except _NOT_WHOLE:
        pass
    with _told(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_name(f"{folder.name}.lock").open("w")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return _load(folder)  # another process was faster
        except _NOT_WHOLE:
            _log.info("preparing %s, once", folder)
        arrays = make()
        with _told(folder):
            _write(folder, arrays)
            return _load(folder)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"the prepared data set {folder} cannot be kept: {error.strerror or error}; ADAM_STUDIES_HOME names a "
            "folder that can be written and has room"
        ) from None


def _load(folder: Path) -> Arrays:
    """Map the arrays into memory; one of `_NOT_WHOLE` is raised where they are not there or damaged."""
    index = json.loads((folder / _INDEX).read_text("utf-8"))
    arrays = {}
    for name, told in index.items():
        path = folder / f"{name}.npy"
        # A private mapping: torch wants memory that can be written, and what is written stays in the process.
        array: NDArray[Any] = np.load(path, mmap_mode="c")
        if told != _description(array, path):
            raise ValueError(f"{path} is not what was written")
        arrays[name] = array
    return arrays


def _description(array: NDArray[Any], path: Path) -> dict[str, Any]:
    return {"shape": list(array.shape), "dtype": array.dtype.str, "bytes": path.stat().st_size}


def _write(folder: Path, arrays: Arrays) -> None:
    building = folder.with_name(f"{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)  # left by a builder that was killed
    building.mkdir()
    try:
        index = {}
        for name, array in arrays.items():
            path = building / f"{name}.npy"
            _write_array(path, np.ascontiguousarray(array))
            index[name] = _description(array, path)
        (building / _INDEX).write_text(json.dumps(index, indent=1), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # damaged
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _write_array(path: Path, array: NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.data)  # np.save does not tell why a write failed
        file.flush()
        os.fsync(file.fileno())
