"""Each algorithm line by line in float64 NumPy, for one trial: slow, and what the fast rules are tested with.

Each function returns theta_0 ... theta_T, [T + 1, ...]. `alphas` holds alpha of each step, so T is its length;
`gradient(theta, t)` is the gradient of f_t at theta. The symbols, the modes and the sources are those of the rules in
`adam_core.rules`. An update of 0/0 is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Gradient = Callable[[Array, int], Array]


def adam(
    theta: Array,
    gradient: Gradient,
    alphas: Sequence[float],
    beta1: float,
    beta2: float,
    epsilon: float,
    bias_correction: float = 1.0,
    beta1_decay: float = 1.0,
    epsilon_mode: str = "outside",
    radius: float = np.inf,
) -> Array:
    """Kingma & Ba 2015, Algorithm 1, with beta1_t = beta1 beta1_decay^(t-1) of Theorem 4.1.

    Each theta_t is projected onto the box of that radius, as online problems ask for.
    """
    m = np.zeros_like(theta)
    v = np.zeros_like(theta)
    path = [theta]
    for t, alpha in enumerate(alphas, start=1):
        g = gradient(theta, t)
        beta1_t = beta1 * beta1_decay ** (t - 1)
        m = beta1_t * m + (1 - beta1_t) * g
        v = beta2 * v + (1 - beta2) * g**2
        correction1 = 1 - beta1**t if bias_correction else 1.0
        correction2 = 1 - beta2**t if bias_correction else 1.0
        m_hat = m / correction1
        v_hat = v / correction2
        if epsilon_mode == "outside":
            step = alpha * _ratio(m_hat, np.sqrt(v_hat) + epsilon)
        elif epsilon_mode == "hat":
            step = alpha * np.sqrt(correction2) / correction1 * _ratio(m, np.sqrt(v) + epsilon)
        else:
            step = alpha * _ratio(m_hat, np.sqrt(v_hat + epsilon))
        theta = np.clip(theta - step, -radius, radius)
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


def adamax(
    theta: Array,
    gradient: Gradient,
    alphas: Sequence[float],
    beta1: float,
    beta2: float,
    epsilon: float = 0.0,
    beta1_decay: float = 1.0,
    epsilon_mode: str = "none",
) -> Array:
    """Kingma & Ba 2015, Algorithm 2; where u = 0, the update is 0 (the paper leaves this open, at beta2 = 0 too)."""
    m = np.zeros_like(theta)
    u = np.zeros_like(theta)
    path = [theta]
    for t, alpha in enumerate(alphas, start=1):
        g = gradient(theta, t)
        beta1_t = beta1 * beta1_decay ** (t - 1)
        m = beta1_t * m + (1 - beta1_t) * g
        u = np.maximum(beta2 * u, np.abs(g) + (epsilon if epsilon_mode == "in-max" else 0.0))
        denominator = u + epsilon if epsilon_mode == "added" else np.where(u > 0, u, np.inf)
        theta = theta - alpha / (1 - beta1**t) * _ratio(m, denominator)
        path.append(theta)
    return np.stack(path)


def amsgrad(
    theta: Array,
    gradient: Gradient,
    alphas: Sequence[float],
    beta1: float,
    beta2: float,
    epsilon: float,
    bias_correction: float = 1.0,
    beta1_decay: float = 1.0,
    maximum_of: str = "v",
    radius: float = np.inf,
) -> Array:
    """Reddi, Kale & Kumar 2018, Algorithm 2, with Adam's bias correction and epsilon, in a box of that radius."""
    m = np.zeros_like(theta)
    v = np.zeros_like(theta)
    v_max = np.zeros_like(theta)
    path = [theta]
    for t, alpha in enumerate(alphas, start=1):
        g = gradient(theta, t)
        beta1_t = beta1 * beta1_decay ** (t - 1)
        m = beta1_t * m + (1 - beta1_t) * g
        v = beta2 * v + (1 - beta2) * g**2
        correction1 = 1 - beta1**t if bias_correction else 1.0
        correction2 = 1 - beta2**t if bias_correction else 1.0
        if maximum_of == "v":
            v_max = np.maximum(v_max, v)
            v_hat = v_max / correction2
        else:
            v_max = np.maximum(v_max, v / correction2)
            v_hat = v_max
        theta = np.clip(theta - alpha * _ratio(m / correction1, np.sqrt(v_hat) + epsilon), -radius, radius)
        path.append(theta)
    return np.stack(path)


def sgd(theta: Array, gradient: Gradient, alphas: Sequence[float]) -> Array:
    """Stochastic gradient descent."""
    path = [theta]
    for t, alpha in enumerate(alphas, start=1):
        theta = theta - alpha * gradient(theta, t)
        path.append(theta)
    return np.stack(path)


