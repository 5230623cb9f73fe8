"""Loading a data set by its name, once per process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from adam_core.models.examples import DenseExamples, Examples
from adam_core.models.sparse_examples import SparseExamples
from studies.errors import DataError
from studies.settings import Settings
from studies.workloads import Workload
from worker.datasets.cache import Arrays
from worker.datasets.digits import read_digits
from worker.datasets.none import read_none
from worker.datasets.online import read_counterexample, read_sparse_stream
from worker.datasets.own import own_examples
from worker.datasets.preparations import prepared_arrays
from worker.datasets.raw import RawDataset
from worker.datasets.words import N_WORDS

#: Of the data sets that need no files and are small; the others are prepared and kept (`PREPARATIONS`).
READERS: Mapping[str, Callable[[Path], RawDataset]] = {
    "digits": read_digits,
    "sparse-stream": read_sparse_stream,
    "counterexample": read_counterexample,
    "none": read_none,
}


@dataclass(frozen=True)
class Dataset:
    """A data set on a device."""

    train: Examples
    test: Examples
    best_fixed_cost: float | None = None  #: of an online problem: the mean cost of the best fixed point in hindsight

    @property
    def device(self) -> torch.device:
        """Where it lies, and so where it is trained on."""
        return self.train.device

    @property
    def dtype(self) -> torch.dtype:
        """Of the inputs, and so of the parameters."""
        return self.train.dtype


def load_dataset(
    workload: Workload, source: str, settings: Settings, device: torch.device, dtype: torch.dtype
) -> Dataset:
    """The data set of a workload, loaded once per process and kept on the device.

    Args:
        workload: what trains on it.
        source: real or synthetic.
        settings: say where data sets lie, and where prepared ones are kept for all processes.
        device: where to.
        dtype: of the inputs.

    Raises:
        DataError: a file is missing, unreadable or not the original, or the prepared data set cannot be kept; or the
            data of an own workload are not what its entry tells.
        InputError: the implementation of an own workload cannot be used.
    """
    if workload.implementation is not None:
        return Dataset(*own_examples(workload, settings.data_dir, device, dtype))
    return _load(workload.dataset, source, settings.data_dir, settings.cache_dir, device, dtype)


@lru_cache(maxsize=4)
def _load(name: str, source: str, data_dir: Path, cache_dir: Path, device: torch.device, dtype: torch.dtype) -> Dataset:
    if name not in READERS:
        arrays = prepared_arrays(name, source, data_dir, cache_dir)
        return Dataset(_examples(arrays, "train", device, dtype), _examples(arrays, "test", device, dtype))
    if source != "real":
        raise DataError(f"data must be real for {name}, got {source}")
    raw = READERS[name](data_dir)

    def examples(inputs: NDArray[Any], labels: NDArray[Any]) -> DenseExamples:
        scaled = torch.tensor(inputs).to(device, dtype).div_(raw.scale)
        return DenseExamples(scaled, torch.tensor(labels, dtype=torch.int64, device=device))

    return Dataset(
        examples(raw.train_inputs, raw.train_labels),
        examples(raw.test_inputs, raw.test_labels),
        raw.best_fixed_cost,
    )


def _examples(arrays: Arrays, part: str, device: torch.device, dtype: torch.dtype) -> Examples:
    """The examples of prepared arrays; on a CPU not copied where the dtype is theirs."""

    def tensor(name: str) -> Tensor:
        return torch.from_numpy(arrays[f"{part}_{name}"]).to(device)

    if f"{part}_inputs" in arrays:
        return DenseExamples(tensor("inputs").to(dtype), tensor("labels"))
    words = tensor("words")
    values = torch.ones(len(words), dtype=dtype, device=device)
    return SparseExamples.from_csr(tensor("starts"), words, values, tensor("labels"), N_WORDS)
