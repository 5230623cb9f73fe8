"""The drop-in classes as users of torch.optim.Adam and torch.optim.Adamax use them."""

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import Optimizer

from adam_core import Adam, AdaMax, make_rule
from tests.adam_core.rule_runner import F64, given_gradients, relative_gap, run, stack

Build = Callable[..., Optimizer]


def adamax_in_max(params: Any, **settings: Any) -> AdaMax:
    return AdaMax(params, epsilon_mode="in-max", **settings)


PAIRS: list[tuple[Build, Build]] = [(Adam, torch.optim.Adam), (adamax_in_max, torch.optim.Adamax)]
OURS: list[Build] = [Adam, AdaMax]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-3},
    {"lr": 0.01, "betas": (0.0, 0.9999), "weight_decay": 0.1},
    {"lr": 1e-3, "betas": (0.8, 0.99), "maximize": True},
    {"lr": 1e-3, "betas": (0.95, 0.9), "maximize": True, "weight_decay": 0.01},
]


def network(dtype: torch.dtype = F64, seed: int = 0) -> nn.Module:
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


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("ours", "torchs"), PAIRS, ids=["Adam", "AdaMax"])
def test_equals_torch_over_1000_steps_of_given_gradients(ours: Build, torchs: Build, settings: dict[str, Any]) -> None:
    thetas = [nn.Parameter(torch.linspace(-1, 1, 12, dtype=F64).view(3, 4)) for _ in range(2)]
    optimizers = [ours([thetas[0]], **settings), torchs([thetas[1]], foreach=False, **settings)]
    generator = torch.Generator().manual_seed(0)
    for _ in range(1000):
        gradient = torch.randn(3, 4, generator=generator, dtype=F64)
        for theta, optimizer in zip(thetas, optimizers, strict=True):
            theta.grad = gradient + theta.detach()
            optimizer.step()
    assert relative_gap(thetas[0].detach(), thetas[1].detach()) < 1e-10
    assert relative_gap(thetas[0].detach(), torch.linspace(-1, 1, 12, dtype=F64).view(3, 4)) > 1e-3


@pytest.mark.parametrize(("dtype", "tolerance"), [(F64, 1e-10), (torch.float32, 1e-5)], ids=str)
@pytest.mark.parametrize(("ours", "torchs"), PAIRS, ids=["Adam", "AdaMax"])
def test_equals_torch_on_a_network(ours: Build, torchs: Build, dtype: torch.dtype, tolerance: float) -> None:
    left, right = network(dtype), network(dtype)
    assert_equal(
        train(left, ours(left.parameters()), 100),
        train(right, torchs(right.parameters(), foreach=False), 100),
        tolerance,
    )
    assert next(left.parameters()).dtype == dtype


@pytest.mark.parametrize(("ours", "optimizer"), [(Adam, "adam"), (AdaMax, "adamax")], ids=str)
def test_equals_a_lane_of_an_array_bit_for_bit(ours: Build, optimizer: str) -> None:
    generator = torch.Generator().manual_seed(0)
    gradients, start = torch.randn(50, 3, 40, generator=generator), torch.randn(3, 40, generator=generator)
    lanes = stack([{"alpha": 10**-k, "beta1": 0.9, "beta2": 1 - 10**-k, "epsilon": 1e-8} for k in (1.0, 2.0, 3.0)])
    array = run(make_rule(optimizer, lanes), start, given_gradients(gradients), lanes["alpha"].repeat(50, 1))
    for k in range(3):
        theta = nn.Parameter(start[k].clone())
        single = ours([theta], lr=float(lanes["alpha"][k]), betas=(0.9, float(lanes["beta2"][k])))
        for t in range(50):
            theta.grad = gradients[t, k]
            single.step()
        assert torch.equal(theta.detach(), array[-1, k])


@pytest.mark.parametrize(("ours", "torchs"), PAIRS, ids=["Adam", "AdaMax"])
def test_groups_have_settings_of_their_own(ours: Build, torchs: Build) -> None:
    def groups(model: nn.Module) -> list[dict[str, Any]]:
        first, _, last = model.children()
        return [
            {"params": first.parameters(), "lr": 0.1, "betas": (0.5, 0.9)},
            {"params": list(last.named_parameters()), "weight_decay": 0.1, "eps": 1e-2},
        ]

    left, right = network(), network()
    optimizers = [ours(groups(left)[:1]), torchs(groups(right)[:1], foreach=False)]
    for model, optimizer in zip((left, right), optimizers, strict=True):
        train(model, optimizer, 10)
        group = {**groups(model)[1], "params": [p for _, p in groups(model)[1]["params"]]}
        optimizer.add_param_group(group)
    assert_equal(train(left, optimizers[0], 20), train(right, optimizers[1], 20), 1e-10)
    named = ours(list(left.named_parameters()))
    assert named.param_groups[0]["param_names"][0] == "0.weight"


@pytest.mark.parametrize("build", OURS)
def test_parameters_without_gradients_are_skipped(build: Build) -> None:
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = build([used, unused])
    for _ in range(3):
        used.grad = torch.ones(2)
        optimizer.step()
    assert torch.equal(unused.detach(), torch.ones(2)) and unused not in optimizer.state
    unused.grad = torch.ones(2)
    optimizer.step()
    assert optimizer.state[unused]["step"] == 1 and optimizer.state[used]["step"] == 4
    lr = optimizer.defaults["lr"]
    torch.testing.assert_close(unused.detach(), torch.full((2,), 1 - lr))


