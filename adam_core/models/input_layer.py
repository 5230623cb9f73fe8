"""The first fully connected layer, without the products with inputs that are 0 in all examples of a batch.

Of MNIST's 784 pixels, a batch of 128 has some 530. On a GPU, where the shapes of all batches must be the same, none is
left out.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from adam_core.models import dense

#: Inputs are counted in such steps, so that batches of many shapes do not occur, for which oneDNN compiles kernels.
_STEP = 16

#: If more than this share of the inputs is needed, all are taken: leaving inputs out costs copies of the parameters.
_WORTHWHILE = 0.9


def needed_inputs(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """What a batch needs of its inputs [n, F], and which rows of the layer's parameters.

    Returns:
        Inputs [n, m + 1], the last column ones, and the indices of their rows [m + 1]; none, [0], where these are all.
    """
    n_inputs = inputs.shape[1]
    if inputs.device.type == "cpu":
        used = inputs.numpy().any(axis=0)
        n_needed = -(-np.count_nonzero(used) // _STEP) * _STEP
        if n_needed <= _WORTHWHILE * n_inputs:
            columns = torch.from_numpy(np.argsort(~used, kind="stable")[: n_needed + 1])
            needed = inputs.index_select(1, columns)
            needed[:, -1], columns[-1] = 1, n_inputs
            return needed, columns
    layer_inputs = dense.empty_inputs(inputs)
    layer_inputs[:, :-1] = inputs
    return layer_inputs, torch.empty(0, dtype=torch.int64, device=inputs.device)


def outputs(theta: Tensor, inputs: Tensor, rows: Tensor) -> Tensor:
    """The layer's outputs [b, n, outputs].

    Args:
        theta: [b, F + 1, outputs].
        inputs: [b, n, m + 1], as `needed_inputs` gives them.
        rows: as `needed_inputs` gives them.
    """
    return dense.outputs(theta.index_select(1, rows) if len(rows) else theta, inputs)


def gradient(theta: Tensor, inputs: Tensor, rows: Tensor, delta: Tensor, out: Tensor, l2: float = 0.0) -> None:
    """Write the gradient with respect to the layer's parameters.

    Args:
        theta: [b, F + 1, outputs].
        inputs: [b, n, m + 1], as `needed_inputs` gives them.
        rows: as `needed_inputs` gives them.
        delta: gradient with respect to the outputs, [b, n, outputs].
        out: [b, F + 1, outputs].
        l2: the loss has the term l2/2 times the sum of W².
    """
    if not len(rows):
        dense.gradient(theta, inputs, delta, out, l2)
        return
    of_rows = out.new_empty(len(out), len(rows), out.shape[2])
    dense.gradient(theta, inputs, delta, of_rows)
    if l2:
        torch.mul(theta, l2, out=out)[:, -1] = 0
    else:
        out.zero_()
    out.index_add_(1, rows, of_rows)
