"""reference.py against arithmetic done by hand and against torch, which shares no code with it."""

from typing import Any

import numpy as np
import pytest
import torch

from adam_core import reference
from adam_core.reference import Array, Gradient

DEFAULTS = (0.9, 0.999, 1e-8)


def quadratic(theta: Array, t: int) -> Array:
    slope: Array = np.array([1.0, 10.0, 0.1]) * theta + np.sin(t + np.arange(3.0))
    return slope


def given_gradients(*values: float) -> Gradient:
    return lambda theta, t: np.full_like(theta, values[t - 1])


def test_first_adam_step_by_hand() -> None:
    """At t = 1 the corrections leave g and g^2: theta = -alpha g / (|g| + epsilon)."""
    for g, fraction in ((1e-6, 1 / 1.01), (1e-8, 0.5), (-3.0, -3.0 / 3.00000001)):
        path = reference.adam(np.zeros(1), given_gradients(g), [0.5], *DEFAULTS)
        assert path[1] == pytest.approx(-0.5 * fraction, rel=1e-9)


def test_second_adam_step_by_hand() -> None:
    """g = 1 then 2: mhat = .29 / .19, vhat = .004999 / .001999."""
    path = reference.adam(np.zeros(1), given_gradients(1.0, 2.0), [0.0, 1.0], 0.9, 0.999, 0.0)
    assert path[2] == pytest.approx(-(0.29 / 0.19) / (0.004999 / 0.001999) ** 0.5, rel=1e-12)


def test_adamax_steps_by_hand() -> None:
    """g = 4 then -1: u = 4 then 3.996, m = .4 then .26."""
    path = reference.adamax(np.zeros(1), given_gradients(4.0, -1.0), [0.1, 0.1], 0.9, 0.999)
    assert path[1] == pytest.approx(-0.1, rel=1e-12)
    assert path[2] - path[1] == pytest.approx(-0.1 / 0.19 * 0.26 / 3.996, rel=1e-12)


def test_adamax_is_still_while_no_gradient_came() -> None:
    path = reference.adamax(np.ones(2), lambda theta, t: np.array([0.0, 1.0 if t == 3 else 0.0]), [0.1] * 3, 0.9, 0.999)
    assert path[3, 0] == 1.0
    assert path[2, 1] == 1.0 and path[3, 1] < 1.0


def updates(name: str, values: list[float], *settings: float, **modes: Any) -> list[float]:
    """What each step of alpha = 1 takes from theta, of these gradients."""
    path = getattr(reference, name)(np.zeros(1), given_gradients(*values), [1.0] * len(values), *settings, **modes)
    return [float(update) for update in -np.diff(path[:, 0])]


