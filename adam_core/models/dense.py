"""Fully connected layers of b lanes.

A layer's parameters are [b, inputs + 1, outputs]: the weights, and the biases as the last row. Its inputs are
[b, n, inputs + 1], the last column ones, so that one product gives weights and biases their parts. (Besides, both
libraries below read rows faster whose length is odd.)

On a CPU, large float32 products with the weights are oneDNN's, a tenth faster than MKL's (on an AMD EPYC). So are all
those of several lanes: the numbers of MKL's small products depend on where in memory a lane lies, oneDNN's do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: oneDNN's product of inputs [n, i] with weights [o, i], which torch itself calls in what it compiles.
_onednn: Any = getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None  # type: ignore[no-untyped-call]

#: Multiplications from which on oneDNN is faster in blocks of one lane.
_LARGE = 2**24

#: Products of fewer columns are computed transposed: MKL is three times as fast then (on an AMD EPYC), and its numbers
#: do not depend on where in memory a lane lies.
_NARROW = 16


def initial(random: np.random.Generator, n_inputs: int, n_outputs: int, variance: float) -> NDArray[np.float64]:
    """One lane's parameters before step 1, [inputs + 1, outputs]: normal weights of this variance, biases 0."""
    weights = random.standard_normal((n_inputs, n_outputs)) * np.sqrt(variance)
    return np.concatenate([weights, np.zeros((1, n_outputs))])


def empty_inputs(outputs: Tensor) -> Tensor:
    """Memory for the inputs that a layer's outputs [..., units] become: [..., units + 1], the last column ones."""
    inputs = outputs.new_empty(*outputs.shape[:-1], outputs.shape[-1] + 1)
    inputs[..., -1] = 1
    return inputs


def outputs(theta: Tensor, inputs: Tensor) -> Tensor:
    """The outputs [b, n, outputs] of a layer.

    Args:
        theta: [b, inputs + 1, outputs].
        inputs: [b, n, inputs + 1].
    """
    return _product_with_weights(inputs, theta)


def input_gradient(theta: Tensor, delta: Tensor) -> Tensor:
    """The gradient with respect to a layer's inputs (not the ones), [b, n, inputs].

    Args:
        theta: [b, inputs + 1, outputs].
        delta: gradient with respect to its outputs, [b, n, outputs].
    """
    return _product_with_weights(delta, theta[:, :-1].mT)


def gradient(theta: Tensor, inputs: Tensor, delta: Tensor, out: Tensor, l2: float = 0.0) -> None:
    """Write the gradient with respect to a layer's parameters.

    Args:
        theta: [b, inputs + 1, outputs].
        inputs: [b, n, inputs + 1].
        delta: gradient with respect to its outputs, [b, n, outputs].
        out: [b, inputs + 1, outputs].
        l2: the loss has the term l2/2 times the sum of W².
    """
    _product(inputs.mT, delta, out)
    if l2:
        out[:, :-1].add_(theta[:, :-1], alpha=l2)


def squared_weights(theta: Sequence[Tensor]) -> Tensor:
    """Each lane's sum of W² over these layers: [b] float64."""
    return torch.stack([layer[:, :-1].flatten(1).double().square().sum(1) for layer in theta]).sum(0)


def gradient_buffers(
    shapes: Sequence[tuple[int, ...]], width: int, device: torch.device, dtype: torch.dtype
) -> list[Tensor]:
    """A tensor [b, *shape] for each layer's gradient, all in one memory of the largest one's size."""
    sizes = [width * int(np.prod(shape)) for shape in shapes]
    memory = torch.empty(max(sizes), dtype=dtype, device=device)
    return [memory[:size].view(width, *shape) for size, shape in zip(sizes, shapes, strict=True)]


def _product_with_weights(left: Tensor, weights: Tensor) -> Tensor:
    """The product [b, n, o] of [b, n, i] and [b, i, o]."""
    b, n, _ = left.shape
    is_float32_on_cpu = left.device.type == "cpu" and left.dtype is torch.float32
    if _onednn is None or not is_float32_on_cpu or (b == 1 and n * weights.numel() < _LARGE):
        return _product(left, weights, left.new_empty(b, n, weights.shape[2]))
    lanes = [_onednn(of_lane, matrix.t(), None, "none", [], "") for of_lane, matrix in zip(left, weights, strict=True)]
    return lanes[0][None] if b == 1 else torch.stack(lanes)


def _product(left: Tensor, right: Tensor, out: Tensor) -> Tensor:
    if out.shape[2] < _NARROW:
        return out.copy_(torch.bmm(right.mT, left.mT).mT)
    return torch.bmm(left, right, out=out)
