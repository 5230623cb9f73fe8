"""Loading a data set by its name, once per process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from adam_core.models.examples import DenseExamples, Examples
from studies.errors import DataError
from studies.workloads import Workload
from worker.datasets.digits import read_digits
from worker.datasets.mnist import read_mnist
from worker.datasets.raw import RawDataset

READERS: Mapping[str, Callable[[Path], RawDataset]] = {"mnist": read_mnist, "digits": read_digits}


@dataclass(frozen=True)
class Dataset:
    """A data set on a device, its inputs scaled to [0, 1]."""

    train: Examples
    test: Examples

    @property
    def device(self) -> torch.device:
        """Where it lies, and so where it is trained on."""
        return self.train.device

    @property
    def dtype(self) -> torch.dtype:
        """Of the inputs, and so of the parameters."""
        return self.train.dtype


def load_dataset(workload: Workload, source: str, data_dir: Path, device: torch.device, dtype: torch.dtype) -> Dataset:
    """The data set of a workload, read once per process and kept on the device.

    Args:
        workload: what trains on it.
        source: real or synthetic.
        data_dir: where data sets lie.
        device: where to.
        dtype: of the inputs.

    Raises:
        DataError: a file is missing, unreadable, or not the original.
    """
    return _load(workload.dataset, source, data_dir, device, dtype)


@lru_cache(maxsize=4)
def _load(name: str, source: str, data_dir: Path, device: torch.device, dtype: torch.dtype) -> Dataset:
    if source != "real":
        raise DataError(f"data must be real for {name}, got {source}")
    raw = READERS[name](data_dir)

    def examples(inputs: NDArray[Any], labels: NDArray[Any]) -> DenseExamples:
        scaled = torch.tensor(inputs).to(device, dtype).div_(raw.scale)
        return DenseExamples(scaled, torch.tensor(labels, dtype=torch.int64, device=device))

    return Dataset(examples(raw.train_inputs, raw.train_labels), examples(raw.test_inputs, raw.test_labels))
