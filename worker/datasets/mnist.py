"""MNIST, from its four original files (LeCun, Cortes & Burges, "The MNIST database of handwritten digits")."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.datasets.originals import read_originals
from worker.datasets.raw import RawDataset


def read_mnist(data_dir: Path) -> RawDataset:
    """MNIST's 60,000 training and 10,000 test images, [n, 784] uint8 from 0 to 255.

    Args:
        data_dir: the folder of the four original files, or of their folder `mnist`.

    Raises:
        DataError: a file is missing, unreadable, or not the original.
    """
    files = read_originals(data_dir, "mnist")
    return RawDataset(
        train_inputs=_array(files["train-images-idx3-ubyte.gz"], (60_000, 784)),
        train_labels=_array(files["train-labels-idx1-ubyte.gz"], (60_000,)),
        test_inputs=_array(files["t10k-images-idx3-ubyte.gz"], (10_000, 784)),
        test_labels=_array(files["t10k-labels-idx1-ubyte.gz"], (10_000,)),
        scale=255.0,
    )


def _array(packed: bytes, shape: tuple[int, ...]) -> NDArray[Any]:
    """The values of an idx file, behind its header."""
    return np.frombuffer(gzip.decompress(packed), dtype=np.uint8)[-int(np.prod(shape)) :].reshape(shape)