@pytest.mark.parametrize("build", OURS)
def test_closure(build: Build) -> None:
    theta = nn.Parameter(torch.tensor([3.0]))
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
    assert len(calls) == 1 and theta.item() == pytest.approx(2.8, rel=1e-5)
    optimizer.zero_grad()
    assert theta.grad is None


@pytest.mark.parametrize("build", [Adam, AdaMax, adamax_in_max])
@pytest.mark.parametrize("how", ["state_dict", "pickle", "deepcopy"])
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
        optimizer = build(model.parameters(), lr=0.5, betas=(0.1, 0.1))
        optimizer.load_state_dict(torch.load(file, weights_only=True))
    elif how == "pickle":
        model, optimizer = pickle.loads(pickle.dumps((model, optimizer)))
    else:
        model, optimizer = copy.deepcopy((model, optimizer))
    assert_equal(train(model, optimizer, 10, first=10), expected)


@pytest.mark.parametrize("direction", ["from torch", "to torch"])
@pytest.mark.parametrize(("ours", "torchs"), PAIRS, ids=["Adam", "AdaMax"])
def test_state_dicts_go_from_and_to_torch(ours: Build, torchs: Build, direction: str) -> None:
    builds = (torchs, ours) if direction == "from torch" else (ours, torchs)
    whole, model = network(), network()
    expected = train(whole, torchs(whole.parameters(), lr=0.01), 30)
    before = builds[0](model.parameters(), lr=0.01)
    train(model, before, 15)
    after = builds[1](model.parameters())
    after.load_state_dict(before.state_dict())
    assert_equal(train(model, after, 15, first=15), expected, 1e-10)


def test_a_state_of_torchs_fused_adam_is_taken_over() -> None:
    """fused chooses how torch computes, not what: the checkpoint is as good as any."""
    model = network()
    before = torch.optim.Adam(model.parameters(), fused=True)
    train(model, before, 3)
    after = Adam(model.parameters())
    after.load_state_dict(before.state_dict())
    train(model, after, 1, first=3)
    assert {state["step"] for state in after.state.values()} == {4} and "fused" not in after.param_groups[0]


def scheduled(optimizer: Optimizer, kind: str) -> Callable[[], None]:
    schedulers = torch.optim.lr_scheduler
    if kind == "lambda":
        return schedulers.LambdaLR(optimizer, lambda step: 1 / (step + 1) ** 0.5).step
    if kind == "warm-up from 0":
        return schedulers.LambdaLR(optimizer, lambda step: min(step / 5, 1.0)).step
    if kind == "one cycle":  # changes beta1 too
        return schedulers.OneCycleLR(optimizer, max_lr=0.1, total_steps=50).step
    plateau = schedulers.ReduceLROnPlateau(optimizer, patience=3)
    return lambda: plateau.step(1.0)


@pytest.mark.parametrize("kind", ["lambda", "warm-up from 0", "one cycle", "plateau"])
@pytest.mark.parametrize(("ours", "torchs"), PAIRS, ids=["Adam", "AdaMax"])
def test_torchs_schedulers(ours: Build, torchs: Build, kind: str) -> None:
    ends = []
    for build in (ours, torchs):
        model = network()
        optimizer = build(model.parameters(), lr=0.01)
        schedule = scheduled(optimizer, kind)
        for step in range(20):
            end = train(model, optimizer, 1, first=step)
            schedule()
        ends.append(end)
    assert_equal(ends[0], ends[1], 1e-10)


def test_adam_without_bias_correction_is_section_6_4() -> None:
    theta = nn.Parameter(torch.zeros(1, dtype=F64))
    optimizer = Adam([theta], lr=1.0, eps=0.5, bias_correction=False)
    theta.grad = torch.full((1,), 2.0, dtype=F64)
    optimizer.step()
    assert theta.item() == pytest.approx(-0.2 / (0.004**0.5 + 0.5), rel=1e-12)


def test_adamax_has_no_epsilon_unless_in_max() -> None:
    """|g| = 1e-8 moves a parameter by alpha in Algorithm 2, by half of it with torch's epsilon."""
    for build, fraction in ((AdaMax, 1.0), (adamax_in_max, 0.5)):
        theta = nn.Parameter(torch.zeros(2, dtype=F64))
        theta.grad = torch.tensor([1e-8, 0.0], dtype=F64)
        build([theta], lr=0.1).step()
        assert theta.tolist() == pytest.approx([-0.1 * fraction, 0.0], rel=1e-9)


@pytest.mark.parametrize("build", OURS)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3, 4, 5)], ids=str)
def test_shapes_and_memory_formats(build: Build, shape: tuple[int, ...]) -> None:
    start = torch.arange(float(torch.Size(shape).numel())).reshape(shape) + 1.0
    theta = start.clone()
    if len(shape) == 4:
        theta = theta.contiguous(memory_format=torch.channels_last)
    parameter = nn.Parameter(theta)
    optimizer = build([parameter], lr=0.5)
    parameter.grad = -torch.ones(shape)
    optimizer.step()
    torch.testing.assert_close(parameter.detach(), start + 0.5)
    assert parameter.stride() == theta.stride()
