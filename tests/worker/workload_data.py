"""Few examples of each workload's shapes, so that the paper's models train in a test."""

from dataclasses import replace

import pytest
import torch

from adam_core.models.examples import DenseExamples
from adam_core.models.sparse_examples import SparseExamples
from studies.workloads import WORKLOADS, Workload
from worker.datasets.registry import Dataset

N_TRAIN, N_VALIDATION, N_TEST = 70, 20, 30

CPU = torch.device("cpu")


def examples_of(workload: Workload, n: int, dtype: torch.dtype) -> DenseExamples | SparseExamples:
    """Return n random examples: inputs in [0, 1], half of them 0, or bags of some of the first 300 words."""
    source = torch.Generator().manual_seed(n)
    labels = torch.randint(0, workload.n_classes or 10, (n,), generator=source)
    inputs = torch.rand(n, *workload.input_shape, generator=source, dtype=torch.float64)
    if workload.dataset != "imdb":
        return DenseExamples((2 * inputs - 1).clamp(min=0).to(dtype), labels)
    occurs = inputs[:, :300] < 0.3
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), occurs.sum(1).cumsum(0)])
    words = occurs.nonzero()[:, 1].int()
    return SparseExamples.from_csr(starts, words, torch.ones(len(words), dtype=dtype), labels, inputs.shape[1])


def shrink(name: str, monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype = torch.float32) -> Dataset:
    """Return few random examples and make the catalogue say that the workload has as many."""
    entry = replace(WORKLOADS[name], n_train=N_TRAIN, n_validation=N_VALIDATION, n_test=N_TEST, batch_size=32)
    monkeypatch.setitem(WORKLOADS, name, entry)
    examples = examples_of(entry, N_TRAIN + N_TEST, dtype)
    return Dataset(train=examples.part(0, N_TRAIN), test=examples.part(N_TRAIN, N_TRAIN + N_TEST))
