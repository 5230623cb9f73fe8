"""MNIST, from its four original files (LeCun, Cortes & Burges, "The MNIST database of handwritten digits")."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies.errors import DataError
from worker.datasets.raw import RawDataset


@dataclass(frozen=True)
class _File:
    name: str
    n_bytes: int
    sha256: str
    shape: tuple[int, ...]  #: of the array that its idx header announces


_TRAIN_IMAGES = _File(
    "train-images-idx3-ubyte.gz",
    9_912_422,
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    (60_000, 28, 28),
)
_TRAIN_LABELS = _File(
    "train-labels-idx1-ubyte.gz",
    28_881,
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    (60_000,),
)
_TEST_IMAGES = _File(
    "t10k-images-idx3-ubyte.gz",
    1_648_877,
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    (10_000, 28, 28),
)
_TEST_LABELS = _File(
    "t10k-labels-idx1-ubyte.gz",
    4_542,
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    (10_000,),
)
_FILES = (_TRAIN_IMAGES, _TRAIN_LABELS, _TEST_IMAGES, _TEST_LABELS)


def read_mnist(data_dir: Path) -> RawDataset:
    """MNIST's 60,000 training and 10,000 test images, [n, 784] uint8 from 0 to 255.

    Args:
        data_dir: the folder of the four original files, or of their folder `mnist`.

    Raises:
        DataError: a file is missing, unreadable, or not the original.
    """
    return RawDataset(
        train_inputs=_read(data_dir, _TRAIN_IMAGES).reshape(-1, 784),
        train_labels=_read(data_dir, _TRAIN_LABELS),
        test_inputs=_read(data_dir, _TEST_IMAGES).reshape(-1, 784),
        test_labels=_read(data_dir, _TEST_LABELS),
        scale=255.0,
    )


def _read(data_dir: Path, file: _File) -> NDArray[Any]:
    path = _find(data_dir, file)
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; expected is the original MNIST file") from None
    digest = sha256(packed).hexdigest()
    if digest != file.sha256:
        raise DataError(f"{path} {_what_is_wrong(packed, digest, file)}; expected is sha256 {file.sha256}")
    header = 4 + 4 * len(file.shape)
    return np.frombuffer(gzip.decompress(packed), dtype=np.uint8, offset=header).reshape(file.shape)


def _find(data_dir: Path, file: _File) -> Path:
    for path in (data_dir / "mnist" / file.name, data_dir / file.name):
        if path.exists():
            return path
    raise DataError(
        f"MNIST's file {file.name} is missing from {data_dir / 'mnist'} and {data_dir}: put the four original "
        "idx .gz files there, or set ADAM_STUDIES_DATA to the folder that has them"
    )


def _what_is_wrong(packed: bytes, digest: str, file: _File) -> str:
    for other in _FILES:
        if digest == other.sha256:
            return f"holds what belongs into {other.name}"
    if len(packed) < file.n_bytes:
        return f"is truncated: {len(packed)} bytes of {file.n_bytes}"
    return f"is corrupt or not the original: {len(packed)} bytes (of {file.n_bytes}), sha256 {digest}"
