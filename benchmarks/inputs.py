"""The data of the workloads as the rivals read them: real where they are at hand, else synthetic."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adam_core.models.examples import DenseExamples, Examples
from adam_core.models.sparse_examples import SparseExamples
from studies.errors import DataError
from studies.settings import Settings
from studies.workloads import WORKLOADS
from worker.datasets.registry import load_dataset


def write_inputs(dataset: str, folder: Path) -> bool:
    """Write the training examples as `load_inputs` reads them.

    Args:
        dataset: mnist, cifar-10 or imdb.
        folder: where to.

    Returns:
        Whether they are real.
    """
    workload = next(entry for entry in WORKLOADS.values() if entry.dataset == dataset)
    settings, cpu = Settings.from_environ(), torch.device("cpu")
    try:
        train, real = load_dataset(workload, "real", settings, cpu, torch.float32).train, True
    except DataError as error:
        print(f"{dataset} is synthetic: {error}", file=sys.stderr)
        train, real = load_dataset(workload, "synthetic", settings, cpu, torch.float32).train, False
    for name, array in _arrays(train, workload.input_shape).items():
        np.save(folder / f"{dataset}-{name}.npy", array)
    return real


def load_inputs(dataset: str, folder: Path) -> dict[str, Tensor]:
    """The training examples, in memory that all processes share.

    Returns:
        inputs [n, ...] float32 and labels [n] int64; of reviews also words, all reviews' distinct words, and starts,
        [n + 1], where each review's words begin, int64 both.
    """
    paths = {path.stem.removeprefix(f"{dataset}-"): path for path in folder.glob(f"{dataset}-*.npy")}
    tensors = {name: torch.from_numpy(np.load(path, mmap_mode="c")) for name, path in paths.items()}
    for tensor in tensors.values():
        tensor.sum()  # touches every page, so that none is missed while it is measured
    return tensors


def densify(examples: Examples, input_shape: tuple[int, ...]) -> DenseExamples:
    """Examples whose inputs are [n, *input_shape], those of bags of words too."""
    if isinstance(examples, DenseExamples):
        return DenseExamples(examples.inputs.view(len(examples), *input_shape), examples.labels)
    assert isinstance(examples, SparseExamples)
    lengths = examples.ends - examples.starts
    rows = torch.repeat_interleave(torch.arange(len(examples)), lengths)
    entries = torch.arange(len(rows)) + (examples.starts - (lengths.cumsum(0) - lengths))[rows]
    inputs = torch.zeros(len(examples), *input_shape, dtype=examples.dtype)
    inputs[rows, examples.features[entries].long()] = examples.values[entries]
    return DenseExamples(inputs, examples.labels)


def _arrays(train: Examples, input_shape: tuple[int, ...]) -> Mapping[str, NDArray[Any]]:
    dense = densify(train, input_shape)
    arrays = {"inputs": dense.inputs.numpy(), "labels": dense.labels.numpy()}
    if isinstance(train, SparseExamples):
        starts = torch.cat([train.starts, train.ends[-1:]])
        arrays |= {"words": train.features.long().numpy(), "starts": starts.numpy()}
    return arrays
