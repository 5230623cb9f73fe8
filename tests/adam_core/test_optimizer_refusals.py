"""What the drop-in classes refuse, each in one clear line."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.optimizer import Optimizer

from adam_core import Adam, AdaMax

Build = Callable[..., Optimizer]

OURS: list[Build] = [Adam, AdaMax]


def adamax_in_max(params: Any, **settings: Any) -> AdaMax:
    return AdaMax(params, epsilon_mode="in-max", **settings)


@pytest.mark.parametrize("build", OURS)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": -1.0}, "lr must be in [0, inf), got -1.0"),
        ({"lr": float("nan")}, "lr must be in [0, inf), got nan"),
        ({"lr": "fast"}, "lr must be a number in [0, inf), got 'fast'"),
        ({"betas": (1.0, 0.9)}, "betas[0] must be in [0, 1), got 1.0"),
        ({"betas": (0.9, 1.2)}, "betas[1] must be in [0, 1), got 1.2"),
        ({"betas": 0.9}, "betas must be two numbers in [0, 1), got 0.9"),
        ({"weight_decay": -0.1}, "weight_decay must be in [0, inf), got -0.1"),
        ({"amsgrad": True}, "amsgrad is not supported: it must be False or left out, got True"),
        ({"decoupled_weight_decay": True}, "decoupled_weight_decay is not supported: it must be False"),
        ({"foreach": True}, "foreach is not supported: it must be False or left out, got True"),
        ({"fused": True}, "fused is not supported: it must be False or left out, got True"),
        ({"capturable": True}, "capturable is not supported: it must be False or left out, got True"),
        ({"differentiable": True}, "differentiable is not supported: it must be False or left out, got True"),
    ],
    ids=str,
)
def test_arguments_refused(build: Build, settings: dict[str, Any], message: str) -> None:
    """In the constructor and in a group of its own, which is then not added."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        build([nn.Parameter(torch.ones(1))], **settings)
    optimizer = build([nn.Parameter(torch.ones(1))])
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))], **settings})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize(
    ("build", "settings", "message"),
    [
        (Adam, {"eps": -1e-8}, "eps must be in [0, inf), got -1e-08"),
        (Adam, {"eps": None}, "eps must be a number in [0, inf), got None"),
        (Adam, {"bias_correction": 1}, "bias_correction must be True or False, got 1"),
        (adamax_in_max, {"eps": -1.0}, "eps must be in [0, inf), got -1.0"),
        (AdaMax, {"eps": 1e-8}, "eps must be None with epsilon_mode 'none' (Algorithm 2 has no epsilon), got 1e-08"),
        (AdaMax, {"epsilon_mode": "hat"}, "epsilon_mode must be one of none, in-max, got 'hat'"),
    ],
)
def test_arguments_of_one_class_refused(build: Build, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        build([nn.Parameter(torch.ones(1))], **settings)


@pytest.mark.parametrize("build", OURS)
def test_torchs_other_arguments_may_ask_for_nothing(build: Build) -> None:
    build([nn.Parameter(torch.ones(1))], amsgrad=False, foreach=None, fused=False, capturable=False)
    with pytest.raises(TypeError, match="unexpected argument 'learning_rate'"):
        build([nn.Parameter(torch.ones(1))], learning_rate=0.1)


@pytest.mark.parametrize("build", OURS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.complex64], ids=str)
def test_dtypes_refused(build: Build, dtype: torch.dtype) -> None:
    with pytest.raises(ValueError, match=f"^parameters must be float32 or float64, got {dtype}$"):
        build([nn.Parameter(torch.ones(1, dtype=dtype))])


@pytest.mark.parametrize("build", OURS)
def test_sparse_gradients_refused(build: Build) -> None:
    embedding = nn.Embedding(5, 2, sparse=True)
    optimizer = build(embedding.parameters())
    torch.autograd.backward(embedding(torch.tensor([1])).sum())
    with pytest.raises(RuntimeError, match=f"^{type(optimizer).__name__} does not support sparse gradients"):
        optimizer.step()


def test_states_of_other_rules_refused() -> None:
    theta = nn.Parameter(torch.ones(1))
    theta.grad = torch.ones(1)
    for build, message in (
        (lambda p: torch.optim.Adam(p, amsgrad=True), "amsgrad is not supported"),
        (lambda p: torch.optim.SGD(p, momentum=0.9), "state must hold step, exp_avg, exp_avg_sq, got momentum_buffer"),
    ):
        other, optimizer = build([theta]), Adam([theta], lr=0.25)
        other.step()
        with pytest.raises(ValueError, match=f"^{message}"):
            optimizer.load_state_dict(other.state_dict())
        assert optimizer.param_groups[0]["lr"] == 0.25 and not optimizer.state
    with pytest.raises(ValueError, match=r"torch\.optim\.Adamax is epsilon_mode 'in-max'$"):
        AdaMax([theta]).load_state_dict(torch.optim.Adamax([theta]).state_dict())