@pytest.mark.parametrize(
    ("name", "values", "settings", "modes", "by_hand"),
    [
        ("adam", [1e-8], DEFAULTS, {"epsilon_mode": "hat"}, [0.001**0.5 / (0.001**0.5 + 1)]),
        ("adam", [3.0], (0.9, 0.999, 16.0), {"epsilon_mode": "root"}, [3 / 5]),
        ("adam", [1.0], (0.9, 0.999, 0.0), {"bias_correction": 0.0}, [0.1 / 0.001**0.5]),
        ("adam", [1.0], (0.9, 0.75, 0.5), {"bias_correction": 0.0, "epsilon_mode": "root"}, [0.1 / 0.75**0.5]),
        ("adam", [1.0, 2.0], (0.9, 0.999, 0.0), {"beta1_decay": 0.5}, [1, 1.145 / 0.19 / (0.004999 / 0.001999) ** 0.5]),
        ("adamax", [4.0, 0.0], (0.9, 0.999, 1.0), {"epsilon_mode": "in-max"}, [4 / 5, 0.36 / 0.19 / 4.995]),
        ("adamax", [4.0, 0.0], (0.9, 0.999, 1.0), {"epsilon_mode": "added"}, [4 / 5, 0.36 / 0.19 / 4.996]),
        ("adamax", [4.0, 2.0], (0.9, 0.999), {"beta1_decay": 0.5}, [1, (0.45 * 0.4 + 0.55 * 2) / 0.19 / 3.996]),
        ("amsgrad", [2.0, 1.0], (0.0, 0.5, 0.0), {"maximum_of": "v"}, [1, (0.75 / 2) ** 0.5]),
        ("amsgrad", [2.0, 1.0], (0.0, 0.5, 0.0), {"maximum_of": "v_hat"}, [1, 1 / 2]),
        ("amsgrad", [2.0, 1.0], (0.0, 0.5, 1.0), {"bias_correction": 0.0}, [2 / (2**0.5 + 1), 1 / (2**0.5 + 1)]),
        ("sgd", [3.0, -1.0], (), {}, [3, -1]),
        ("sgd_momentum", [1.0, 1.0, 0.0], (0.5,), {}, [1, 1.5, 0.75]),
        ("sgd_nesterov", [1.0, 1.0, 0.0], (0.5,), {}, [1.5, 1.75, 0.375]),
        ("adagrad", [3.0, 4.0, 0.0], (0.0,), {}, [1, 4 / 5, 0]),
        ("adagrad", [3.0, 4.0], (1.0,), {}, [3 / 4, 4 / 6]),
        ("adagrad", [3.0], (16.0, "root"), {}, [3 / 5]),
        ("rmsprop", [2.0, 0.0], (0.75, 0.0), {}, [2, 0]),
        ("rmsprop", [2.0, 0.0], (0.75, 1.0, 0.5), {}, [1, 1 / 2]),
        ("rmsprop", [2.0], (0.75, 3.0), {"epsilon_mode": "root"}, [1]),
        ("rmsprop", [2.0], (0.75, 0.0), {"centered": True}, [2 / 0.75**0.5]),
        ("rmsprop", [2.0], (0.75, 0.25), {"centered": True, "epsilon_mode": "root"}, [2]),
        ("adadelta", [2.0, 2.0], (0.75, 1.0), {}, [2 / 2**0.5, 2 * (1.5 / 2.75) ** 0.5]),
    ],
)  # fmt: skip
def test_updates_by_hand(
    name: str, values: list[float], settings: tuple[float, ...], modes: dict[str, Any], by_hand: list[float]
) -> None:
    assert updates(name, values, *settings, **modes) == pytest.approx(by_hand, rel=1e-12)


def test_wrappers_by_hand() -> None:
    path = np.array([[1.0], [0.9], [0.7]])
    decayed = reference.decoupled_weight_decay(path, [0.1, 0.2], 0.5)
    assert decayed[:, 0] == pytest.approx([1.0, 0.95 - 0.1, 0.85 * 0.9 - 0.2])
    assert reference.polyak_average(path)[:, 0] == pytest.approx([0.9, 0.8])
    assert reference.exponential_average(path, 0.5)[:, 0] == pytest.approx([0.9, (0.9 + 2 * 0.7) / 3])


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, 0.9999), (0.99, 0.5), (0.3, 0.0)])
def test_both_orders_of_adam_are_equal(betas: tuple[float, float]) -> None:
    alphas = [0.01 / t**0.5 for t in range(1, 301)]
    one = reference.adam(np.ones(3), quadratic, alphas, *betas, 1e-3)
    other = reference.adam_efficient_order(np.ones(3), quadratic, alphas, *betas, 1e-3)
    np.testing.assert_allclose(other, one, rtol=1e-11, atol=1e-13)


def test_adam_equals_torch() -> None:
    theta = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    optimizer = torch.optim.Adam([theta], lr=0.01, betas=(0.9, 0.999), eps=1e-8)
    for t in range(1, 301):
        theta.grad = torch.from_numpy(quadratic(theta.detach().numpy(), t))
        optimizer.step()
    expected = reference.adam(np.ones(3), quadratic, [0.01] * 300, *DEFAULTS)
    np.testing.assert_allclose(theta.detach().numpy(), expected[-1], rtol=1e-11, atol=1e-13)
