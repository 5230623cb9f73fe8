"""What the drop-in classes refuse, each in one clear line."""

import re
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from adam_core import SGD, AdaDelta, AdaGrad, Adam, AdaMax, AMSGrad, RMSProp
from tests.adam_core.optimizer_cases import OURS, Build, adamax_in_max


def parameters(*sizes: int) -> list[nn.Parameter]:
    return [nn.Parameter(torch.ones(size)) for size in sizes or (1,)]


def check_refused(build: Build, settings: dict[str, Any], message: str) -> None:
    """In the constructor and in a group of its own, which is then not added."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        build(parameters(), **settings)
    optimizer = build(parameters())
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        optimizer.add_param_group({"params": parameters(), **settings})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize("build", OURS)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": -1.0}, "lr must be in [0, inf), got -1.0"),
        ({"lr": float("nan")}, "lr must be in [0, inf), got nan"),
        ({"lr": "fast"}, "lr must be a number in [0, inf), got 'fast'"),
        ({"lr": torch.tensor(-1.0)}, "lr must be in [0, inf), got -1.0"),
        ({"lr": torch.ones(2)}, "lr must be a number in [0, inf), got tensor([1., 1.])"),
        ({"weight_decay": -0.1}, "weight_decay must be in [0, inf), got -0.1"),
        ({"decoupled_weight_decay": 1}, "decoupled_weight_decay must be True or False, got 1"),
        ({"maximize": "yes"}, "maximize must be True or False, got 'yes'"),
        ({"averaging": "ema"}, "averaging must be one of none, polyak, exponential, got 'ema'"),
        ({"foreach": True}, "foreach is not supported: it must be False or left out, got True"),
        ({"fused": True}, "fused is not supported: it must be False or left out, got True"),
        ({"capturable": True}, "capturable is not supported: it must be False or left out, got True"),
        ({"differentiable": True}, "differentiable is not supported: it must be False or left out, got True"),
    ],
    ids=str,
)
def test_arguments_refused(build: Build, settings: dict[str, Any], message: str) -> None:
    check_refused(build, settings, message)


@pytest.mark.parametrize("build", [Adam, AdaMax, AMSGrad])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"betas": (1.0, 0.9)}, "betas[0] must be in [0, 1), got 1.0"),
        ({"betas": (0.9, 1.2)}, "betas[1] must be in [0, 1), got 1.2"),
        ({"betas": (0.9, "b")}, "betas[1] must be a number in [0, 1), got 'b'"),
        ({"betas": 0.9}, "betas must be two numbers in [0, 1), got 0.9"),
        ({"beta1_decay": 0.0}, "beta1_decay must be a number in (0, 1], got 0.0"),
        ({"beta1_decay": 1.5}, "beta1_decay must be a number in (0, 1], got 1.5"),
        ({"beta1_decay": None}, "beta1_decay must be a number in (0, 1], got None"),
    ],
    ids=str,
)
def test_betas_refused(build: Build, settings: dict[str, Any], message: str) -> None:
    check_refused(build, settings, message)


@pytest.mark.parametrize("build", [Adam, AMSGrad, AdaGrad, RMSProp, AdaDelta, adamax_in_max])
@pytest.mark.parametrize(
    ("eps", "message"),
    [
        (-1e-8, "eps must be in [0, inf), got -1e-08"),
        (float("inf"), "eps must be in [0, inf), got inf"),
        (None, "eps must be a number in [0, inf), got None"),
    ],
    ids=str,
)
def test_eps_refused(build: Build, eps: float | None, message: str) -> None:
    optimizer = build(parameters())
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        optimizer.add_param_group({"params": parameters(), "eps": eps})


@pytest.mark.parametrize(
    ("build", "settings", "message"),
    [
        (Adam, {"bias_correction": 1}, "bias_correction must be True or False, got 1"),
        (Adam, {"amsgrad": True}, "amsgrad is not supported: it must be False or left out, got True"),
        (Adam, {"epsilon_mode": "none"}, "epsilon_mode must be one of outside, hat, root, got 'none'"),
        (AMSGrad, {"amsgrad": False}, "amsgrad is not supported: it must be True or left out, got False"),
        (AMSGrad, {"maximum_of": "m"}, "maximum_of must be one of v, v_hat, got 'm'"),
        (AdaMax, {"eps": 1e-8}, "eps must be None with epsilon_mode 'none' (Algorithm 2 has no epsilon), got 1e-08"),
        (AdaMax, {"eps": 1.0, "epsilon_mode": "hat"}, "epsilon_mode must be one of none, in-max, added, got 'hat'"),
        (SGD, {"momentum": 1.0}, "momentum must be in [0, 1), got 1.0"),
        (SGD, {"momentum": -0.5}, "momentum must be in [0, 1), got -0.5"),
        (SGD, {"nesterov": True}, "momentum must be above 0 with nesterov, got 0"),
        (SGD, {"nesterov": 1, "momentum": 0.9}, "nesterov must be True or False, got 1"),
        (SGD, {"dampening": 0.5}, "dampening is not supported: it must be 0 or left out, got 0.5"),
        (SGD, {"averaging_beta": 1.0}, "averaging_beta must be in [0, 1), got 1.0"),
        (AdaGrad, {"epsilon_mode": "hat"}, "epsilon_mode must be one of outside, root, got 'hat'"),
        (AdaGrad, {"lr_decay": 0.1}, "lr_decay is not supported: it must be 0 or left out, got 0.1"),
        (AdaGrad, {"initial_accumulator_value": 1}, "initial_accumulator_value is not supported: it must be 0 or left"),
        (RMSProp, {"alpha": 1.0}, "alpha must be in [0, 1), got 1.0"),
        (RMSProp, {"momentum": 2.0}, "momentum must be in [0, 1), got 2.0"),
        (RMSProp, {"centered": 1}, "centered must be True or False, got 1"),
        (RMSProp, {"epsilon_mode": "hat"}, "epsilon_mode must be one of outside, root, got 'hat'"),
        (AdaDelta, {"rho": 1.0}, "rho must be in [0, 1), got 1.0"),
        (AdaDelta, {"rho": "0.9"}, "rho must be a number in [0, 1), got '0.9'"),
    ],
)
def test_arguments_of_one_class_refused(build: Build, settings: dict[str, Any], message: str) -> None:
    check_refused(build, settings, message)


@pytest.mark.parametrize(
    ("build", "settings"),
    [
        (Adam, {"amsgrad": False}),
        (AdaMax, {}),
        (AMSGrad, {"amsgrad": True}),
        (SGD, {"dampening": 0.0}),
        (AdaGrad, {"lr_decay": 0.0, "initial_accumulator_value": 0.0}),
        (RMSProp, {}),
        (AdaDelta, {}),
    ],
)
def test_torchs_other_arguments_may_ask_for_nothing(build: Build, settings: dict[str, Any]) -> None:
    build(parameters(), foreach=None, fused=False, capturable=False, differentiable=False, **settings)
    with pytest.raises(TypeError, match="unexpected argument 'learning_rate'"):
        build(parameters(), learning_rate=0.1)


@pytest.mark.parametrize("build", OURS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.complex64], ids=str)
def test_dtypes_refused(build: Build, dtype: torch.dtype) -> None:
    with pytest.raises(ValueError, match=f"^parameters must be float32 or float64, got {dtype}$"):
        build([nn.Parameter(torch.ones(1, dtype=dtype))])


@pytest.mark.parametrize("build", OURS)
def test_sparse_gradients_refused(build: Build) -> None:
    """Before any parameter is updated, those of other groups too."""
    (theta,), embedding = parameters(), nn.Embedding(5, 2, sparse=True)
    optimizer = build([{"params": [theta]}, {"params": embedding.parameters()}])
    torch.autograd.backward(theta.sum() + embedding(torch.tensor([1])).sum())
    with pytest.raises(RuntimeError, match=f"^{type(optimizer).__name__} does not support sparse gradients"):
        optimizer.step()
    assert not optimizer.state and theta.item() == 1.0


@pytest.mark.parametrize("build", OURS)
@pytest.mark.parametrize("dtype", [torch.complex64, torch.bfloat16], ids=str)
def test_gradients_of_another_dtype_refused(build: Build, dtype: torch.dtype) -> None:
    (theta,) = parameters()
    optimizer = build([theta])
    theta.grad_dtype = dtype
    theta.grad = torch.ones(1, dtype=dtype)
    with pytest.raises(RuntimeError, match=rf"^gradients must have the dtype of .*, torch\.float32, got {dtype}$"):
        optimizer.step()
    assert not optimizer.state and theta.item() == 1.0


@pytest.mark.parametrize(
    ("ours", "other", "message"),
    [
        (Adam, partial(torch.optim.Adam, amsgrad=True), "amsgrad is not supported: it must be False"),
        (AMSGrad, torch.optim.Adam, "amsgrad is not supported: it must be True"),
        (
            Adam,
            partial(torch.optim.SGD, momentum=0.9),
            "state must hold step, exp_avg, exp_avg_sq, got momentum_buffer",
        ),
        (SGD, torch.optim.Adam, "state must hold step, got step, exp_avg, exp_avg_sq"),
        (SGD, partial(torch.optim.SGD, momentum=0.9, dampening=0.5), "dampening is not supported"),
        (AdaGrad, torch.optim.RMSprop, "state must hold step, sum, got step, square_avg"),
        (AdaGrad, partial(torch.optim.Adagrad, lr_decay=0.1), "lr_decay is not supported"),
        (
            RMSProp,
            torch.optim.Adadelta,
            "state must hold step, square_avg, momentum_buffer, got step, square_avg, acc_",
        ),
        (AdaDelta, torch.optim.RMSprop, "state must hold step, square_avg, acc_delta, got step, square_avg"),
        (
            AdaMax,
            torch.optim.Adamax,
            "eps must be None with epsilon_mode 'none' (Algorithm 2 has no epsilon), got 1e-08",
        ),
    ],
)
def test_states_of_other_rules_refused(ours: Build, other: Build, message: str) -> None:
    """The optimizer is then as it was."""
    (theta,) = parameters()
    theta.grad = torch.ones(1)
    before, optimizer = other([theta]), ours([theta], lr=0.25)
    before.step()
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        optimizer.load_state_dict(before.state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.25 and not optimizer.state
