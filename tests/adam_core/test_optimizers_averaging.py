"""Temporal averaging in the drop-in classes, Kingma & Ba 2015, section 7.2."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from adam_core import SGD, AdaDelta, AdaGrad, Adam, AdaMax, AMSGrad, RMSProp
from tests.adam_core.optimizer_cases import OURS, Ours, assert_equal, network, train


def values(model: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


@pytest.mark.parametrize("build", OURS)
def test_polyak_is_torchs_averaged_model(build: Ours) -> None:
    model = network()
    optimizer = build(model.parameters(), lr=0.05, averaging="polyak")
    theirs = AveragedModel(model)
    for step in range(30):
        trained = copy.deepcopy(train(model, optimizer, 1, first=step))
        theirs.update_parameters(model)
    with optimizer.averaged_parameters():
        assert_equal(values(model), values(theirs.module), 1e-12)
    assert_equal(values(model), trained)


@pytest.mark.parametrize(
    ("build", "settings", "beta2"),
    [
        (Adam, {"betas": (0.9, 0.8)}, 0.8),
        (AdaMax, {"betas": (0.9, 0.8)}, 0.8),
        (AMSGrad, {"betas": (0.9, 0.8)}, 0.8),
        (SGD, {"averaging_beta": 0.8}, 0.8),
        (AdaGrad, {}, 0.999),
        (RMSProp, {"averaging_beta": 0.0}, 0.0),
        (AdaDelta, {"averaging_beta": 0.9}, 0.9),
    ],
)
def test_exponential_is_the_papers_mean(build: Ours, settings: dict[str, Any], beta2: float) -> None:
    """theta_bar <- beta2 theta_bar + (1 - beta2) theta from 0, divided by 1 - beta2^t."""
    model = network()
    optimizer = build(model.parameters(), lr=0.05, averaging="exponential", **settings)
    means = [torch.zeros_like(theta) for theta in values(model)]
    for step in range(30):
        trained = train(model, optimizer, 1, first=step)
        means = [beta2 * mean + (1 - beta2) * theta for mean, theta in zip(means, trained, strict=True)]
        with optimizer.averaged_parameters():
            assert_equal(values(model), [mean / (1 - beta2 ** (step + 1)) for mean in means], 1e-12)


@pytest.mark.parametrize("averaging", ["polyak", "exponential"])
@pytest.mark.parametrize("build", OURS)
def test_training_does_not_see_the_average(build: Ours, averaging: str) -> None:
    plain, averaged = network(torch.float32), network(torch.float32)
    expected = train(plain, build(plain.parameters()), 20)
    optimizer = build(averaged.parameters(), averaging=averaging)
    train(averaged, optimizer, 10)
    with pytest.raises(ZeroDivisionError), optimizer.averaged_parameters():
        assert not torch.equal(next(averaged.parameters()), next(plain.parameters()))
        raise ZeroDivisionError
    assert_equal(train(averaged, optimizer, 10, first=10), expected)


def test_what_is_not_averaged_stays() -> None:
    """Groups without averaging, and parameters that had no gradient yet."""
    averaged, plain, unused = (nn.Parameter(torch.full((2,), 5.0)) for _ in range(3))
    groups: list[dict[str, Any]] = [{"params": [averaged, unused], "averaging": "polyak"}, {"params": [plain]}]
    optimizer = SGD(groups, lr=1.0)
    for _ in range(3):
        averaged.grad, plain.grad = torch.ones(2), torch.ones(2)
        optimizer.step()
    with optimizer.averaged_parameters():
        assert averaged.tolist() == [3.0, 3.0] and plain.tolist() == [2.0, 2.0] and unused.tolist() == [5.0, 5.0]
    assert averaged.tolist() == [2.0, 2.0] and unused not in optimizer.state


def test_the_average_goes_with_the_state() -> None:
    whole, model = network(), network()
    optimizer = Adam(whole.parameters(), averaging="polyak")
    train(whole, optimizer, 20)
    before = Adam(model.parameters(), averaging="polyak")
    train(model, before, 10)
    after = Adam(model.parameters())
    after.load_state_dict(before.state_dict())
    with optimizer.averaged_parameters():
        expected = values(whole)
    train(model, after, 10, first=10)
    with after.averaged_parameters():
        assert_equal(values(model), expected)
    theirs = torch.optim.Adam(model.parameters())
    theirs.load_state_dict(after.state_dict())  # which torch's class carries along
    assert_equal(train(model, theirs, 5, first=20), train(whole, optimizer, 5, first=20), 1e-10)


def test_a_state_without_the_average_is_refused() -> None:
    theta = nn.Parameter(torch.ones(1))
    theta.grad = torch.ones(1)
    before = torch.optim.Adam([theta])
    before.step()
    with pytest.raises(ValueError, match=r"^state must hold step, exp_avg, exp_avg_sq, param_avg, got step"):
        Adam([theta], averaging="polyak").load_state_dict(before.state_dict())
