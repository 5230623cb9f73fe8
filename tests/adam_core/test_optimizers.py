"""The drop-in classes as users of torch.optim use them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import Optimizer

from adam_core import SGD, AdaDelta, AdaGrad, Adam, AdaMax, AMSGrad, RMSProp, make_rule
from tests.adam_core.optimizer_cases import (
    MODES,
    Build,
    adamax_in_max,
    assert_equal,
    each_mode,
    each_pair,
    network,
    train,
)
from tests.adam_core.rule_runner import F64, given_gradients, relative_gap, run, stack

#: Of parameter groups of one optimizer, beside its own settings.
GROUPS: list[dict[str, Any]] = [
    {},
    {"lr": 0.01, "weight_decay": 0.1},
    {"lr": 1e-3, "maximize": True},
    {"lr": 1e-3, "maximize": True, "weight_decay": 0.01},
]


@each_pair
def test_equals_torch_in_groups_of_all_kinds(ours: Build, torchs: Build) -> None:
    """On gradients that do not depend on the direction, so that going up stays bounded."""
    start = torch.linspace(-1, 1, 12, dtype=F64).view(3, 4)
    thetas = [[nn.Parameter(start.clone()) for _ in GROUPS] for _ in range(2)]
    optimizers = [
        build([{"params": [theta], **group} for theta, group in zip(row, GROUPS, strict=True)])
        for build, row in zip((ours, torchs), thetas, strict=True)
    ]
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        gradient = torch.randn(3, 4, generator=generator, dtype=F64)
        for row, optimizer in zip(thetas, optimizers, strict=True):
            for theta in row:
                theta.grad = gradient + theta.detach()
            optimizer.step()
    for left, right in zip(*thetas, strict=True):
        assert relative_gap(left.detach(), right.detach()) < 1e-10
        assert relative_gap(left.detach(), start) > 1e-4  # where AdaDelta starts slowly


@pytest.mark.parametrize(("dtype", "n_steps", "tolerance"), [(F64, 1000, 1e-10), (torch.float32, 30, 1e-5)], ids=str)
@each_pair
def test_equals_torch_on_a_network(
    ours: Build, torchs: Build, dtype: torch.dtype, n_steps: int, tolerance: float
) -> None:
    ends = []
    for build in (ours, torchs):
        model = network(dtype)
        first, _, last = model.children()
        groups = [
            {"params": [first.weight], "weight_decay": 1e-3},
            {"params": [first.bias, last.bias], "lr": 1e-3},
            {"params": [last.weight]},
        ]
        ends.append(train(model, build(groups), n_steps))
        assert next(model.parameters()).dtype == dtype
    assert_equal(ends[0], ends[1], tolerance)


def betas(lane: dict[str, float]) -> dict[str, Any]:
    return {"betas": (lane["beta1"], lane["beta2"])}


@pytest.mark.parametrize(
    ("ours", "optimizer", "options", "settings"),
    [
        (Adam, "adam", {}, lambda lane: betas(lane) | {"eps": 1e-3}),
        (AdaMax, "adamax", {"weight_decay_mode": "decoupled"}, betas),
        (AMSGrad, "amsgrad", {"maximum_of": "v_hat"}, lambda lane: betas(lane) | {"eps": 1e-3}),
        (SGD, "sgd", {"weight_decay_mode": "l2"}, lambda lane: {}),
        (SGD, "sgd-momentum", {}, lambda lane: {"momentum": 0.9}),
        (SGD, "sgd-nesterov", {}, lambda lane: {"momentum": 0.9, "nesterov": True}),
        (AdaGrad, "adagrad", {"epsilon_mode": "root"}, lambda lane: {"eps": 1e-3}),
        (RMSProp, "rmsprop", {"centered": True}, lambda lane: {"alpha": lane["rho"], "eps": 1e-3, "momentum": 0.9}),
        (AdaDelta, "adadelta", {"weight_decay_mode": "l2"}, lambda lane: {"rho": lane["rho"], "eps": 1e-3}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),  # a function's address differs between processes
)
def test_equals_a_lane_of_an_array_bit_for_bit(
    ours: Build,
    optimizer: str,
    options: dict[str, Any],
    settings: Callable[[dict[str, float]], dict[str, Any]],
) -> None:
    generator = torch.Generator().manual_seed(0)
    gradients, start = torch.randn(50, 3, 40, generator=generator), torch.randn(3, 40, generator=generator)
    common = {"beta1": 0.9, "epsilon": 1e-3, "momentum": 0.9, "weight_decay": 0.1}
    settings_of_lanes = [{"alpha": 10**-k, "beta2": 1 - 10**-k, "rho": 1 - 10**-k} | common for k in (1.0, 2.0, 3.0)]
    lanes = stack(settings_of_lanes)
    array = run(make_rule(optimizer, lanes, **options), start, given_gradients(gradients), lanes["alpha"].repeat(50, 1))
    arguments = {name: value for name, value in options.items() if name != "weight_decay_mode"}
    if "weight_decay_mode" in options:
        decoupled = options["weight_decay_mode"] == "decoupled"
        arguments |= {"weight_decay": 0.1, "decoupled_weight_decay": decoupled}
    for k, lane in enumerate(settings_of_lanes):
        theta = nn.Parameter(start[k].clone())
        single = ours([theta], lr=lane["alpha"], **settings(lane), **arguments)
        for t in range(50):
            theta.grad = gradients[t, k]
            single.step()
        assert torch.equal(theta.detach(), array[-1, k])


@each_pair
def test_a_group_may_come_later(ours: Build, torchs: Build) -> None:
    ends = []
    for build in (ours, torchs):
        model = network()
        first, _, last = model.children()
        optimizer = build([{"params": first.parameters(), "lr": 0.1}])
        train(model, optimizer, 10)
        optimizer.add_param_group({"params": last.parameters(), "weight_decay": 0.1})
        ends.append(train(model, optimizer, 20))
    assert_equal(ends[0], ends[1], 1e-10)


@each_mode
def test_parameters_may_be_named(build: Build) -> None:
    model = network()
    optimizer = build(list(model.named_parameters()))
    assert optimizer.param_groups[0]["param_names"][0] == "0.weight"
    assert_equal(train(model, optimizer, 3), train(other := network(), build(other.parameters()), 3))


@each_pair
def test_parameters_without_gradients_are_skipped(ours: Build, torchs: Build) -> None:
    ends = []
    for build in (ours, torchs):
        used, unused = (nn.Parameter(torch.ones(2, dtype=F64)) for _ in range(2))
        optimizer = build([used, unused])
        for _ in range(3):
            used.grad = torch.ones(2, dtype=F64)
            optimizer.step()
        if build is ours:
            assert torch.equal(unused.detach(), torch.ones(2)) and unused not in optimizer.state
        unused.grad = torch.ones(2, dtype=F64)
        optimizer.step()
        if build is ours:
            assert optimizer.state[unused]["step"] == 1 and optimizer.state[used]["step"] == 4
        ends.append([used.detach(), unused.detach()])
    assert_equal(ends[0], ends[1], 1e-10)


@each_pair
def test_closure(ours: Build, torchs: Build) -> None:
    def minimize(build: Build) -> Tensor:
        theta = nn.Parameter(torch.tensor([3.0], dtype=F64))
        optimizer = build([theta], lr=0.1)
        calls = []

        def closure() -> float:
            optimizer.zero_grad()
            loss = (theta**2).sum()
            torch.autograd.backward(loss)
            calls.append(1)
            return loss.item()

        assert optimizer.step(closure) == 9.0
        assert optimizer.step() is None
        assert len(calls) == 1
        optimizer.zero_grad()
        assert theta.grad is None
        return theta.detach()

    assert relative_gap(minimize(ours), minimize(torchs)) < 1e-10


def scheduled(optimizer: Optimizer, kind: str) -> Callable[[], None]:
    schedulers = torch.optim.lr_scheduler
    if kind == "lambda":
        return schedulers.LambdaLR(optimizer, lambda step: 1 / (step + 1) ** 0.5).step
    if kind == "warm-up from 0":
        return schedulers.LambdaLR(optimizer, lambda step: min(step / 5, 1.0)).step
    if kind == "cosine of a tensor":
        return schedulers.CosineAnnealingLR(optimizer, T_max=15).step
    if kind == "one cycle":  # changes beta1 or momentum too
        cycled = not {"betas", "momentum"}.isdisjoint(optimizer.defaults)
        return schedulers.OneCycleLR(optimizer, max_lr=0.1, total_steps=50, cycle_momentum=cycled).step
    plateau = schedulers.ReduceLROnPlateau(optimizer, patience=3)
    return lambda: plateau.step(1.0)


@pytest.mark.parametrize("kind", ["lambda", "warm-up from 0", "cosine of a tensor", "one cycle", "plateau"])
@each_pair
def test_torchs_schedulers(ours: Build, torchs: Build, kind: str) -> None:
    """They write a learning rate that is a tensor in place; of one of float32, torch's classes compute in float32."""
    ends = []
    for build in (ours, torchs):
        model = network()
        optimizer = build(model.parameters(), lr=torch.tensor(0.01, dtype=F64) if "tensor" in kind else 0.01)
        schedule = scheduled(optimizer, kind)
        for step in range(20):
            end = train(model, optimizer, 1, first=step)
            schedule()
        ends.append(end)
    assert_equal(ends[0], ends[1], 1e-10)


