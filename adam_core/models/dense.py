"""Fully connected layers of b lanes.

A layer's parameters are [b, inputs + 1, outputs]: the weights, and the biases as the last row.

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

#: oneDNN's product, which torch itself calls in what it compiles: inputs [n, i], weights [o, i] and biases [o] or None.
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


def outputs(theta: Tensor, inputs: Tensor) -> Tensor:
    """The outputs [b, n, outputs] of a layer.

    Args:
        theta: [b, inputs + 1, outputs].
        inputs: [b, n, inputs].
    """
    weights, biases = theta[:, :-1], theta[:, -1:]
    if _is_onednns(inputs, theta):
        return _lane_by_lane(inputs, weights.mT, biases[:, 0])
    return _product(inputs, weights, inputs.new_empty(*inputs.shape[:2], theta.shape[2]), biases)


def input_gradient(theta: Tensor, delta: Tensor) -> Tensor:
    """The gradient with respect to a layer's inputs, [b, n, inputs].

    Args:
        theta: [b, inputs + 1, outputs].
        delta: gradient with respect to its outputs, [b, n, outputs].
    """
    weights = theta[:, :-1]
    if _is_onednns(delta, theta):
        return _lane_by_lane(delta, weights, [None] * len(theta))
    out = delta.new_empty(*delta.shape[:2], weights.shape[1])
    return _product(delta, weights.mT, out, out, beta=0.0)


def gradient(theta: Tensor, inputs: Tensor, delta: Tensor, out: Tensor, l2: float = 0.0) -> None:
    """Write the gradient with respect to a layer's parameters.

    Args:
        theta: [b, inputs + 1, outputs].
        inputs: [b, n, inputs].
        delta: gradient with respect to its outputs, [b, n, outputs].
        out: [b, inputs + 1, outputs].
        l2: the loss has the term l2/2 times the sum of W².
    """
    _product(inputs.mT, delta, out[:, :-1], theta[:, :-1], beta=l2)
    torch.sum(delta, 1, out=out[:, -1])


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


def _is_onednns(inputs: Tensor, theta: Tensor) -> bool:
    """Whether oneDNN computes the product of inputs [b, n, i] with the weights."""
    if _onednn is None or theta.device.type != "cpu" or theta.dtype is not torch.float32:
        return False
    return len(theta) > 1 or inputs.shape[1] * theta.numel() >= _LARGE


def _lane_by_lane(inputs: Tensor, weights: Tensor, biases: Sequence[Tensor | None] | Tensor) -> Tensor:
    """Products [b, n, o] of inputs [b, n, i] with weights [b, o, i], plus biases [o] of each lane, by oneDNN."""
    lanes = [_onednn(*lane, "none", [], "") for lane in zip(inputs, weights, biases, strict=True)]
    return lanes[0][None] if len(lanes) == 1 else torch.stack(lanes)


def _product(left: Tensor, right: Tensor, out: Tensor, term: Tensor, beta: float = 1.0) -> Tensor:
    """Write left @ right + beta * term; where beta is 0, the term is not read."""
    if out.shape[2] < _NARROW:
        return out.copy_(torch.baddbmm(term.mT, right.mT, left.mT, beta=beta).mT)
    return torch.baddbmm(term, left, right, beta=beta, out=out)
