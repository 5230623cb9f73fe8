"""What one update of an array looks like: its size against the step bounds, its signal, the weight of epsilon."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from adam_core.rules import Rule


@dataclass(frozen=True)
class StepDiagnostics:
    """Figures of one step, [slots] float64 each; of no meaning where a slot is frozen.

    Source: Kingma & Ba 2015, section 2.1 (step bounds, signal-to-noise ratio).
    """

    max_step: Tensor  #: the largest |theta_t - theta_(t-1)| / alpha_t of all parameters, alpha_t as scheduled
    signal_to_noise: Tensor  #: the mean of |m_hat| / sqrt(v_hat) over all parameters; NaN where the rule has no such
    epsilon_share: Tensor  #: the share of parameters in which epsilon is the larger part of what divides; NaN likewise
    update_norm: Tensor  #: Euclidean, of theta_t - theta_(t-1)
    weight_norm: Tensor  #: of theta_(t-1)
    gradient_norm: Tensor

    @classmethod
    def of_blocks(cls, observers: list[BlockObserver]) -> StepDiagnostics:
        """The figures of the blocks, one after the other."""
        sums = torch.cat([observer.sums for observer in observers], dim=1)
        max_step, signal, dominated, update, weight, gradient = sums
        n_parameters = observers[0].n_parameters
        return cls(
            max_step, signal / n_parameters, dominated / n_parameters, update.sqrt(), weight.sqrt(), gradient.sqrt()
        )


class BlockObserver:
    """Gathers the figures of one step of a block of b lanes, layer by layer.

    Args:
        rule: the update rule.
        alpha: [b] float64, alpha of this step, its schedule applied.
        lanes_last: whether a lane has columns of each matrix, every b-th; otherwise it has a row.
    """

    def __init__(self, rule: Rule, alpha: Tensor, *, lanes_last: bool) -> None:
        self._rule = rule
        self._alpha = alpha
        self._lanes_last = lanes_last
        self.sums = torch.zeros(6, len(alpha), dtype=torch.float64, device=alpha.device)  #: as `StepDiagnostics` is
        self.n_parameters = 0  #: of a lane

    def add(self, before: Tensor, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """Take in the update of a layer: matrices, as the rule takes them."""
        update, weight, gradient = (self._by_lane(matrix) for matrix in (theta.double() - before, before, grad))
        self.n_parameters += len(update)
        torch.maximum(self.sums[0], update.abs().amax(0) / self._alpha, out=self.sums[0])
        signal = self._rule.signal(state, coefficients, self._alpha_matrix(theta))
        for row, figure in enumerate(signal or (), start=1):
            self.sums[row] += self._by_lane(figure).sum(0)
        if signal is None:
            self.sums[1:3] = torch.nan
        for row, figure in enumerate((update, weight, gradient), start=3):
            self.sums[row] += figure.square().sum(0)

    def _by_lane(self, matrix: Tensor) -> Tensor:
        """[n, b] float64, n the parameters of a lane."""
        return (matrix.reshape(-1, len(self._alpha)) if self._lanes_last else matrix.t()).double()

    def _alpha_matrix(self, theta: Tensor) -> Tensor:
        """Alpha to broadcast against theta, in its dtype."""
        alpha = self._alpha.to(theta.dtype)
        return alpha.repeat(theta.shape[1] // len(alpha)) if self._lanes_last else alpha[:, None]
