"""SGD with Nesterov's momentum (Sutskever et al. 2013) for K lanes, in the form of `torch.optim.SGD`.

While alpha is constant, it is their vel <- mu vel - alpha grad(theta + mu vel), theta <- theta + vel, written for
the parameters theta + mu vel at which the gradient is taken.
"""

from __future__ import annotations

import torch
from torch import Tensor

from adam_core.rules.momentum import MomentumRule


class NesterovRule(MomentumRule):
    """b <- mu b + g, theta <- theta - alpha (g + mu b)."""

    def update_(self, theta: Tensor, grad: Tensor, state: tuple[Tensor, ...], coefficients: Tensor) -> None:
        """One step, in place, of theta and the state (b)."""
        alpha, mu = coefficients.unbind()
        (b,) = state
        b.mul_(mu).add_(grad)
        theta.sub_(torch.mul(b, mu, out=self._scratch.like(theta)).add_(grad).mul_(alpha))
