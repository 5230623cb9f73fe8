"""A stage of a convolutional network: convolution, 3 x 3 max-pooling of stride 2, bias and ReLU, for b lanes.

Bias and ReLU commute with pooling and come after it, where a quarter of the numbers is left. Images are
[b, height, width, n, channels], a stage's parameters [b, k k inputs + 1, outputs]: the weights, taps before inputs, and
the biases as the last row.

Pooling halves height and width, odd ones rounded down; windows end at the images' edge (as in Caffe, TensorFlow's
"SAME" for even sizes, and torch's ceil_mode).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from adam_core.models.fourier_convolution import FourierConvolution, Geometry

_POOLING = ([3, 3], [2, 2], [0, 0], [1, 1], True)  # window, stride, padding, dilation, ceil_mode

#: Numbers in the patches of as many images as a CPU takes at once: patches stay in its second-level cache.
_CACHED = 2**18


class _Stage:
    """What stages share: the memory for what is pooled, and the way back to the pooled numbers."""

    def __init__(self, geometry: Geometry, device: torch.device, dtype: torch.dtype) -> None:
        self._geometry = geometry
        self._like = torch.empty(0, dtype=dtype, device=device)
        self._at_once: int | None = None  #: images that are convolved at once; None: all
        self._buffers: dict[int, tuple[Tensor, list[Tensor]]] = {}

    def _parts(self, n: int) -> list[slice]:
        """The parts of n images that are convolved at once."""
        size = self._at_once or n
        return [slice(start, min(start + size, n)) for start in range(0, n, size)]

    def _pooled(self, n: int) -> tuple[Tensor, list[Tensor]]:
        """For n images, memory for the pooled ones and, of each part, for where they were taken from."""
        if n not in self._buffers:
            sizes = self._geometry
            shape = (sizes.lanes, sizes.height // 2, sizes.width // 2)
            pooled = self._like.new_empty(*shape, n, sizes.n_outputs)
            lengths = (part.stop - part.start for part in self._parts(n))
            indices = [pooled.new_empty(*shape, m, sizes.n_outputs, dtype=torch.int64) for m in lengths]
            self._buffers[n] = pooled, indices
        return self._buffers[n]

    def _before_relu(self, theta: Tensor, deltas: Tensor, gradient: Tensor, l2: float) -> None:
        """Turn deltas of the outputs into those of what was pooled, and start the gradient: biases and L2 term."""
        pooled, _ = self._pooled(deltas.shape[3])
        torch.ops.aten.threshold_backward.grad_input(deltas, pooled, 0, grad_input=deltas)
        torch.mul(theta[:, :-1], l2, out=gradient[:, :-1])
        torch.sum(deltas.flatten(1, 3), 1, out=gradient[:, -1])


class FirstStage(_Stage):
    """The stage that sees the data, which all lanes share: a product with the k x k patches of the images.

    Args:
        geometry: the convolution's sizes.
        device: where all of it lies.
        dtype: of all of it.
    """

    def __init__(self, geometry: Geometry, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(geometry, device, dtype)
        patches = geometry.height * geometry.width * geometry.kernel**2 * geometry.n_inputs
        if device.type == "cpu":
            self._at_once = max(1, _CACHED // patches)
        self._work: dict[int, tuple[Tensor, Tensor]] = {}

    def forward(self, theta: Tensor, images: Tensor) -> Tensor:
        """The outputs, [b, height // 2, width // 2, n, outputs], valid until the next call.

        Args:
            theta: the parameters.
            images: with zeros around them, [n, height + k - 1, width + k - 1, channels].
        """
        pooled, indices = self._pooled(len(images))
        for part, its_indices in zip(self._parts(len(images)), indices, strict=True):
            patches, outputs = self._patches(images[part])
            torch.bmm(patches, theta[:, :-1], out=outputs.flatten(1, 3))
            _pool(outputs, pooled[:, :, :, part], its_indices)
        return pooled.add_(theta[:, -1, None, None, None]).relu_()

    def backward(self, theta: Tensor, images: Tensor, deltas: Tensor, gradient: Tensor, l2: float) -> None:
        """Fill the gradient with respect to the parameters.

        Args:
            theta: the parameters.
            images: of the last `forward`.
            deltas: the gradient with respect to its outputs, contiguous; it is overwritten.
            gradient: to be filled.
            l2: the loss has the term l2/2 times the sum of W².
        """
        self._before_relu(theta, deltas, gradient, l2)
        _, indices = self._pooled(len(images))
        for part, its_indices in zip(self._parts(len(images)), indices, strict=True):
            patches, outputs = self._patches(images[part])
            _unpool(deltas[:, :, :, part], its_indices, outputs)
            gradient[:, :-1].baddbmm_(patches.mT, outputs.flatten(1, 3))

    def _patches(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The patches of a part of the images, [b, height width m, k k inputs], and memory for its outputs."""
        m, sizes = len(images), self._geometry
        height, width, k = sizes.height, sizes.width, sizes.kernel
        if m not in self._work:
            self._work[m] = (
                self._like.new_empty(height, width, m, k, k, sizes.n_inputs),
                self._like.new_empty(sizes.lanes, height, width, m, sizes.n_outputs),
            )
        patches, outputs = self._work[m]
        patches.copy_(images.unfold(1, k, 1).unfold(2, k, 1).permute(1, 2, 0, 4, 5, 3))
        return patches.view(1, height * width * m, -1).expand(sizes.lanes, -1, -1), outputs


class InnerStage(_Stage):
    """A stage that follows another.

    Args:
        geometry: the convolution's sizes.
        device: where all of it lies.
        dtype: of all of it.
    """

    def __init__(self, geometry: Geometry, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(geometry, device, dtype)
        self._convolution = FourierConvolution(geometry, device, dtype)
        self._images = self._like

    def forward(self, theta: Tensor, images: Tensor) -> Tensor:
        """The outputs, [b, height // 2, width // 2, n, outputs], valid until the next call.

        Args:
            theta: the parameters.
            images: [b, height, width, n, inputs]; they must not change until `backward`.
        """
        self._images = images
        pooled, (indices,) = self._pooled(images.shape[3])
        _pool(self._convolution.forward(images, self._weights(theta)), pooled, indices)
        return pooled.add_(theta[:, -1, None, None, None]).relu_()

    def backward(self, theta: Tensor, deltas: Tensor, gradient: Tensor, l2: float) -> Tensor:
        """Fill the gradient with respect to the parameters; that with respect to the images, valid until the next call.

        Args:
            theta: the parameters.
            deltas: the gradient with respect to the outputs of the last `forward`, contiguous; it is overwritten.
            gradient: to be filled.
            l2: the loss has the term l2/2 times the sum of W².
        """
        self._before_relu(theta, deltas, gradient, 0.0)
        n = deltas.shape[3]
        _, (indices,) = self._pooled(n)
        outputs = self._convolution.outputs(n)
        _unpool(deltas, indices, outputs)
        below = self._convolution.backward(outputs, self._weights(gradient))
        weights = gradient[:, :-1].mul_(self._learning(outputs))
        if l2:
            weights.add_(theta[:, :-1], alpha=l2)
        return below

    def _learning(self, deltas: Tensor) -> Tensor:
        """Which weights find an input and a delta that are not 0, at places that they join: [b, k k inputs, outputs].

        The others' gradient is 0, as units are dead or see borders only; Fourier transforms leave rounding errors of
        some 1e-9 there, which Adam would make steps of up to alpha of.
        """
        k = self._geometry.kernel
        patches = pad(_occurs(self._images), (0, 0, k // 2, k // 2, k // 2, k // 2)).unfold(1, k, 1).unfold(2, k, 1)
        by_weight = patches.permute(0, 4, 5, 3, 1, 2).flatten(4).flatten(1, 3)
        return torch.bmm(by_weight, _occurs(deltas).flatten(1, 2)).ne_(0)

    def _weights(self, theta: Tensor) -> Tensor:
        """The weights as the convolution takes them, [b, k k, inputs outputs]."""
        return theta[:, :-1].view(len(theta), self._geometry.kernel**2, -1)


def _pool(images: Tensor, pooled: Tensor, indices: Tensor) -> None:
    """Write the largest number of each window, and where in the images it was."""
    out, indices = _planes(pooled), _planes(indices)
    torch.ops.aten.max_pool2d_with_indices.out(_planes(images), *_POOLING, out=out, indices=indices)


def _unpool(deltas: Tensor, indices: Tensor, images: Tensor) -> None:
    """Overwrite images with the gradient with respect to them of that with respect to what was pooled of them."""
    torch.ops.aten.max_pool2d_with_indices_backward.grad_input(
        _planes(deltas), _planes(images), *_POOLING, _planes(indices), grad_input=_planes(images)
    )


def _occurs(images: Tensor) -> Tensor:
    """1 where one of the n images [b, height, width, n, channels] is not 0, else 0: [b, height, width, channels]."""
    return (images.amax(3).ne(0) | images.amin(3).ne(0)).to(images.dtype)


def _planes(images: Tensor) -> Tensor:
    """Lanes as torch's images, [b, n channels, height, width], the channels last in memory."""
    return images.flatten(3).permute(0, 3, 1, 2)
