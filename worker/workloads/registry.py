"""Building a workload's model by the workload's name; a test demands one builder per entry of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch

from adam_core.models.softmax_regression import SoftmaxRegression
from adam_core.models.stacked_model import StackedModel
from studies.workloads import Workload, find_workload


class Builder(Protocol):
    """Builds a model of stacked lanes for a workload."""

    def __call__(self, workload: Workload, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
        """Return the model with blocks of `width` lanes."""


def _softmax_regression(workload: Workload, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
    return SoftmaxRegression(workload.n_features, workload.n_classes, workload.l2, width, device, dtype)


BUILDERS: Mapping[str, Builder] = {"mnist-logistic": _softmax_regression, "digits-logistic": _softmax_regression}


def build_model(name: str, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
    """The model of a workload, with blocks of `width` lanes.

    Raises:
        NotFoundError: no workload has this name.
    """
    workload = find_workload(name)
    return BUILDERS[name](workload, width, device, dtype)
