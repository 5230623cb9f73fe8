"""Softmax regression: one wide matrix product serves all lanes of a block."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adam_core.models.examples import DenseExamples
from adam_core.models.stacked_model import Batch, Draw


class SoftmaxRegression:
    """L2-regularised softmax regression: F inputs, C classes, loss = mean cross-entropy + l2/2 times the sum of W².

    Its one layer's parameters are [F + 1, C]: the weights, and the biases as the last row. The lane's axis is the last
    in memory, so that the products over all lanes are one product and a lane's scalars broadcast along vectors.

    On a CPU the products leave out the features that are 0 throughout a batch: a third of MNIST's pixels.

    Args:
        n_features: F.
        n_classes: C.
        l2: strength of the penalty of the weights; biases have none.
        width: b, lanes in a block.
        device: where blocks lie.
        dtype: of parameters and inputs.

    Source: Kingma & Ba 2015, section 6.1. The paper states no initial weights; here normal of variance 1/F, biases 0.
    """

    lanes_last = True

    def __init__(
        self, n_features: int, n_classes: int, l2: float, width: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.n_features = n_features
        self.n_classes = n_classes
        self.l2 = l2
        self.width = width
        self.device = device
        self.dtype = dtype
        self._wide = n_classes * width
        self._eye = torch.eye(n_classes, dtype=dtype, device=device)
        self._grad = torch.empty(n_features + 1, self._wide, dtype=dtype, device=device)
        self._row_buffer = torch.empty(n_features, self._wide, dtype=dtype, device=device)
        self._buffers: dict[int, tuple[Tensor, Tensor, Tensor]] = {}

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """One layer, [F + 1, C]."""
        return ((self.n_features + 1, self.n_classes),)

    def initial(self, draw: Draw) -> tuple[NDArray[np.float64], ...]:
        """The parameters of one lane before step 1: ([F + 1, C],)."""
        weights = draw(0).standard_normal((self.n_features, self.n_classes)) / np.sqrt(self.n_features)
        return (np.concatenate([weights, np.zeros((1, self.n_classes))]),)

    def prepare(self, examples: DenseExamples, draw: Draw, *, training: bool) -> Batch:
        """The inputs, labels [n] and, on a CPU, the U features that are not 0 in all inputs, which are then [n, U]."""
        if self.device.type != "cpu":
            return examples.inputs, examples.labels
        used = examples.inputs.abs().sum(0).nonzero()[:, 0]
        return examples.inputs.index_select(1, used), examples.labels, used

    def backward(self, theta: Sequence[Tensor], batch: Batch, update: Callable[[int, Tensor], None]) -> None:
        """Hand the gradient [F + 1, C, b] to `update(0, gradient)`."""
        inputs, labels, *used = batch
        weights, biases = self._split(theta)
        n = len(labels)
        logits, probabilities, one_hot = self._workspace(n)
        rows = self._rows(weights, used)
        torch.addmm(biases, inputs, rows, out=logits)
        cube = probabilities.view(n, self.n_classes, self.width)
        torch.softmax(logits.view(n, self.n_classes, self.width), 1, out=cube)
        torch.index_select(self._eye, 0, labels, out=one_hot)
        cube.sub_(one_hot[:, :, None])
        grad_weights, grad_biases = self._grad[:-1], self._grad[-1]
        if used:
            torch.mul(weights, self.l2, out=grad_weights)
            grad_rows = rows.addmm_(inputs.t(), probabilities, beta=self.l2, alpha=1 / n)
            grad_weights.index_copy_(0, used[0], grad_rows)
        else:
            torch.addmm(weights, inputs.t(), probabilities, beta=self.l2, alpha=1 / n, out=grad_weights)
        torch.sum(probabilities, 0, out=grad_biases).mul_(1 / n)
        update(0, self._grad.view(-1, self.n_classes, self.width))

    def losses(self, theta: Sequence[Tensor], batch: Batch) -> Tensor:
        """Sums over the batch of each lane's cross-entropy and of its errors: [2, b] float64.

        An example counts as right where no class is likelier than its label.
        """
        inputs, labels, *used = batch
        weights, biases = self._split(theta)
        n = len(labels)
        logits, log_likelihoods, _ = self._workspace(n)
        torch.addmm(biases, inputs, self._rows(weights, used), out=logits)
        cube = log_likelihoods.view(n, self.n_classes, self.width)
        torch.log_softmax(logits.view(n, self.n_classes, self.width), 1, out=cube)
        rows = torch.arange(0, n * self.n_classes, self.n_classes, device=self.device).add_(labels)
        own = log_likelihoods.view(-1, self.width).index_select(0, rows)
        wrong = cube.amax(1).gt(own)
        return torch.stack([own.double().neg_().sum(0), wrong.sum(0, dtype=torch.float64)])

    def penalty(self, theta: Sequence[Tensor]) -> Tensor:
        """Each lane's l2/2 times the sum of W²: [b] float64."""
        weights = self._split(theta)[0].view(-1, self.width)
        return weights.double().square().sum(0).mul_(self.l2 / 2)

    def _split(self, theta: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The weights [F, C b] and biases [C b] of a block, as views."""
        wide = theta[0].view(-1, self._wide)
        return wide[:-1], wide[-1]

    def _rows(self, weights: Tensor, used: Sequence[Tensor]) -> Tensor:
        """The rows of the weights that a batch has inputs for: a copy where it names them."""
        if not used:
            return weights
        return torch.index_select(weights, 0, used[0], out=self._row_buffer[: len(used[0])])

    def _workspace(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Two buffers [n, C b] and one [n, C]; batches come in few sizes, each of which keeps its own."""
        if n not in self._buffers:
            shapes = ((n, self._wide), (n, self._wide), (n, self.n_classes))
            logits, other, one_hot = (torch.empty(shape, dtype=self.dtype, device=self.device) for shape in shapes)
            self._buffers[n] = (logits, other, one_hot)
        return self._buffers[n]
