"""Training of any model as a trial array, beside torch's own optimizer."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from adam_core.arrays.lane_updates import LaneSetting, LaneUpdates
from adam_core.arrays.trial_array import TrialArray
from adam_core.models.stacked_model import Batch, StackedModel
from adam_core.randomness import Purpose, stream
from adam_core.schedules import Schedule


def assert_trains_as_torch_adam(
    model: StackedModel, batches: Sequence[Batch], loss: Callable[[Sequence[Tensor], Batch], Tensor]
) -> None:
    """Float64, within 1e-10: each of b + 1 lanes, whose last block is padded, ends where `torch.optim.Adam` ends.

    Args:
        model: in float64.
        batches: prepared, one for each step.
        loss: of one lane's parameters, L2 term included.
    """
    alphas = [1e-3 * (1 + lane) for lane in range(model.width + 1)]
    others = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-6}
    settings = [LaneSetting({"alpha": alpha, **others}, Schedule()) for alpha in alphas]
    array = TrialArray(
        model,
        LaneUpdates("adam", {}, steps_per_epoch=len(batches)),
        settings,
        [0] * len(alphas),
        lambda seed, layer: stream(0, seed, Purpose.INITIAL_WEIGHTS, layer=layer),
    )
    initial = array.parameters()
    for number, batch in enumerate(batches, start=1):
        array.step(number, {0: batch})
    final = array.parameters()
    for lane, alpha in enumerate(alphas):
        leaves = [theta[lane].clone().requires_grad_() for theta in initial]
        optimizer = torch.optim.Adam(leaves, lr=alpha, betas=(0.9, 0.99), eps=1e-6)
        for batch in batches:
            optimizer.zero_grad()
            torch.autograd.backward(loss(leaves, batch))
            optimizer.step()
        for theta, leaf in zip(final, leaves, strict=True):
            torch.testing.assert_close(theta[lane], leaf.detach(), rtol=0, atol=1e-10)
