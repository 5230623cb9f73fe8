"""The convolutional network of the paper's section 6.3."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adam_core.models import dense
from adam_core.models.convolution_stages import FirstStage, InnerStage
from adam_core.models.dropout import Dropout
from adam_core.models.examples import DenseExamples
from adam_core.models.fourier_convolution import Geometry
from adam_core.models.stacked_model import Batch, Draw

#: The convolutions are 5 x 5, with zeros around the images that keep their size.
KERNEL = 5

#: Images that an evaluation takes at once: the size of the paper's batches, whose memory then serves both.
_EVALUATED_AT_ONCE = 128


class CNN:
    """Stages of 5 x 5 convolution, ReLU and 3 x 3 max-pooling of stride 2, then a layer of ReLU units, then C classes.

    The loss is the mean cross-entropy + l2/2 times the sum of all layers' W². A layer's parameters are
    [inputs + 1, outputs]: the weights, and the biases as the last row; of a convolution the inputs are
    [row of the kernel, column, channel], of the first fully connected layer [row of the images, column, channel].

    Args:
        image_shape: (channels, height, width).
        channels: outputs of each stage (the paper's: 64, 64, 128); a stage halves the images, odd sides rounded down.
        hidden: units of the fully connected layer (the paper's: 1000).
        n_classes: C.
        l2: strength of the penalty of the weights; biases have none.
        width: b, lanes in a block.
        device: where blocks lie.
        dtype: of parameters and inputs.
        dropout: rate of the dropout of the fully connected units, a multiple of 1/256; 0 is none.
        input_dropout: that of the inputs.

    Raises:
        ValueError: images too small for so many stages; a rate that is not in [0, 1) or not a multiple of 1/256.

    Source: Kingma & Ba 2015, section 6.3 and figure 3. The paper states neither activation and padding of the
    convolutions, nor the edges of the pooling, nor the rate of dropout, nor initial weights; here these are normal of
    variance 2/inputs (He et al. 2015), 1/inputs in the last layer, biases 0.
    """

    lanes_last = False

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        channels: Sequence[int],
        hidden: int,
        n_classes: int,
        l2: float,
        width: int,
        device: torch.device,
        dtype: torch.dtype,
        *,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
    ) -> None:
        n_inputs, rows, columns = image_shape
        if min(rows, columns) < 2 ** len(channels):
            raise ValueError(f"image_shape must be at least {2 ** len(channels)} high and wide, got {image_shape}")
        self.l2 = l2
        self.width = width
        self.device = device
        self.dtype = dtype
        self._image_shape = image_shape
        self._hidden = hidden
        self._dropout = Dropout(dropout)
        self._input_dropout = Dropout(input_dropout)
        geometries = []
        for n_outputs in channels:
            geometries.append(Geometry(width, rows, columns, KERNEL, n_inputs, n_outputs))
            n_inputs, rows, columns = n_outputs, rows // 2, columns // 2
        self._first = FirstStage(geometries[0], device, dtype)
        self._others = [InnerStage(geometry, device, dtype) for geometry in geometries[1:]]
        self._pooled_shape = (rows, columns, n_inputs)
        self.shapes = (
            *((KERNEL**2 * geometry.n_inputs + 1, geometry.n_outputs) for geometry in geometries),
            (rows * columns * n_inputs + 1, hidden),
            (hidden + 1, n_classes),
        )
        self._eye = torch.eye(n_classes, dtype=dtype, device=device)
        self._gradients = dense.gradient_buffers(self.shapes, width, device, dtype)

    def initial(self, draw: Draw) -> tuple[NDArray[np.float64], ...]:
        """The parameters of one lane before step 1."""
        last = len(self.shapes) - 1
        return tuple(
            dense.initial(draw(layer), n_in - 1, n_out, variance=(1 if layer == last else 2) / (n_in - 1))
            for layer, (n_in, n_out) in enumerate(self.shapes)
        )

    def prepare(self, examples: DenseExamples, draw: Draw, *, training: bool) -> Batch:
        """The images, the labels [n] and, with dropout, a mask for the fully connected units, [n, hidden].

        Stream 0 drops inputs, stream 1 fully connected units.

        Args:
            examples: inputs [n, channels, height, width], or flat in this order.
            draw: the streams of the dropout.
            training: whether there is dropout.

        Returns:
            The images with zeros around them, [n, height + 4, width + 4, channels], labels and mask.
        """
        n, (channels, rows, columns) = len(examples), self._image_shape
        inputs = examples.inputs.view(n, *self._image_shape)
        masks: tuple[Tensor, ...] = ()
        if training and self._input_dropout.rate:
            inputs = inputs * self._input_dropout.mask(draw(0), inputs.shape, self.device, self.dtype)
        if training and self._dropout.rate:
            masks = (self._dropout.mask(draw(1), (n, self._hidden), self.device, self.dtype),)
        edge = KERNEL // 2
        images = inputs.new_zeros(n, rows + 2 * edge, columns + 2 * edge, channels)
        images[:, edge:-edge, edge:-edge] = inputs.permute(0, 2, 3, 1)
        return images, examples.labels, *masks

    def backward(self, theta: Sequence[Tensor], batch: Batch, update: Callable[[int, Tensor], None]) -> None:
        """Hand each layer's gradient [b, inputs + 1, outputs] to `update`, the last layer's first."""
        images, labels, *masks = batch
        n, last = len(labels), len(theta) - 1
        features, hidden, logits = self._forward(theta, images, masks)
        delta = torch.softmax(logits, 2).sub_(self._eye.index_select(0, labels)).div_(n)
        below = dense.input_gradient(theta[last], delta)
        dense.gradient(theta[last], hidden, delta, out=self._gradients[last], l2=self.l2)
        update(last, self._gradients[last])
        delta = below.mul_(hidden[..., :-1].sign_())  # 1 where the ReLU let a number through, else 0
        for mask in masks:
            delta.mul_(mask)
        below = dense.input_gradient(theta[last - 1], delta)
        dense.gradient(theta[last - 1], features, delta, out=self._gradients[last - 1], l2=self.l2)
        update(last - 1, self._gradients[last - 1])
        deltas = below.view(self.width, n, *self._pooled_shape).permute(0, 2, 3, 1, 4).contiguous()
        for layer in reversed(range(1, last - 1)):
            deltas = self._others[layer - 1].backward(theta[layer], deltas, self._gradients[layer], self.l2)
            update(layer, self._gradients[layer])
        self._first.backward(theta[0], images, deltas, self._gradients[0], self.l2)
        update(0, self._gradients[0])

    def losses(self, theta: Sequence[Tensor], batch: Batch) -> Tensor:
        """Sums over the batch of each lane's cross-entropy and of its errors: [2, b] float64.

        An example counts as right where no class is likelier than its label.
        """
        sums = torch.zeros(2, self.width, dtype=torch.float64, device=self.device)
        for images, labels, *masks in zip(*(torch.split(tensor, _EVALUATED_AT_ONCE) for tensor in batch), strict=True):
            log_likelihoods = torch.log_softmax(self._forward(theta, images, masks)[-1], 2)
            own = log_likelihoods.gather(2, labels.expand(self.width, -1)[:, :, None])[:, :, 0]
            sums[0] -= own.double().sum(1)
            sums[1] += log_likelihoods.amax(2).gt(own).sum(1)
        return sums

    def penalty(self, theta: Sequence[Tensor]) -> Tensor:
        """Each lane's l2/2 times the sum of W²: [b] float64."""
        return dense.squared_weights(theta).mul_(self.l2 / 2)

    def _forward(self, theta: Sequence[Tensor], images: Tensor, masks: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The inputs of the two fully connected layers, each with its ones, and the logits: [b, n, ...] each."""
        *convolutions, theta_hidden, theta_logits = theta
        outputs = self._first.forward(convolutions[0], images)
        for stage, parameters in zip(self._others, convolutions[1:], strict=True):
            outputs = stage.forward(parameters, outputs)
        pooled = outputs.permute(0, 3, 1, 2, 4).flatten(2)
        features = dense.empty_inputs(pooled)
        features[..., :-1] = pooled
        units = dense.outputs(theta_hidden, features)
        hidden = dense.empty_inputs(units)
        torch.clamp_min(units, 0.0, out=hidden[..., :-1])
        for mask in masks:
            hidden[..., :-1] *= mask
        return features, hidden, dense.outputs(theta_logits, hidden)
