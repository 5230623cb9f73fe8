"""What an observed step says is what the parameters, gradients and moments of a lane say, computed on their own."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from adam_core.arrays.lane_updates import LaneSetting, LaneUpdates
from adam_core.arrays.trial_array import TrialArray
from adam_core.models.examples import DenseExamples
from adam_core.models.mlp import MLP
from adam_core.models.softmax_regression import SoftmaxRegression
from adam_core.models.stacked_model import StackedModel
from adam_core.randomness import Purpose, stream
from adam_core.schedules import Schedule

CPU, F64 = torch.device("cpu"), torch.float64
F, C, N, STEPS = 12, 3, 20, 4
REL = 1e-9  # float64; m gives the gradient back with some digits less
SETTINGS: list[Mapping[str, float]] = [
    {"alpha": 0.1, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    {"alpha": 0.01, "beta1": 0.0, "beta2": 0.9, "epsilon": 1e-2},
    {"alpha": 0.3, "beta1": 0.5, "beta2": 0.99, "epsilon": 1.0},
]


def _softmax() -> StackedModel:
    return SoftmaxRegression(F, C, 1e-2, 4, CPU, F64)


def _mlp() -> StackedModel:
    return MLP(F, (5, 4), C, 1e-2, 2, CPU, F64)


def _array(model: StackedModel, optimizer: str, options: Mapping[str, Any]) -> TrialArray:
    schedule = Schedule("inverse-sqrt")
    return TrialArray(
        model,
        LaneUpdates(optimizer, options, 10),
        [LaneSetting(setting, schedule) for setting in SETTINGS],
        [0] * len(SETTINGS),
        lambda seed, layer: stream(1, seed, Purpose.INITIAL_WEIGHTS, layer=layer),
    )


def _train(array: TrialArray, last: int) -> None:
    for number in range(1, last + 1):
        array.step(number, _batches(array))


def _batches(array: TrialArray) -> dict[int, Any]:
    source = torch.Generator().manual_seed(3)
    examples = DenseExamples(torch.rand(N, F, generator=source, dtype=F64), torch.randint(0, C, (N,), generator=source))
    noise = lambda layer: stream(1, 0, Purpose.TRAINING_NOISE, layer=layer)  # noqa: E731
    return {0: array.prepare(examples, noise, training=True)}


@pytest.mark.parametrize("make", [_softmax, _mlp])
@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        ("adam", {}),
        ("adam", {"epsilon_mode": "hat"}),
        ("adam", {"epsilon_mode": "root", "averaging": "polyak"}),
        ("adamax", {"epsilon_mode": "added"}),
        ("adamax", {"epsilon_mode": "in-max"}),
        ("adamax", {}),
    ],
)
def test_figures_of_a_step(make: Any, optimizer: str, options: Mapping[str, Any]) -> None:
    array, plain = _array(make(), optimizer, options), _array(make(), optimizer, options)
    _train(array, STEPS - 1)
    _train(plain, STEPS)
    before = array.state_dict()["layers"]
    theta_before, m_before, _ = (torch.cat([layer[kind].flatten(1) for layer in before], dim=1) for kind in range(3))
    found = array.observed_step(STEPS, _batches(array))
    states = array.state_dict()["layers"]
    theta, m, v = (torch.cat([layer[kind].flatten(1) for layer in states], dim=1) for kind in range(3))
    for layer, expected in zip(states, plain.state_dict()["layers"], strict=True):
        assert all(torch.equal(*pair) for pair in zip(layer, expected, strict=True))  # observing changes no bit
    for lane, slot in enumerate(array.lanes):
        setting = SETTINGS[lane]
        alpha, beta1, beta2 = setting["alpha"] / STEPS**0.5, setting["beta1"], setting["beta2"]
        update = theta[lane] - theta_before[lane]
        gradient = (m[lane] - beta1 * m_before[lane]) / (1 - beta1)
        m_hat = m[lane] / (1 - beta1**STEPS)
        root = v[lane] if optimizer == "adamax" else (v[lane] / (1 - beta2**STEPS)).sqrt()
        assert found.max_step[slot] == pytest.approx(float(update.abs().max() / alpha), rel=REL)
        assert found.signal_to_noise[slot] == pytest.approx(float((m_hat.abs() / root).nan_to_num().mean()), rel=REL)
        assert found.update_norm[slot] == pytest.approx(float(update.norm()), rel=REL)
        assert found.weight_norm[slot] == pytest.approx(float(theta_before[lane].norm()), rel=REL)
        assert found.gradient_norm[slot] == pytest.approx(float(gradient.norm()), rel=REL)
        share = _epsilon_share(optimizer, options.get("epsilon_mode"), setting["epsilon"], root, beta2)
        assert found.epsilon_share[slot] == pytest.approx(share, rel=REL)


def _epsilon_share(optimizer: str, mode: str | None, epsilon: float, root: Tensor, beta2: float) -> float:
    if optimizer == "adamax":
        signal = {None: torch.full_like(root, torch.inf), "added": root, "in-max": root - epsilon}[mode]
        return float((epsilon > signal).double().mean())
    left = {None: epsilon, "hat": epsilon / (1 - beta2**STEPS) ** 0.5, "root": epsilon**0.5}[mode]
    return float((left > root).double().mean())


def test_rules_without_moments_have_norms_but_no_signal() -> None:
    array = _array(_softmax(), "sgd", {})
    found = array.observed_step(1, _batches(array))
    assert found.signal_to_noise.isnan().all() and found.epsilon_share.isnan().all()
    for slot in range(3):
        # theta_1 = theta_0 - alpha g
        assert found.update_norm[slot] == pytest.approx(SETTINGS[slot]["alpha"] * float(found.gradient_norm[slot]))
