"""Workloads that are not the product's: a module, its loss and its data, from a package installed on the worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from adam_core.models.module import ModuleModel, PerExample
from studies.errors import InputError
from studies.workloads import Workload

Numbers = NDArray[Any] | Tensor


class TrainTest(NamedTuple):
    """A data set, as NumPy arrays or tensors; where a study holds some out, they are the last training examples."""

    train_inputs: Numbers  #: [n_train, *input_shape]; the module gets them in its own dtype
    train_labels: Numbers  #: [n_train, ...]; the loss gets integers as int64, other numbers in the module's dtype
    test_inputs: Numbers  #: [n_test, *input_shape]
    test_labels: Numbers  #: [n_test, ...]


@dataclass(frozen=True, kw_only=True)
class Implementation:
    """What a catalogue's entry names as its `implementation`: all that a worker needs to train it."""

    module: Callable[[], nn.Module]  #: torch's random numbers alone decide on its initial weights
    loss: PerExample  #: of outputs and labels: a number for each example, [n]
    data: Callable[[Path], TrainTest]  #: from the folder of the data sets (ADAM_STUDIES_DATA); the same at every call
    error: PerExample | None = None  #: 0 or 1 for each example, [n]; None exactly where the entry's `metric` is


def find_implementation(workload: Workload) -> Implementation:
    """Import what implements an own workload.

    Raises:
        InputError: the module cannot be imported, the object is missing or none, or counts errors where the entry has
            no metric, or the other way round.
    """
    place = str(workload.implementation)
    module, _, attribute = place.partition(":")
    where = f"workload {workload.name}: its implementation {place}"
    try:
        found = getattr(import_module(module), attribute, None)
    except (Exception, SystemExit) as error:
        words = " ".join(str(error).split())
        raise InputError(f"{where} cannot be loaded: {type(error).__name__}: {words}") from error
    if not isinstance(found, Implementation):
        raise InputError(f"{where} must be a worker.workloads.own.Implementation, got a {type(found).__name__}")
    if (found.error is None) != (workload.metric is None):
        raise InputError(
            f"{where}: error must be given exactly where metric is, got {found.error} and {workload.metric!r}"
        )
    return found


def build_own(workload: Workload, width: int, device: torch.device, dtype: torch.dtype) -> ModuleModel:
    """The model of an own workload, with blocks of `width` lanes.

    Raises:
        InputError: its implementation cannot be used.
        ValueError: a part of the module keeps running statistics.
    """
    found = find_implementation(workload)
    return ModuleModel(found.module, found.loss, width, device, dtype, error=found.error)


@cache
def source_digest(workload: Workload) -> str:
    """A short digest of an own workload's entry and of its implementation's file.

    What is measured on a device holds for one code, and a name can come to stand for another.
    """
    module = import_module(str(workload.implementation).partition(":")[0])
    digest = sha256(repr(workload).encode())
    if module.__file__ is not None:
        digest.update(Path(module.__file__).read_bytes())
    return digest.hexdigest()[:16]
