"""Building a workload's model by the workload's name; a test demands one builder per entry of the catalogue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Protocol

import torch

from adam_core.models.cnn import CNN
from adam_core.models.mlp import MLP
from adam_core.models.online import OnlineLinear, OnlineLogistic
from adam_core.models.softmax_regression import SoftmaxRegression
from adam_core.models.sparse_logistic import SparseLogisticRegression
from adam_core.models.stacked_model import StackedModel
from adam_core.models.surface import SurfaceModel
from adam_core.models.vae import VAE
from studies.surfaces import SURFACES
from studies.workloads import Workload, find_workload
from worker.datasets.online import BOX_RADIUS
from worker.workloads.own import build_own

_NEAR_ZERO = 0.1  #: lanes of online problems start this near, in each parameter


class Builder(Protocol):
    """Builds a model of stacked lanes for a workload."""

    def __call__(self, workload: Workload, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
        """Return the model with blocks of `width` lanes."""


def _softmax_regression(workload: Workload, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
    return SoftmaxRegression(math.prod(workload.input_shape), _n_classes(workload), workload.l2, width, device, dtype)


def _sparse_logistic(workload: Workload, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
    n_words = math.prod(workload.input_shape)
    return SparseLogisticRegression(n_words, workload.l2, workload.input_dropout, width, device, dtype)


def _mlp(*hidden: int) -> Builder:
    def build(workload: Workload, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
        return MLP(
            math.prod(workload.input_shape),
            hidden,
            _n_classes(workload),
            workload.l2,
            width,
            device,
            dtype,
            dropout=workload.dropout,
            input_dropout=workload.input_dropout,
        )

    return build


def _cnn(channels: tuple[int, ...], hidden: int) -> Builder:
    def build(workload: Workload, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
        n_channels, rows, columns = workload.input_shape
        return CNN(
            (n_channels, rows, columns),
            channels,
            hidden,
            _n_classes(workload),
            workload.l2,
            width,
            device,
            dtype,
            dropout=workload.dropout,
            input_dropout=workload.input_dropout,
        )

    return build


def _vae(hidden: int, latent: int) -> Builder:
    def build(workload: Workload, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
        return VAE(math.prod(workload.input_shape), hidden, latent, width, device, dtype)

    return build


def _online_logistic(workload: Workload, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
    return OnlineLogistic(math.prod(workload.input_shape), BOX_RADIUS, _NEAR_ZERO, width, device, dtype)


def _online_linear(workload: Workload, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
    return OnlineLinear(math.prod(workload.input_shape), BOX_RADIUS, _NEAR_ZERO, width, device, dtype)


def _surface(hazard: str) -> Builder:
    surface = SURFACES[hazard]

    def build(workload: Workload, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
        return SurfaceModel(
            partial(surface.value, torch),
            partial(surface.gradient, torch),
            start=surface.start,
            jitter=surface.jitter,
            keep=surface.keep,
            noise=surface.noise,
            width=width,
            device=device,
            dtype=dtype,
        )

    return build


def _n_classes(workload: Workload) -> int:
    assert workload.n_classes is not None, f"{workload.name} tells classes apart"
    return workload.n_classes


BUILDERS: Mapping[str, Builder] = {
    "mnist-logistic": _softmax_regression,
    "imdb-logistic": _sparse_logistic,
    "imdb-logistic-dropout": _sparse_logistic,
    "mnist-mlp": _mlp(1000, 1000),
    "mnist-mlp-dropout": _mlp(1000, 1000),
    "cifar10-cnn": _cnn((64, 64, 128), 1000),
    "cifar10-cnn-dropout": _cnn((64, 64, 128), 1000),
    "mnist-vae": _vae(500, 50),
    "digits-logistic": _softmax_regression,
    "digits-mlp": _mlp(100, 100),
    "digits-cnn": _cnn((8, 8, 16), 50),
    "digits-vae": _vae(50, 10),
    "online-convex": _online_logistic,
    "reddi-counterexample": _online_linear,
    **{f"surface-{hazard}": _surface(hazard) for hazard in SURFACES},
}


def build_model(name: str, width: int, device: torch.device, dtype: torch.dtype) -> StackedModel:
    """The model of a workload, with blocks of `width` lanes.

    Raises:
        NotFoundError: no workload has this name.
        InputError: the implementation of an own workload cannot be used.
    """
    workload = find_workload(name)
    if workload.implementation is not None:
        return build_own(workload, width, device, dtype)
    return BUILDERS[name](workload, width, device, dtype)
