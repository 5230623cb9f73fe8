"""reference.py against arithmetic done by hand and against torch, which shares no code with it."""

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