def test_momentum_may_begin_and_end_while_sgd_trains() -> None:
    ends = []
    for build in (SGD, torch.optim.SGD):
        model = network()
        optimizer = build(model.parameters(), lr=0.01, momentum=0.9)
        for step, momentum in enumerate((0.0, 0.0, 0.9, 0.9, 0.0, 0.5)):
            optimizer.param_groups[0]["momentum"] = momentum
            end = train(model, optimizer, 1, first=step)
        ends.append(end)
    assert_equal(ends[0], ends[1], 1e-10)


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda p: Adam(p, lr=1.0, eps=0.5, bias_correction=False), -0.2 / (0.004**0.5 + 0.5)),
        (lambda p: Adam(p, lr=1.0, eps=0.5, epsilon_mode="hat"), -2.0 / (2.0 + 0.5 / 0.001**0.5)),
        (lambda p: Adam(p, lr=1.0, eps=0.5, epsilon_mode="root"), -2.0 / (4.0 + 0.5) ** 0.5),
        (lambda p: AMSGrad(p, lr=1.0, eps=0.5, maximum_of="v_hat"), -2.0 / (2.0 + 0.5)),
        (lambda p: AdaMax(p, lr=1.0, eps=0.5, epsilon_mode="added"), -2.0 / (2.0 + 0.5)),
        (lambda p: AdaGrad(p, lr=1.0, eps=0.5, epsilon_mode="root"), -2.0 / (4.0 + 0.5) ** 0.5),
        (lambda p: RMSProp(p, lr=1.0, eps=0.5, epsilon_mode="root"), -2.0 / (0.04 + 0.5) ** 0.5),
    ],
)
def test_modes_that_torch_has_not(build: Build, expected: float) -> None:
    """The first step on a gradient of 2, by hand."""
    theta = nn.Parameter(torch.zeros(1, dtype=F64))
    theta.grad = torch.full((1,), 2.0, dtype=F64)
    build([theta]).step()
    assert theta.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("build", [Adam, AdaMax, AMSGrad])
