"""Logistic regression on bags of words: a word's weights in all lanes of a block are neighbours in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import logsigmoid

from adam_core.models.dropout import Dropout
from adam_core.models.sparse_examples import SparseExamples
from adam_core.models.stacked_model import Batch, Draw

try:
    from adam_core.kernels import sparse_logistic as kernels
except ImportError:  # without Numba
    kernels = None  # type: ignore[assignment]

#: Buffers hold a multiple of so many numbers: torch computes what is left over of its vectors in another way.
_WHOLE_VECTORS = 64


class SparseLogisticRegression:
    """L2-regularised logistic regression of F sparse inputs, labels 0 and 1: loss = mean cross-entropy + l2/2 sum w².

    Its one layer's parameters are [F + 1, 1]: the weights, and the bias as the last row. Compiled kernels walk through
    the entries that are stored; on a GPU or without Numba the inputs become dense and one product serves all lanes.

    Args:
        n_features: F.
        l2: strength of the penalty of the weights; the bias has none.
        dropout: rate of the dropout of the inputs, a multiple of 1/256; 0 is none.
        width: b, lanes in a block.
        device: where blocks lie.
        dtype: of parameters and inputs.

    Raises:
        ValueError: a rate that is not in [0, 1) or not a multiple of 1/256.

    Source: Kingma & Ba 2015, section 6.1, figure 1 right. The paper states no initial weights; here all are 0, which
    favours no word: the loss is convex, so that there is no symmetry to break, and a word never seen keeps weight 0.
    """

    lanes_last = True

    def __init__(
        self, n_features: int, l2: float, dropout: float, width: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.n_features = n_features
        self.l2 = l2
        self.width = width
        self.device = device
        self.dtype = dtype
        self._dropout = Dropout(dropout)
        self._grad = torch.empty(n_features + 1, 1, width, dtype=dtype, device=device)
        self._buffers: dict[int, Tensor] = {}
        self._products = kernels.row_products(width) if kernels is not None and device.type == "cpu" else None

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """One layer, [F + 1, 1]."""
        return ((self.n_features + 1, 1),)

    def initial(self, draw: Draw) -> tuple[NDArray[np.float64], ...]:
        """The parameters of one lane before step 1: ([F + 1, 1],), zeros."""
        return (np.zeros((self.n_features + 1, 1)),)

    def prepare(self, examples: SparseExamples, draw: Draw, *, training: bool) -> Batch:
        """The inputs, dropped out where they are trained on, and the labels [n].

        The inputs are starts [n], ends [n], features and values where kernels are compiled, and, to train on, the same
        entries by column; otherwise they are [n, F + 1], the last column ones.

        Raises:
            ValueError: the examples have another number of features.
        """
        if examples.n_features != self.n_features:
            raise ValueError(f"examples must have {self.n_features} features, got {examples.n_features}")
        labels = examples.labels.to(self.dtype)
        noise = draw if training and self._dropout.rate else None
        if self._products is None:
            return self._dense(examples, noise), labels
        rows: tuple[Tensor, ...] = (examples.starts, examples.ends, examples.features, examples.values)
        if not training:
            return *rows, labels
        n_entries = int((examples.ends - examples.starts).sum())
        if noise:
            rows = self._kept(rows, n_entries, noise)
        return *rows, *self._by_column(rows, n_entries), labels

    def backward(self, theta: Sequence[Tensor], batch: Batch, update: Callable[[int, Tensor], None]) -> None:
        """Hand the gradient [F + 1, 1, b] to `update(0, gradient)`."""
        rows = self._rows(theta, batch)
        probabilities = self._logits(rows, len(batch[-1])).sigmoid_()
        rows.gradient(probabilities, self.l2, self._grad)
        update(0, self._grad)

    def losses(self, theta: Sequence[Tensor], batch: Batch) -> Tensor:
        """Sums over the batch of each lane's cross-entropy and of its errors: [2, b] float64.

        A logit of 0 counts as the label 0.
        """
        labels = batch[-1][:, None]
        n = len(labels)
        logits = self._logits(self._rows(theta, batch), n)
        wrong = logits[:n].gt(0).ne(labels)
        logits[:n].mul_(2 * labels - 1)
        log_likelihoods = logsigmoid(logits)[:n]
        return torch.stack([log_likelihoods.double().neg_().sum(0), wrong.sum(0, dtype=torch.float64)])

    def penalty(self, theta: Sequence[Tensor]) -> Tensor:
        """Each lane's l2/2 times the sum of w²: [b] float64."""
        weights = theta[0].view(-1, self.width)[:-1]
        return weights.double().square().sum(0).mul_(self.l2 / 2)

    def _rows(self, theta: Sequence[Tensor], batch: Batch) -> _Rows | _DenseRows:
        block = theta[0].view(-1, self.width)
        return _DenseRows(block, batch) if self._products is None else _Rows(self._products, block, batch)

    def _logits(self, rows: _Rows | _DenseRows, n: int) -> Tensor:
        """The logits [n, b] as the first rows of a buffer; batches come in few sizes, each of which keeps its own."""
        if n not in self._buffers:
            step = max(1, _WHOLE_VECTORS // self.width)
            shape = (-(-n // step) * step, self.width)
            self._buffers[n] = torch.zeros(shape, dtype=self.dtype, device=self.device)
        rows.logits(self._buffers[n])
        return self._buffers[n]

    def _kept(self, rows: Sequence[Tensor], n_entries: int, draw: Draw) -> tuple[Tensor, ...]:
        """Copies of the entries that are not dropped: as `Dropout.mask` has it, without a mask of floats."""
        starts, ends, features, values = (tensor.numpy() for tensor in rows)
        noise = draw(0).bit_generator.random_raw(-(-n_entries // 8)).view(np.uint8)
        kept = (
            np.empty_like(starts),
            np.empty_like(ends),
            np.empty(n_entries, features.dtype),
            np.empty(n_entries, values.dtype),
        )
        rate = self._dropout.rate
        kernels.keep_entries(
            starts, ends, features, values, noise, round(rate * 256), values.dtype.type(1 / (1 - rate)), *kept
        )
        return tuple(torch.from_numpy(array) for array in kept)

    def _by_column(self, rows: Sequence[Tensor], n_entries: int) -> tuple[Tensor, ...]:
        """The entries as `kernels.by_column` sorts them: columns, column starts, rows and values."""
        arrays = [tensor.numpy() for tensor in rows]
        by_column = (
            np.empty(self.n_features, np.int32),
            np.empty(self.n_features + 1, np.int32),
            np.empty(n_entries, np.int32),
            np.empty(n_entries, arrays[-1].dtype),
        )
        kernels.by_column(*arrays, *by_column)
        return tuple(torch.from_numpy(array) for array in by_column)

    def _dense(self, examples: SparseExamples, draw: Draw | None) -> Tensor:
        """The inputs [n, F + 1], the last column ones, dropped out if there is a `draw`.

        Examples are taken as long as the longest of the data set: all shapes are known, and no GPU is waited for.
        """
        lengths = (examples.ends - examples.starts)[:, None]
        places = torch.arange(examples.longest, device=self.device)
        entries = (examples.starts[:, None] + places).clamp_(max=len(examples.features) - 1)
        columns = torch.where(places < lengths, examples.features[entries], self.n_features)
        values = examples.values[entries]
        if draw is not None:
            mask = self._dropout.mask(draw(0), (values.numel(),), self.device, self.dtype)
            values *= mask[lengths.cumsum(0) - lengths + places]
        inputs = values.new_zeros(len(examples), self.n_features + 1).scatter_(1, columns.long(), values)
        inputs[:, -1] = 1
        return inputs


class _Rows:
    """A batch beside a block's parameters [F + 1, b], for the compiled kernels."""

    def __init__(self, products: Any, block: Tensor, batch: Batch) -> None:
        self._products = products
        self._theta, *inputs, self._labels = (tensor.numpy() for tensor in (block, *batch))
        self._by_row, self._by_column = inputs[:4], inputs[4:]

    def logits(self, out: Tensor) -> None:
        """Fill the first n logits [.., b]."""
        self._products.logits(self._theta, *self._by_row, out.numpy())

    def gradient(self, probabilities: Tensor, l2: float, out: Tensor) -> None:
        """Fill the gradient [F + 1, 1, b] from the first n probabilities [.., b], which it overwrites."""
        arrays = (*self._by_column, self._labels, probabilities.numpy())
        self._products.gradient(self._theta, *arrays, l2, out[:, 0].numpy())


class _DenseRows:
    """A batch beside a block's parameters [F + 1, b], for plain torch."""

    def __init__(self, block: Tensor, batch: Batch) -> None:
        self._block = block
        self._inputs, self._labels = batch

    def logits(self, out: Tensor) -> None:
        """Fill the first n logits [.., b]."""
        torch.mm(self._inputs, self._block, out=out[: len(self._labels)])

    def gradient(self, probabilities: Tensor, l2: float, out: Tensor) -> None:
        """Fill the gradient [F + 1, 1, b] from the first n probabilities [.., b]."""
        n = len(self._labels)
        residuals = (probabilities[:n] - self._labels[:, None]) / n
        torch.mm(self._inputs.t(), residuals, out=out[:, 0])
        out[:-1, 0] += l2 * self._block[:-1]
