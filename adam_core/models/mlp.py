"""The multilayer perceptron of the paper's section 6.2: fully connected ReLU layers with dropout."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adam_core.models import dense, input_layer
from adam_core.models.dropout import Dropout
from adam_core.models.examples import DenseExamples
from adam_core.models.stacked_model import Batch, Draw


class MLP:
    """F inputs, hidden ReLU layers, C classes; loss = mean cross-entropy + l2/2 times the sum of all layers' W².

    A layer's parameters are [inputs + 1, outputs]: the weights, and the biases as the last row.

    Args:
        n_features: F.
        hidden: units of each hidden layer, from the inputs on (the paper's: 1000, 1000).
        n_classes: C.
        l2: strength of the penalty of the weights; biases have none.
        width: b, lanes in a block.
        device: where blocks lie.
        dtype: of parameters and inputs.
        dropout: rate of the dropout of the hidden units, a multiple of 1/256; 0 is none.
        input_dropout: that of the inputs.

    Raises:
        ValueError: a rate that is not in [0, 1) or not a multiple of 1/256.

    Source: Kingma & Ba 2015, section 6.2, which states no initial weights; here normal of variance 2/inputs (He et al.
    2015), 1/inputs in the last layer, biases 0. The rate of dropout is not stated either.
    """

    lanes_last = False

    def __init__(
        self,
        n_features: int,
        hidden: Sequence[int],
        n_classes: int,
        l2: float,
        width: int,
        device: torch.device,
        dtype: torch.dtype,
        *,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
    ) -> None:
        self.hidden = tuple(hidden)
        self.l2 = l2
        self.width = width
        self.device = device
        self.dtype = dtype
        self._sizes = (n_features, *self.hidden, n_classes)
        self._dropout = Dropout(dropout)
        self._input_dropout = Dropout(input_dropout)
        self._eye = torch.eye(n_classes, dtype=dtype, device=device)
        self._gradients = dense.gradient_buffers(self.shapes, width, device, dtype)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of each layer, [inputs + 1, outputs]."""
        return tuple((n_in + 1, n_out) for n_in, n_out in zip(self._sizes[:-1], self._sizes[1:], strict=True))

    def initial(self, draw: Draw) -> tuple[NDArray[np.float64], ...]:
        """The parameters of one lane before step 1."""
        last = len(self.hidden)
        return tuple(
            dense.initial(draw(layer), n_in - 1, n_out, variance=(1 if layer == last else 2) / (n_in - 1))
            for layer, (n_in, n_out) in enumerate(self.shapes)
        )

    def prepare(self, examples: DenseExamples, draw: Draw, *, training: bool) -> Batch:
        """Inputs and rows of `input_layer.needed_inputs`, labels [n] and, with dropout, a mask for each hidden layer.

        Stream 0 drops inputs, stream 1 + h units of hidden layer h.
        """
        n, inputs = len(examples), examples.inputs
        masks: tuple[Tensor, ...] = ()
        if training and self._input_dropout.rate:
            inputs = inputs * self._mask(self._input_dropout, draw, n, 0)
        if training and self._dropout.rate:
            masks = tuple(self._mask(self._dropout, draw, n, 1 + h) for h in range(len(self.hidden)))
        return *input_layer.needed_inputs(inputs), examples.labels, *masks

    def backward(self, theta: Sequence[Tensor], batch: Batch, update: Callable[[int, Tensor], None]) -> None:
        """Hand each layer's gradient [b, inputs + 1, outputs] to `update`, the last layer's first."""
        _, rows, labels, *masks = batch
        *inputs, logits = self._forward(theta, batch)
        delta = torch.softmax(logits, 2).sub_(self._eye.index_select(0, labels)).div_(len(labels))
        for layer in range(len(self.hidden), 0, -1):
            below = dense.input_gradient(theta[layer], delta)
            dense.gradient(theta[layer], inputs[layer], delta, out=self._gradients[layer], l2=self.l2)
            update(layer, self._gradients[layer])
            delta = below.mul_(inputs[layer][..., :-1].sign_())  # 1 where the ReLU let a number through, else 0
            if masks:
                delta.mul_(masks[layer - 1])
        input_layer.gradient(theta[0], inputs[0], rows, delta, out=self._gradients[0], l2=self.l2)
        update(0, self._gradients[0])

    def losses(self, theta: Sequence[Tensor], batch: Batch) -> Tensor:
        """Sums over the batch of each lane's cross-entropy and of its errors: [2, b] float64.

        An example counts as right where no class is likelier than its label.
        """
        labels = batch[2]
        log_likelihoods = torch.log_softmax(self._forward(theta, batch)[-1], 2)
        own = log_likelihoods.gather(2, labels.expand(self.width, -1)[:, :, None])[:, :, 0]
        wrong = log_likelihoods.amax(2).gt(own)
        return torch.stack([own.double().neg_().sum(1), wrong.sum(1, dtype=torch.float64)])

    def penalty(self, theta: Sequence[Tensor]) -> Tensor:
        """Each lane's l2/2 times the sum of W²: [b] float64."""
        return dense.squared_weights(theta).mul_(self.l2 / 2)

    def _forward(self, theta: Sequence[Tensor], batch: Batch) -> list[Tensor]:
        """The inputs of each layer, [b, n, inputs + 1], and the logits."""
        inputs, rows, _, *masks = batch
        layers = [inputs.expand(self.width, -1, -1)]
        outputs = input_layer.outputs(theta[0], layers[0], rows)
        for layer in range(len(self.hidden)):
            hidden = dense.empty_inputs(outputs)
            torch.clamp_min(outputs, 0.0, out=hidden[..., :-1])
            if masks:
                hidden[..., :-1] *= masks[layer]
            layers.append(hidden)
            outputs = dense.outputs(theta[layer + 1], hidden)
        return [*layers, outputs]

    def _mask(self, dropout: Dropout, draw: Draw, n: int, layer: int) -> Tensor:
        return dropout.mask(draw(layer), (n, self._sizes[layer]), self.device, self.dtype)
