"""Saved states of the drop-in classes, and those of torch's."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn

from adam_core import SGD, AdaGrad, Adam, RMSProp
from tests.adam_core.optimizer_cases import MODES, Build, assert_equal, each_mode, each_pair, network, train


@pytest.mark.parametrize("how", ["state_dict", "pickle", "deepcopy"])
@each_mode
def test_a_saved_optimizer_goes_on_bit_for_bit(build: Build, how: str) -> None:
    whole = network(torch.float32)
    expected = train(whole, build(whole.parameters(), lr=0.01), 20)
    model = network(torch.float32)
    optimizer = build(model.parameters(), lr=0.01)
    train(model, optimizer, 10)
    if how == "state_dict":
        file = io.BytesIO()
        torch.save(optimizer.state_dict(), file)
        file.seek(0)
        optimizer = build(model.parameters(), lr=0.5)
        optimizer.load_state_dict(torch.load(file, weights_only=True))
    elif how == "pickle":
        model, optimizer = pickle.loads(pickle.dumps((model, optimizer)))
    else:
        model, optimizer = copy.deepcopy((model, optimizer))
    assert_equal(train(model, optimizer, 10, first=10), expected)


@pytest.mark.parametrize("direction", ["from torch", "to torch"])
@each_pair
def test_state_dicts_go_from_and_to_torch(ours: Build, torchs: Build, direction: str) -> None:
    builds = (torchs, ours) if direction == "from torch" else (ours, torchs)
    whole, model = network(), network()
    expected = train(whole, torchs(whole.parameters(), lr=0.01), 30)
    before = builds[0](model.parameters(), lr=0.01)
    train(model, before, 15)
    after = builds[1](model.parameters())
    after.load_state_dict(before.state_dict())
    assert_equal(train(model, after, 15, first=15), expected, 1e-10)


@each_pair
def test_state_has_torchs_names_and_layout(ours: Build, torchs: Build) -> None:
    states = []
    for build in (ours, torchs):
        theta = nn.Parameter(torch.ones(2, 3, 4, 5).contiguous(memory_format=torch.channels_last))
        theta.grad = torch.ones(2, 3, 4, 5)
        optimizer = build([theta])
        optimizer.step()
        states.append(optimizer.state[theta])
    assert states[0]["step"] == 1
    more = {"SGD": {"step"}, "RMSProp": {"momentum_buffer"}}.get(type(ours([theta])).__name__, set())
    assert states[1].keys() <= states[0].keys() <= states[1].keys() | more
    for name in states[1].keys() - {"step"}:
        torch.testing.assert_close(states[0][name], states[1][name])
        assert states[0][name].stride() == theta.stride()


def test_a_state_of_torchs_fused_adam_is_taken_over() -> None:
    """fused chooses how torch computes, not what: the checkpoint is as good as any."""
    model = network()
    before = torch.optim.Adam(model.parameters(), fused=True)
    train(model, before, 3)
    after = Adam(model.parameters())
    after.load_state_dict(before.state_dict())
    train(model, after, 1, first=3)
    assert {state["step"] for state in after.state.values()} == {4} and "fused" not in after.param_groups[0]


def test_a_state_of_torch_leaves_modes_that_torch_has_not_as_they_are() -> None:
    model = network()
    before = torch.optim.Adam(model.parameters(), lr=0.25)
    train(model, before, 1)
    after = Adam(model.parameters(), epsilon_mode="root", bias_correction=False)
    after.load_state_dict(before.state_dict())
    group = after.param_groups[0]
    assert (group["lr"], group["epsilon_mode"], group["bias_correction"]) == (0.25, "root", False)


@pytest.mark.parametrize("build", [SGD, RMSProp])
def test_momentum_may_begin_at_a_state_without_it(build: Build) -> None:
    """The first step with it is then one without."""
    model = network()
    before = build(model.parameters(), lr=0.01)
    train(model, before, 2)
    without = before.state_dict()
    for held in without["state"].values():
        held.pop("momentum_buffer", None)
    without["param_groups"][0]["momentum"] = 0.9
    after = build(model.parameters())
    after.load_state_dict(without)
    same_model, without_momentum = copy.deepcopy((model, before))
    expected = train(same_model, without_momentum, 1, first=2)
    assert_equal(train(model, after, 1, first=2), expected, 1e-15)


def test_parameters_that_torchs_adagrad_has_not_trained_yet() -> None:
    """It makes its state when it is built, with step 0."""
    theta = nn.Parameter(torch.ones(2))
    after = AdaGrad([theta])
    after.load_state_dict(torch.optim.Adagrad([theta]).state_dict())
    theta.grad = torch.ones(2)
    after.step()
    assert after.state[theta]["step"] == 1 and after.state[theta]["sum"].tolist() == [1.0, 1.0]


def test_pickles_of_untrained_optimizers() -> None:
    for build in MODES.values():
        model = network()
        model, optimizer = pickle.loads(pickle.dumps((model, build(model.parameters()))))
        train(model, optimizer, 1)
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))]})
