"""The drop-in classes beside torch's, and a small network to train with both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn, optim
from torch.optim.optimizer import Optimizer

from adam_core import SGD, AdaDelta, AdaGrad, Adam, AdaMax, AMSGrad, RMSProp
from adam_core.optimizers.base import RuleOptimizer
from tests.adam_core.rule_runner import F64, relative_gap

Build = Callable[..., Optimizer]
Ours = Callable[..., RuleOptimizer]

OURS: list[Ours] = [Adam, AdaMax, AMSGrad, SGD, AdaGrad, RMSProp, AdaDelta]

adamax_in_max = partial(AdaMax, epsilon_mode="in-max")


def _pair(ours: Build, torchs: Build, **settings: Any) -> tuple[Build, Build]:
    return partial(ours, **settings), partial(torchs, foreach=False, **settings)


#: Ours and torch's, with the same settings. Those that are not said are the defaults of each, which must agree.
PAIRS: Mapping[str, tuple[Build, Build]] = {
    "Adam": _pair(Adam, optim.Adam),
    "Adam-short-memory": _pair(Adam, optim.Adam, lr=0.01, betas=(0.5, 0.9), eps=1e-3),
    "Adam-no-momentum": _pair(Adam, optim.Adam, lr=0.01, betas=(0.0, 0.9999)),
    "AdamW": (
        partial(Adam, weight_decay=0.1, decoupled_weight_decay=True),
        partial(optim.AdamW, weight_decay=0.1, foreach=False),
    ),
    "AdaMax": _pair(adamax_in_max, optim.Adamax),
    "AdaMax-short-memory": _pair(adamax_in_max, optim.Adamax, lr=0.01, betas=(0.5, 0.9), eps=1e-3),
    "AMSGrad": (AMSGrad, partial(optim.Adam, amsgrad=True, foreach=False)),
    "SGD": _pair(SGD, optim.SGD),
    "SGD-momentum": _pair(SGD, optim.SGD, lr=0.01, momentum=0.9),
    "SGD-Nesterov": _pair(SGD, optim.SGD, lr=0.01, momentum=0.9, nesterov=True),
    "AdaGrad": _pair(AdaGrad, optim.Adagrad),
    "RMSProp": _pair(RMSProp, optim.RMSprop),
    "RMSProp-momentum": _pair(RMSProp, optim.RMSprop, alpha=0.9, eps=1e-3, momentum=0.5),
    "RMSProp-centered": _pair(RMSProp, optim.RMSprop, lr=1e-3, centered=True),
    "RMSProp-both": _pair(RMSProp, optim.RMSprop, lr=1e-3, momentum=0.9, centered=True),
    "AdaDelta": _pair(AdaDelta, optim.Adadelta),
    "AdaDelta-long-memory": _pair(AdaDelta, optim.Adadelta, lr=0.5, rho=0.99, eps=1e-4),
}
each_pair = pytest.mark.parametrize(("ours", "torchs"), PAIRS.values(), ids=PAIRS.keys())

#: Every rule and mode of ours, torch's or not.
MODES: Mapping[str, Build] = {
    **{name: ours for name, (ours, _) in PAIRS.items()},
    "Adam-hat": partial(Adam, epsilon_mode="hat"),
    "Adam-root": partial(Adam, epsilon_mode="root", beta1_decay=0.99),
    "Adam-uncorrected": partial(Adam, bias_correction=False, averaging="exponential"),
    "AdaMax-none": partial(AdaMax, averaging="polyak"),
    "AdaMax-added": partial(AdaMax, epsilon_mode="added", beta1_decay=0.99),
    "AMSGrad-v_hat": partial(AMSGrad, maximum_of="v_hat"),
    "SGD-averaged": partial(SGD, averaging="polyak", weight_decay=0.1, decoupled_weight_decay=True),
    "AdaGrad-root": partial(AdaGrad, epsilon_mode="root"),
    "RMSProp-root": partial(RMSProp, epsilon_mode="root", averaging="exponential", averaging_beta=0.9),
}
each_mode = pytest.mark.parametrize("build", MODES.values(), ids=MODES.keys())


def network(dtype: torch.dtype = F64, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).to(dtype)


def train(model: nn.Module, optimizer: Optimizer, n_steps: int, first: int = 0) -> list[Tensor]:
    """n_steps on batches that depend on the step's number; the parameters in the end."""
    dtype = next(model.parameters()).dtype
    for step in range(first, first + n_steps):
        generator = torch.Generator().manual_seed(step)
        inputs = torch.randn(16, 6, generator=generator, dtype=F64).to(dtype)
        classes = torch.randint(3, (16,), generator=generator)
        optimizer.zero_grad()
        torch.autograd.backward(nn.functional.cross_entropy(model(inputs), classes))
        optimizer.step()
    return [parameter.detach() for parameter in model.parameters()]


def assert_equal(left: list[Tensor], right: list[Tensor], tolerance: float = 0.0) -> None:
    for a, b in zip(left, right, strict=True):
        assert relative_gap(a, b) <= tolerance
