"""Problems of online convex optimisation in a box: an example is a cost, and every update is followed by a projection.

Source: Kingma & Ba 2015, section 4; the framework is Zinkevich's (2003).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import logsigmoid

from adam_core.models.examples import DenseExamples
from adam_core.models.stacked_model import Batch, Draw


class BoxProblem(ABC):
    """F parameters between -radius and radius, whose costs are convex; the one layer is [F, 1], the lane's axis last.

    Args:
        n_features: F.
        radius: half the side of the box.
        start: half the side of the smaller box in which a lane starts, uniformly.
        width: b, lanes in a block.
        device: where blocks lie.
        dtype: of parameters and examples.
    """

    lanes_last = True

    def __init__(
        self, n_features: int, radius: float, start: float, width: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.n_features = n_features
        self.radius = radius
        self.start = start
        self.width = width
        self.device = device
        self.dtype = dtype
        self._no_penalty = torch.zeros(width, dtype=torch.float64, device=device)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """One layer, [F, 1]."""
        return ((self.n_features, 1),)

    def initial(self, draw: Draw) -> tuple[NDArray[np.float64], ...]:
        """The parameters of one lane before step 1: ([F, 1],)."""
        return (draw(0).uniform(-self.start, self.start, (self.n_features, 1)),)

    def prepare(self, examples: DenseExamples, draw: Draw, *, training: bool) -> Batch:
        """The inputs [n, F] and the labels [n]."""
        return examples.inputs, examples.labels

    def backward(self, theta: Sequence[Tensor], batch: Batch, update: Callable[[int, Tensor], None]) -> None:
        """Hand the gradient [F, 1, b] to `update(0, gradient)`, then project the parameters onto the box."""
        parameters = theta[0]
        update(0, self._gradient(parameters.view(-1, self.width), batch).view(parameters.shape))
        parameters.clamp_(-self.radius, self.radius)

    def losses(self, theta: Sequence[Tensor], batch: Batch) -> Tensor:
        """Sums over the batch of each lane's costs and errors, computed in float64: [2, b].

        Parameters outside of the box, as the mean of iterates before their projection can be, are projected first.
        """
        inputs, labels = batch
        played = theta[0].view(-1, self.width).double().clamp_(-self.radius, self.radius)
        return self._costs(played, inputs.double(), labels)

    def penalty(self, theta: Sequence[Tensor]) -> Tensor:
        """None: [b] zeros."""
        return self._no_penalty

    @abstractmethod
    def _gradient(self, parameters: Tensor, batch: Batch) -> Tensor:
        """The gradient [F, b] of the mean cost at parameters [F, b]."""

    @abstractmethod
    def _costs(self, parameters: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        """Sums of the costs and of the errors, [2, b], all float64."""


class OnlineLogistic(BoxProblem):
    """f_t(theta) = log(1 + exp(-s theta·x)), x [F] the inputs of example t and s = 1 or -1 its label (1 or 0)."""

    def _gradient(self, parameters: Tensor, batch: Batch) -> Tensor:
        inputs, labels = batch
        residuals = torch.mm(inputs, parameters).sigmoid_().sub_(labels[:, None])
        return torch.mm(inputs.t(), residuals).div_(len(labels))

    def _costs(self, parameters: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        margins = torch.mm(inputs, parameters) * (2 * labels - 1)[:, None]
        return torch.stack([logsigmoid(margins).sum(0).neg_(), margins.lt(0.0).sum(0, dtype=torch.float64)])


class OnlineLinear(BoxProblem):
    """f_t(theta) = theta·x, x [F] the inputs of example t; the labels are not used.

    Source: the counterexample of Reddi, Kale & Kumar 2018, "On the Convergence of Adam and Beyond", section 3.
    """

    def _gradient(self, parameters: Tensor, batch: Batch) -> Tensor:
        return batch[0].mean(0)[:, None].expand_as(parameters).contiguous()

    def _costs(self, parameters: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        costs = torch.mm(inputs, parameters).sum(0)
        return torch.stack([costs, torch.zeros_like(costs)])
