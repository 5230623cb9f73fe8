"""Functions of two parameters, one for each hazard of an optimizer's way; each has the minimum 0.

The formulas take NumPy's arrays or other tensors alike, with the module that has their functions.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Numbers = Any  #: an array or tensor; all operations are elementwise
Functions = Any  #: NumPy, or a module with cos, sin and tanh like it
Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Surface:
    """A function of x and y with its gradient, where to start, and what an update sees of the gradient."""

    value: Callable[[Functions, Numbers, Numbers], Numbers]
    gradient: Callable[[Functions, Numbers, Numbers], tuple[Numbers, Numbers]]
    start: Point  #: on average over seeds
    jitter: float = 0.02  #: standard deviation of each coordinate of the start
    minima: tuple[Point, ...]  #: where the value is 0; of a valley, one point
    x_window: Point  #: from where to where x is drawn
    y_window: Point
    decades: float = 3.0  #: below the greatest value that contours tell apart
    keep: float = 1.0  #: probability with which an update sees a partial derivative, then divided by it
    noise: float = 0.0  #: standard deviation of the normal noise that each partial derivative has


def _rosenbrock(functions: Functions, x: Numbers, y: Numbers) -> Numbers:
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def _rosenbrock_gradient(functions: Functions, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    return -2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)


def _strict_saddle(functions: Functions, x: Numbers, y: Numbers) -> Numbers:
    return (x**2 - 1) ** 2 / 4 + y**2 / 2


def _strict_saddle_gradient(functions: Functions, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    return x * (x**2 - 1), y


_TARGET = 2.0  #: the weight of the unit that the plateau's unit learns to be


def _sigmoid(functions: Functions, z: Numbers) -> Numbers:
    return (1 + functions.tanh(z / 2)) / 2


def _saturated_unit(functions: Functions, x: Numbers, y: Numbers) -> Numbers:
    """Of weight x and bias y: squared errors at the inputs 1 and -1, against a unit of weight 2 and bias 0."""
    target = _sigmoid_number(_TARGET)
    above = _sigmoid(functions, y + x) - target
    below = _sigmoid(functions, y - x) - (1 - target)
    return (above**2 + below**2) / 2


def _saturated_unit_gradient(functions: Functions, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    target = _sigmoid_number(_TARGET)
    above, below = _sigmoid(functions, y + x), _sigmoid(functions, y - x)
    of_above = (above - target) * above * (1 - above)
    of_below = (below - (1 - target)) * below * (1 - below)
    return of_above - of_below, of_above + of_below


_N_UNROLLED = 50  #: steps of the recurrent unit
_INITIAL_STATE = 0.5
_WANTED = 0.7


def _recurrent_unit(functions: Functions, x: Numbers, y: Numbers) -> Numbers:
    """Of weight x and bias y: (sigmoid(h_50) - 0.7)^2 with h_t = x sigmoid(h_{t-1}) + y and h_0 = 0.5."""
    state = 0 * x + _INITIAL_STATE
    for _ in range(_N_UNROLLED):
        state = x * _sigmoid(functions, state) + y
    return (_sigmoid(functions, state) - _WANTED) ** 2


def _recurrent_unit_gradient(functions: Functions, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """With the derivatives of the state carried along."""
    state, of_x, of_y = 0 * x + _INITIAL_STATE, 0 * x, 0 * y
    for _ in range(_N_UNROLLED):
        activation = _sigmoid(functions, state)
        slope = x * activation * (1 - activation)
        state, of_x, of_y = x * activation + y, activation + slope * of_x, 1 + slope * of_y
    activation = _sigmoid(functions, state)
    outer = 2 * (activation - _WANTED) * activation * (1 - activation)
    return outer * of_x, outer * of_y


def _rastrigin(functions: Functions, x: Numbers, y: Numbers) -> Numbers:
    turn = 2 * math.pi
    return x**2 + y**2 + 10 * (2 - functions.cos(turn * x) - functions.cos(turn * y))


def _rastrigin_gradient(functions: Functions, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    turn = 2 * math.pi
    return 2 * x + 10 * turn * functions.sin(turn * x), 2 * y + 10 * turn * functions.sin(turn * y)


_BEALE = ((1, 1.5), (2, 2.25), (3, 2.625))  #: powers of y and what the products are to be


def _beale(functions: Functions, x: Numbers, y: Numbers) -> Numbers:
    return sum((wanted - x * (1 - y**power)) ** 2 for power, wanted in _BEALE)


def _beale_gradient(functions: Functions, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    of_x, of_y = 0 * x, 0 * y
    for power, wanted in _BEALE:
        twice = 2 * (wanted - x * (1 - y**power))
        of_x, of_y = of_x - twice * (1 - y**power), of_y + twice * power * x * y ** (power - 1)
    return of_x, of_y


_CURVATURE = 25.0  #: of y; that of x is 1


def _bowl(functions: Functions, x: Numbers, y: Numbers) -> Numbers:
    return (x**2 + _CURVATURE * y**2) / 2


def _bowl_gradient(functions: Functions, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    return x, _CURVATURE * y


def _sigmoid_number(z: float) -> float:
    return 1 / (1 + math.exp(-z))


_WEIGHT = 3.0  #: of the recurrent unit's minimum that is marked

#: By the hazard.
SURFACES = {
    "ravine": Surface(
        value=_rosenbrock,
        gradient=_rosenbrock_gradient,
        start=(-1.2, 1.0),
        minima=((1.0, 1.0),),
        x_window=(-2.0, 2.0),
        y_window=(-1.0, 3.0),
        decades=5.0,
    ),
    "saddle": Surface(
        value=_strict_saddle,
        gradient=_strict_saddle_gradient,
        start=(0.0, 1.0),
        minima=((-1.0, 0.0), (1.0, 0.0)),
        x_window=(-1.6, 1.6),
        y_window=(-1.2, 1.2),
    ),
    "plateau": Surface(
        value=_saturated_unit,
        gradient=_saturated_unit_gradient,
        start=(-6.0, 1.0),
        minima=((_TARGET, 0.0),),
        x_window=(-8.0, 8.0),
        y_window=(-6.0, 10.0),
    ),
    "cliff": Surface(
        value=_recurrent_unit,
        gradient=_recurrent_unit_gradient,
        start=(6.0, -2.5),
        # a fixed point of the state at which its sigmoid is what is wanted
        minima=((_WEIGHT, math.log(_WANTED / (1 - _WANTED)) - _WEIGHT * _WANTED),),
        x_window=(2.5, 7.0),
        y_window=(-4.0, -0.5),
        decades=2.0,
    ),
    "local-minima": Surface(
        value=_rastrigin,
        gradient=_rastrigin_gradient,
        start=(3.4, 2.4),
        minima=((0.0, 0.0),),
        x_window=(-5.12, 5.12),
        y_window=(-5.12, 5.12),
        decades=2.0,
    ),
    "sparse-gradients": Surface(
        value=_beale,
        gradient=_beale_gradient,
        start=(1.0, 1.0),
        minima=((3.0, 0.5),),
        x_window=(-1.0, 4.5),
        y_window=(-1.5, 1.5),
        decades=5.0,
        keep=0.1,
    ),
    "noisy-gradients": Surface(
        value=_bowl,
        gradient=_bowl_gradient,
        start=(-4.0, 2.0),
        minima=((0.0, 0.0),),
        x_window=(-5.0, 3.0),
        y_window=(-2.5, 2.5),
        noise=5.0,
    ),
}