def sgd_momentum(theta: Array, gradient: Gradient, alphas: Sequence[float], momentum: float) -> Array:
    """SGD with momentum, alpha outside of the buffer b, as in torch."""
    b = np.zeros_like(theta)
    path = [theta]
    for t, alpha in enumerate(alphas, start=1):
        b = momentum * b + gradient(theta, t)
        theta = theta - alpha * b
        path.append(theta)
    return np.stack(path)


def sgd_nesterov(theta: Array, gradient: Gradient, alphas: Sequence[float], momentum: float) -> Array:
    """SGD with Nesterov's momentum in torch's form."""
    b = np.zeros_like(theta)
    path = [theta]
    for t, alpha in enumerate(alphas, start=1):
        g = gradient(theta, t)
        b = momentum * b + g
        theta = theta - alpha * (g + momentum * b)
        path.append(theta)
    return np.stack(path)


def adagrad(
    theta: Array, gradient: Gradient, alphas: Sequence[float], epsilon: float, epsilon_mode: str = "outside"
) -> Array:
    """Kingma & Ba 2015, section 5, with an epsilon."""
    s = np.zeros_like(theta)
    path = [theta]
    for t, alpha in enumerate(alphas, start=1):
        g = gradient(theta, t)
        s = s + g**2
        theta = theta - alpha * _ratio(g, _root(s, epsilon, epsilon_mode))
        path.append(theta)
    return np.stack(path)


def rmsprop(
    theta: Array,
    gradient: Gradient,
    alphas: Sequence[float],
    rho: float,
    epsilon: float,
    momentum: float = 0.0,
    epsilon_mode: str = "outside",
    centered: bool = False,
) -> Array:
    """Tieleman & Hinton 2012, with momentum on the rescaled gradient; centered, Graves 2013."""
    r = np.zeros_like(theta)
    g_bar = np.zeros_like(theta)
    b = np.zeros_like(theta)
    path = [theta]
    for t, alpha in enumerate(alphas, start=1):
        g = gradient(theta, t)
        r = rho * r + (1 - rho) * g**2
        g_bar = rho * g_bar + (1 - rho) * g
        second = np.maximum(r - g_bar**2, 0.0) if centered else r
        b = momentum * b + _ratio(g, _root(second, epsilon, epsilon_mode))
        theta = theta - alpha * b
        path.append(theta)
    return np.stack(path)


def adadelta(theta: Array, gradient: Gradient, alphas: Sequence[float], rho: float, epsilon: float) -> Array:
    """Zeiler 2012, Algorithm 1, its step times alpha."""
    e = np.zeros_like(theta)
    x = np.zeros_like(theta)
    path = [theta]
    for t, alpha in enumerate(alphas, start=1):
        g = gradient(theta, t)
        e = rho * e + (1 - rho) * g**2
        delta = _ratio(np.sqrt(x + epsilon), np.sqrt(e + epsilon)) * g
        x = rho * x + (1 - rho) * delta**2
        theta = theta - alpha * delta
        path.append(theta)
    return np.stack(path)


def decoupled_weight_decay(path: Array, alphas: Sequence[float], weight_decay: float) -> Array:
    """The path that decoupled weight decay makes of this one, whose gradients did not depend on theta."""
    theta = path[0]
    decayed = [theta]
    for alpha, step in zip(alphas, np.diff(path, axis=0), strict=True):
        theta = theta - alpha * weight_decay * theta + step
        decayed.append(theta)
    return np.stack(decayed)


def polyak_average(path: Array) -> Array:
    """The mean of theta_1 ... theta_t for t = 1 ... T: [T, ...]. Kingma & Ba 2015, section 7.2."""
    return np.stack([path[1 : t + 1].mean(axis=0) for t in range(1, len(path))])


def exponential_average(path: Array, beta2: float) -> Array:
    """theta_bar_t / (1 - beta2^t) for t = 1 ... T: [T, ...]. Kingma & Ba 2015, section 7.2."""
    theta_bar = np.zeros_like(path[0])
    averages = []
    for t, theta in enumerate(path[1:], start=1):
        theta_bar = beta2 * theta_bar + (1 - beta2) * theta
        averages.append(theta_bar / (1 - beta2**t))
    return np.stack(averages)


def _root(second: Array, epsilon: float, epsilon_mode: str) -> Array:
    root: Array = np.sqrt(second + epsilon) if epsilon_mode == "root" else np.sqrt(second) + epsilon
    return root


def _ratio(numerator: Array, denominator: Array) -> Array:
    """The quotient, 0 where the numerator is 0."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=numerator != 0)
