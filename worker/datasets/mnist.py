"""MNIST, from its four original files (LeCun, Cortes & Burges, "The MNIST database of handwritten digits")."""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies.data_files import DATA_FILES, DataFile
from studies.errors import DataError
from worker.datasets.raw import RawDataset

_FILES = DATA_FILES["mnist"]


def read_mnist(data_dir: Path) -> RawDataset:
    """MNIST's 60,000 training and 10,000 test images, [n, 784] uint8 from 0 to 255.

    Args:
        data_dir: the folder of the four original files, or of their folder `mnist`.

    Raises:
        DataError: a file is missing, unreadable, or not the original.
    """
    train_images, train_labels, test_images, test_labels = _FILES
    return RawDataset(
        train_inputs=_read(data_dir, train_images, (60_000, 784)),
        train_labels=_read(data_dir, train_labels, (60_000,)),
        test_inputs=_read(data_dir, test_images, (10_000, 784)),
        test_labels=_read(data_dir, test_labels, (10_000,)),
        scale=255.0,
    )


def _read(data_dir: Path, file: DataFile, shape: tuple[int, ...]) -> NDArray[Any]:
    path = file.path(data_dir, "mnist")
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"MNIST's file {file.name} is missing from {data_dir / 'mnist'} and {data_dir}: put the four original "
            "idx .gz files there, or set ADAM_STUDIES_DATA to the folder that has them"
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; expected is the original MNIST file") from None
    if file.state(packed) != "present":
        raise DataError(f"{path} {_what_is_wrong(packed, file)}; expected is sha256 {file.sha256}")
    return np.frombuffer(gzip.decompress(packed), dtype=np.uint8)[-int(np.prod(shape)) :].reshape(shape)


def _what_is_wrong(packed: bytes, file: DataFile) -> str:
    digest = sha256(packed).hexdigest()
    for other in _FILES:
        if digest == other.sha256:
            return f"holds what belongs into {other.name}"
    if file.state(packed) == "truncated":
        return f"is truncated: {len(packed)} bytes of {file.n_bytes}"
    return f"is corrupt or not the original: {len(packed)} bytes (of {file.n_bytes}), sha256 {digest}"