def test_beta1_may_decay(build: Build) -> None:
    """With a decay near 0 the second step has no momentum: m is its gradient."""
    theta = nn.Parameter(torch.zeros(1, dtype=F64))
    optimizer = build([theta], beta1_decay=1e-12)
    for gradient in (2.0, 5.0):
        theta.grad = torch.full((1,), gradient, dtype=F64)
        optimizer.step()
    assert optimizer.state[theta]["exp_avg"].item() == pytest.approx(5.0, rel=1e-11)


def test_adamax_has_no_epsilon_unless_in_max() -> None:
    """|g| = 1e-8 moves a parameter by alpha in Algorithm 2, by half of it with torch's epsilon."""
    for build, fraction in ((AdaMax, 1.0), (adamax_in_max, 0.5)):
        theta = nn.Parameter(torch.zeros(2, dtype=F64))
        theta.grad = torch.tensor([1e-8, 0.0], dtype=F64)
        build([theta], lr=0.1).step()
        assert theta.tolist() == pytest.approx([-0.1 * fraction, 0.0], rel=1e-9)


def layouts() -> dict[str, Tensor]:
    image = torch.arange(1.0, 121.0).view(2, 3, 4, 5)
    return {
        "0-dim": torch.tensor(1.0),
        "empty": torch.empty(0, 3),
        "vector": torch.ones(1),
        "contiguous": image,
        "channels_last": image.contiguous(memory_format=torch.channels_last),
        "transposed": torch.arange(1.0, 13.0).view(3, 4).t(),
        "sliced": torch.arange(1.0, 25.0).view(4, 6)[::2, 1::2],
    }


@pytest.mark.parametrize("layout", layouts())
@each_mode
def test_shapes_and_memory_layouts(build: Build, layout: str) -> None:
    """The layout stays as it is and changes no bit, whichever layout the gradient has."""
    start = layouts()[layout]
    thetas = [nn.Parameter(start), nn.Parameter(start.clone(memory_format=torch.contiguous_format))]
    assert (thetas[0].stride() == thetas[1].stride()) == (layout in ("0-dim", "empty", "vector", "contiguous"))
    strides = thetas[0].stride()
    optimizer = build(thetas, lr=0.5)
    for t in range(3):
        for theta in thetas:
            theta.grad = torch.cos(start + t).contiguous()
        optimizer.step()
    left, right = (theta.detach() for theta in thetas)
    assert torch.equal(left, right) and thetas[0].stride() == strides
    assert start.numel() == 0 or not torch.equal(left, layouts()[layout])


def test_every_class_is_among_the_modes() -> None:
    classes = {type(build([nn.Parameter(torch.ones(1))])).__name__ for build in MODES.values()}
    assert classes == {"AMSGrad", "AdaDelta", "AdaGrad", "AdaMax", "Adam", "RMSProp", "SGD"}
