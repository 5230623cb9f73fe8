"""The data of workloads that are not the product's, as their own functions give them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from adam_core.models.examples import DenseExamples
from studies.errors import DataError
from studies.workloads import Workload
from worker.workloads.own import Numbers, TrainTest, find_implementation


@lru_cache(maxsize=4)
def own_examples(
    workload: Workload, data_dir: Path, device: torch.device, dtype: torch.dtype
) -> tuple[DenseExamples, DenseExamples]:
    """The training and the test examples of an own workload, made once per process and kept on the device.

    Raises:
        InputError: its implementation cannot be used.
        DataError: the data are not what the workload's entry tells of them.
    """
    given = TrainTest(*find_implementation(workload).data(data_dir))
    parts = []
    for part, n in (("train", workload.n_train), ("test", workload.n_test)):
        inputs = _tensor(getattr(given, f"{part}_inputs")).to(device, dtype)
        labels = _tensor(getattr(given, f"{part}_labels")).to(device)
        labels = labels.to(dtype if labels.is_floating_point() else torch.int64)
        if inputs.shape != (n, *workload.input_shape):
            raise DataError(
                f"workload {workload.name}: {part}_inputs must have shape {(n, *workload.input_shape)}, as its entry "
                f"tells, got {tuple(inputs.shape)}"
            )
        if labels.shape[:1] != (n,):
            raise DataError(
                f"workload {workload.name}: {part}_labels must be {n}, as its entry tells, got {tuple(labels.shape)}"
            )
        for name, numbers in (("inputs", inputs), ("labels", labels)):
            if not numbers.isfinite().all():
                raise DataError(f"workload {workload.name}: {part}_{name} must be finite, got infinities or NaNs")
        parts.append(DenseExamples(inputs.contiguous(), labels.contiguous()))
    train, test = parts
    return train, test


def _tensor(numbers: Numbers) -> Tensor:
    return numbers.detach() if isinstance(numbers, Tensor) else torch.tensor(numbers)
