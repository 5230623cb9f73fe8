"""The paper's algorithms line by line in float64 NumPy, for one trial: slow, and what the fast rules are tested with.

Each function returns theta_0 ... theta_T, [T + 1, ...]. `alphas` holds alpha of each step, so T is its length;
`gradient(theta, t)` is the gradient of f_t at theta.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Gradient = Callable[[Array, int], Array]


def adam(
    theta: Array, gradient: Gradient, alphas: Sequence[float], beta1: float, beta2: float, epsilon: float
) -> Array:
    """Kingma & Ba 2015, Algorithm 1."""
    m = np.zeros_like(theta)
    v = np.zeros_like(theta)
    path = [theta]
    for t, alpha in enumerate(alphas, start=1):
        g = gradient(theta, t)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        theta = theta - alpha * m_hat / (np.sqrt(v_hat) + epsilon)
        path.append(theta)
    return np.stack(path)


def adam_efficient_order(
    theta: Array, gradient: Gradient, alphas: Sequence[float], beta1: float, beta2: float, epsilon: float
) -> Array:
    """Kingma & Ba 2015, end of section 2: Algorithm 1 with its last three lines reordered.

    The paper prints a constant epsilon_hat; only epsilon_hat_t = epsilon sqrt(1 - beta2^t) makes the two orders equal.
    """
    m = np.zeros_like(theta)
    v = np.zeros_like(theta)
    path = [theta]
    for t, alpha in enumerate(alphas, start=1):
        g = gradient(theta, t)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        alpha_t = alpha * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        epsilon_hat = epsilon * np.sqrt(1 - beta2**t)
        theta = theta - alpha_t * m / (np.sqrt(v) + epsilon_hat)
        path.append(theta)
    return np.stack(path)


def adamax(theta: Array, gradient: Gradient, alphas: Sequence[float], beta1: float, beta2: float) -> Array:
    """Kingma & Ba 2015, Algorithm 2; where u = 0, the update is 0 (the paper leaves 0/0 open)."""
    m = np.zeros_like(theta)
    u = np.zeros_like(theta)
    path = [theta]
    for t, alpha in enumerate(alphas, start=1):
        g = gradient(theta, t)
        m = beta1 * m + (1 - beta1) * g
        u = np.maximum(beta2 * u, np.abs(g))
        ratio = np.divide(m, u, out=np.zeros_like(m), where=u != 0)
        theta = theta - alpha / (1 - beta1**t) * ratio
        path.append(theta)
    return np.stack(path)
