"""CIFAR-10, from its python version (Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images")."""

from __future__ import annotations

import io
import lzma
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from studies.errors import DataError
from worker.datasets.originals import read_originals
from worker.datasets.raw import RawDataset

_TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
_TEST = "test_batch"


def read_cifar10(data_dir: Path) -> RawDataset:
    """CIFAR-10's 50,000 training and 10,000 test images, [n, 3072] uint8: red, green and blue plane, rows in order.

    The batches lie singly, plain or packed by xz, or in the official archive.

    Args:
        data_dir: the data folder.

    Raises:
        DataError: a file is missing, unreadable, or not the original.
    """
    batches = _batches(read_originals(data_dir, "cifar-10"))
    return RawDataset(
        train_inputs=np.concatenate([batches[name][b"data"] for name in _TRAIN]),
        train_labels=np.concatenate([batches[name][b"labels"] for name in _TRAIN]),
        test_inputs=batches[_TEST][b"data"],
        test_labels=np.array(batches[_TEST][b"labels"]),
        scale=255.0,
    )


def _batches(files: dict[str, bytes]) -> dict[str, dict[bytes, Any]]:
    """The batches by their names, out of files whose checksums matched."""
    batches = {}
    for name, content in files.items():
        if name.endswith(".tar.gz"):
            return {batch: unpickle(content) for batch, content in _unpacked(content).items()}
        batches[name.removesuffix(".xz")] = unpickle(lzma.decompress(content) if name.endswith(".xz") else content)
    return batches


def _unpacked(archive: bytes) -> dict[str, bytes]:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            name = Path(member.name).name
            file = tar.extractfile(member)
            if name in (*_TRAIN, _TEST) and file is not None:
                found[name] = file.read()
    return found


#: All that a batch names; anything else that a pickle could call is refused.
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],  # under this numpy's name
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _BatchUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return what a batch may name."""
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise DataError(f"a CIFAR-10 batch must hold arrays only, got {module}.{name}") from None


def unpickle(content: bytes) -> dict[bytes, Any]:
    """The content of a batch: data, labels, filenames and batch_label.

    Raises:
        DataError: it names what a batch does not need.
    """
    batch: dict[bytes, Any] = _BatchUnpickler(io.BytesIO(content), encoding="bytes").load()
    return batch
