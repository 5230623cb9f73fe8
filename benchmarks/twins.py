"""The twin of each workload: the same model and loss as a user of PyTorch writes them, with the same noise as ours.

A layer of ours is one tensor [inputs + 1, outputs], the biases as its last row; a twin's are those of torch's modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from adam_core.models.dropout import Dropout
from adam_core.models.stacked_model import Draw
from benchmarks import modules
from studies.workloads import Workload, find_workload

#: Of a module and a batch (inputs ..., labels).
Loss = Callable[[nn.Module, Sequence[Tensor]], Tensor]

#: The stream of the latent noise.
_LATENT = 1


@dataclass(frozen=True)
class Recipe:
    """How a twin is made."""

    module: Callable[[], nn.Module]
    loss: Loss


def _mlp(name: str, *sizes: int) -> Recipe:
    entry = find_workload(name)
    build = partial(modules.multilayer_perceptron, sizes, entry.input_dropout, entry.dropout)
    return Recipe(build, modules.cross_entropy)


def _cnn(name: str, image_shape: tuple[int, int, int], channels: Sequence[int], hidden: int) -> Recipe:
    entry = find_workload(name)
    sizes, rates = (image_shape, channels, hidden, 10), (entry.input_dropout, entry.dropout)
    return Recipe(partial(modules.convolutional_network, *sizes, *rates), modules.cross_entropy)


def _logistic(name: str) -> Recipe:
    build = partial(modules.dense_logistic, 10_000, find_workload(name).input_dropout)
    return Recipe(build, modules.binary_cross_entropy)


RECIPES: Mapping[str, Recipe] = {
    "mnist-logistic": Recipe(partial(modules.softmax_regression, 784, 10), modules.cross_entropy),
    "imdb-logistic": _logistic("imdb-logistic"),
    "imdb-logistic-dropout": _logistic("imdb-logistic-dropout"),
    "mnist-mlp": _mlp("mnist-mlp", 784, 1000, 1000, 10),
    "mnist-mlp-dropout": _mlp("mnist-mlp-dropout", 784, 1000, 1000, 10),
    "cifar10-cnn": _cnn("cifar10-cnn", (3, 32, 32), (64, 64, 128), 1000),
    "cifar10-cnn-dropout": _cnn("cifar10-cnn-dropout", (3, 32, 32), (64, 64, 128), 1000),
    "mnist-vae": Recipe(partial(modules.VariationalAutoencoder, 784, 500, 50), modules.negative_bound),
    "digits-logistic": Recipe(partial(modules.softmax_regression, 64, 10), modules.cross_entropy),
    "digits-mlp": _mlp("digits-mlp", 64, 100, 100, 10),
    "digits-cnn": _cnn("digits-cnn", (1, 8, 8), (8, 8, 16), 50),
    "digits-vae": Recipe(partial(modules.VariationalAutoencoder, 64, 50, 10), modules.negative_bound),
}


class Twin(nn.Module):
    """A workload's module, whose parts for dropout drop what our model drops.

    Args:
        name: of the workload.
        dtype: of parameters and inputs.
    """

    def __init__(self, name: str, dtype: torch.dtype) -> None:
        super().__init__()
        self._workload: Workload = find_workload(name)
        self._loss = RECIPES[name].loss
        self._draw: Draw | None = None
        self.module = RECIPES[name].module().to(dtype)
        first = 0 if self._workload.input_dropout else 1
        parts = (part for part in self.module.modules() if isinstance(part, nn.Dropout))
        for layer, part in enumerate(parts, start=first):
            part.register_forward_hook(partial(self._dropped, layer))

    def forward(self, inputs: Tensor, labels: Tensor, draw: Draw) -> Tensor:
        """The mean loss of a batch, with the L2 term.

        Args:
            inputs: [n, ...].
            labels: [n] int64.
            draw: the streams of the noise; dropout takes place in training mode alone.
        """
        return self.data_loss(inputs, labels, draw) + self.penalty()

    def data_loss(self, inputs: Tensor, labels: Tensor, draw: Draw) -> Tensor:
        """The mean loss of a batch."""
        self._draw = draw
        inputs = inputs.view(len(inputs), *self._workload.input_shape)
        noise: tuple[Tensor, ...] = ()
        if isinstance(self.module, modules.VariationalAutoencoder):
            size = (len(inputs), self.module.mean.out_features)
            noise = (torch.from_numpy(draw(_LATENT).standard_normal(size)).to(inputs.dtype),)
        if self._loss is modules.binary_cross_entropy:
            labels = labels.to(inputs.dtype)
        return self._loss(self.module, (inputs, *noise, labels))

    def penalty(self) -> Tensor:
        """The L2 term: λ/2 times the sum of W², biases left out."""
        squares = [parameter.square().sum() for name, parameter in self.named_parameters() if name.endswith("weight")]
        return self._workload.l2 / 2 * torch.stack(squares).sum()

    def parameters_of(self, layers: Sequence[Tensor]) -> dict[str, Tensor]:
        """The twin's parameters by name, given one lane's of ours: functions of them, which gradients pass."""
        named: dict[str, Tensor] = {}
        remaining, n_channels = list(layers), 1
        for name, part in self.named_modules():
            if not isinstance(part, nn.Linear | nn.Conv2d):
                continue
            layer = remaining.pop(0)
            n_out = part.bias.shape[0]  # type: ignore[union-attr]
            if layer.shape[1] > n_out:  # the next part has the other columns
                remaining.insert(0, layer[:, n_out:])
            named[f"{name}.weight"] = _weight(part, layer[:-1, :n_out], n_channels)
            named[f"{name}.bias"] = layer[-1, :n_out]
            n_channels = n_out if isinstance(part, nn.Conv2d) else 1
        return named

    def _dropped(self, layer: int, part: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        """What a part for dropout gives, with the mask of the layer's stream."""
        (units,) = inputs
        if not part.training:
            return output
        assert isinstance(part, nn.Dropout) and self._draw is not None
        dropout, random = Dropout(part.p), self._draw(layer)
        if self._workload.dataset != "imdb":
            return units * dropout.mask(random, tuple(units.shape), units.device, units.dtype)
        mask = torch.ones_like(units)  # of bags of words, the words that occur have a number each
        occurs = units != 0
        mask[occurs] = dropout.mask(random, (int(occurs.sum()),), units.device, units.dtype)
        return units * mask


def _weight(part: nn.Linear | nn.Conv2d, weights: Tensor, n_channels: int) -> Tensor:
    """A part's weights, given ours: [row, column, channel] is the order of inputs that have `n_channels` channels."""
    if isinstance(part, nn.Conv2d):
        return weights.view(*part.kernel_size, part.in_channels, part.out_channels).permute(3, 2, 0, 1)
    return weights.reshape(-1, n_channels, weights.shape[1]).permute(2, 1, 0).flatten(1)


def module_gradients(twin: Twin, layers: Sequence[Tensor], *batch: Any) -> tuple[Tensor, list[Tensor]]:
    """The loss of a batch, and its gradient with respect to each of our layers, by autograd.

    Args:
        twin: the workload's.
        layers: one lane's parameters, as ours.
        batch: what the twin's `forward` takes.
    """
    leaves = [layer.clone().requires_grad_() for layer in layers]
    loss: Tensor = torch.func.functional_call(twin, twin.parameters_of(leaves), batch)
    return loss.detach(), list(torch.autograd.grad(loss, leaves))
