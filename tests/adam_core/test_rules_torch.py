"""Every rule that torch has a class for against that class: float64, 1,000 steps, lanes of different settings."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Optimizer, RMSprop

from adam_core import make_rule
from tests.adam_core.rule_runner import SETTINGS, Lane, case_id, relative_gap, run, stack
from tests.adam_core.test_rules import N_STEPS, START, gradient

#: torch computes 1 - beta2^t as it is written, and loses 8 digits of it at beta2 = 1 - 1e-8.
LANES: list[Lane] = [*SETTINGS[:4], {**SETTINGS[4], "beta2": 0.99995}]

Parameters = Iterable[Tensor]
Build = Callable[[Parameters, Lane], Optimizer]


def _betas(lane: Lane) -> tuple[float, float]:
    return lane["beta1"], lane["beta2"]


def _settings(lane: Lane, **others: Any) -> dict[str, Any]:
    return {"lr": lane["alpha"], "eps": lane["epsilon"], "foreach": False, **others}


def _with_l2(build: Callable[..., Optimizer]) -> Build:
    return lambda parameters, lane: build(parameters, lane, weight_decay=lane["weight_decay"])


def adam(parameters: Parameters, lane: Lane, **others: Any) -> Optimizer:
    return Adam(parameters, betas=_betas(lane), **_settings(lane, **others))


def adamax(parameters: Parameters, lane: Lane, **others: Any) -> Optimizer:
    return Adamax(parameters, betas=_betas(lane), **_settings(lane, **others))


def sgd(parameters: Parameters, lane: Lane, **others: Any) -> Optimizer:
    return SGD(parameters, lr=lane["alpha"], foreach=False, **others)


def adagrad(parameters: Parameters, lane: Lane, **others: Any) -> Optimizer:
    return Adagrad(parameters, **_settings(lane, **others))


def rmsprop(parameters: Parameters, lane: Lane, **others: Any) -> Optimizer:
    return RMSprop(parameters, alpha=lane["rho"], momentum=lane["momentum"], **_settings(lane, **others))


def adadelta(parameters: Parameters, lane: Lane, **others: Any) -> Optimizer:
    return Adadelta(parameters, rho=lane["rho"], **{**_settings(lane, **others), "lr": 100 * lane["alpha"]})


PAIRS: list[tuple[str, dict[str, Any], Build]] = [
    ("adam", {}, adam),
    ("adam", {"weight_decay_mode": "l2"}, _with_l2(adam)),
    (
        "adam",
        {"weight_decay_mode": "decoupled"},
        lambda p, lane: AdamW(p, betas=_betas(lane), **_settings(lane, weight_decay=lane["weight_decay"])),
    ),
    ("amsgrad", {}, lambda p, lane: adam(p, lane, amsgrad=True)),
    (
        "amsgrad",
        {"weight_decay_mode": "l2"},
        lambda p, lane: adam(p, lane, amsgrad=True, weight_decay=lane["weight_decay"]),
    ),
    ("adamax", {"epsilon_mode": "in-max"}, adamax),
    ("adamax", {"epsilon_mode": "in-max", "weight_decay_mode": "l2"}, _with_l2(adamax)),
    ("sgd", {}, sgd),
    ("sgd", {"weight_decay_mode": "l2"}, _with_l2(sgd)),
    ("sgd-momentum", {}, lambda p, lane: sgd(p, lane, momentum=lane["momentum"])),
    ("sgd-nesterov", {}, lambda p, lane: sgd(p, lane, momentum=lane["momentum"], nesterov=lane["momentum"] > 0)),
    ("adagrad", {}, adagrad),
    ("adagrad", {"weight_decay_mode": "l2"}, _with_l2(adagrad)),
    ("rmsprop", {}, rmsprop),
    ("rmsprop", {"centered": True}, lambda p, lane: rmsprop(p, lane, centered=True)),
    ("rmsprop", {"weight_decay_mode": "l2"}, _with_l2(rmsprop)),
    ("adadelta", {}, adadelta),
    ("adadelta", {"weight_decay_mode": "l2"}, _with_l2(adadelta)),
]


def torch_path(build: Build, lane: Lane) -> Tensor:
    """theta after each step, [T + 1, 4]."""
    theta = torch.nn.Parameter(START.clone())
    optimizer = build([theta], lane)
    path = [START]
    for t in range(1, N_STEPS + 1):
        theta.grad = gradient(theta.detach(), t)
        optimizer.step()
        path.append(theta.detach().clone())
    return torch.stack(path)


def lanes_path(optimizer: str, options: dict[str, Any]) -> Tensor:
    rule = make_rule(optimizer, stack(LANES), **options)
    scale = 100.0 if optimizer == "adadelta" else 1.0
    alpha = (scale * stack(LANES)["alpha"]).repeat(N_STEPS, 1)
    return run(rule, START.repeat(len(LANES), 1), gradient, alpha)


@pytest.mark.parametrize(
    ("optimizer", "options", "build"), PAIRS, ids=[f"{name}-{case_id(mode)}" for name, mode, _ in PAIRS]
)
def test_lanes_equal_torch_for_1000_steps(optimizer: str, options: dict[str, Any], build: Build) -> None:
    path = lanes_path(optimizer, options)
    for k, lane in enumerate(LANES):
        assert relative_gap(path[:, k], torch_path(build, lane)) < 1e-10, lane
        assert (path[:, k] - START).abs().max() > 1e-4  # it has gone somewhere


def test_rmsprop_without_momentum_is_torchs_plain_one() -> None:
    lanes = stack([{name: value for name, value in lane.items() if name != "momentum"} for lane in LANES])
    path = run(make_rule("rmsprop", lanes), START.repeat(len(LANES), 1), gradient, lanes["alpha"].repeat(N_STEPS, 1))
    for k, lane in enumerate(LANES):
        expected = torch_path(lambda p, lane: RMSprop(p, alpha=lane["rho"], **_settings(lane)), lane)
        assert relative_gap(path[:, k], expected) < 1e-10
