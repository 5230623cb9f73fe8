"""Sequences of costs of online convex optimisation, each with the best fixed point in hindsight; made, not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies.workloads.online import COUNTEREXAMPLE_SLOPE
from worker.datasets.raw import RawDataset

BOX_RADIUS = 1.0
N_COSTS = 1_000
N_FEATURES = 64
N_CYCLES = 100  #: of the counterexample's three costs
_WEIGHT_SCALE = 2.0
_STREAM_SEED = 0

Array = NDArray[np.float64]


def read_sparse_stream(data_dir: Path) -> RawDataset:
    """1,000 examples to play and 1,000 to test, [n, 64] of 0 and 1, most of them 0, with labels of a logistic model.

    Args:
        data_dir: not used: the stream is drawn, from a fixed seed.
    """
    random = np.random.Generator(np.random.Philox(_STREAM_SEED))
    presence = np.minimum(0.5, 2.0 / np.arange(1, N_FEATURES + 1))
    weights = _WEIGHT_SCALE * random.standard_normal(N_FEATURES)
    inputs = (random.random((2 * N_COSTS, N_FEATURES)) < presence).astype(np.float64)
    labels = (random.random(2 * N_COSTS) < 1 / (1 + np.exp(-inputs @ weights))).astype(np.int64)
    played = inputs[:N_COSTS], labels[:N_COSTS]
    return RawDataset(
        train_inputs=played[0],
        train_labels=played[1],
        test_inputs=inputs[N_COSTS:],
        test_labels=labels[N_COSTS:],
        scale=1.0,
        best_fixed_cost=mean_logistic_cost(best_in_box(*played), *played)[0],
    )


def read_counterexample(data_dir: Path) -> RawDataset:
    """300 slopes, [300, 1]: C, -1, -1 and so on; the best fixed point is -1.

    Args:
        data_dir: not used.
    """
    slopes = np.tile([COUNTEREXAMPLE_SLOPE, -1.0, -1.0], N_CYCLES)[:, None]
    return RawDataset(
        train_inputs=slopes,
        train_labels=np.zeros(len(slopes), dtype=np.int64),
        test_inputs=slopes[:0],
        test_labels=np.zeros(0, dtype=np.int64),
        scale=1.0,
        best_fixed_cost=-float(slopes.mean()) * BOX_RADIUS,
    )


def best_in_box(inputs: Array, labels: NDArray[np.integer[Any]]) -> Array:
    """The parameters [F] between -1 and 1 with the least mean cost of logistic regression, to about 1e-12 in the cost.

    Args:
        inputs: [n, F].
        labels: [n], 0 or 1.
    """
    from scipy.optimize import minimize  # takes a fraction of a second, which workers on other data need not wait

    found = minimize(
        mean_logistic_cost,
        np.zeros(inputs.shape[1]),
        args=(inputs, labels),
        jac=True,
        bounds=[(-BOX_RADIUS, BOX_RADIUS)] * inputs.shape[1],
        method="L-BFGS-B",
        options={"ftol": 0.0, "gtol": 1e-10, "maxiter": 10_000, "maxfun": 100_000},
    )
    return np.asarray(found.x, dtype=np.float64)


def mean_logistic_cost(parameters: Array, inputs: Array, labels: NDArray[np.integer[Any]]) -> tuple[float, Array]:
    """The mean of log(1 + exp(-s theta·x)), s = 1 or -1, and its gradient [F].

    Args:
        parameters: theta, [F].
        inputs: x, [n, F].
        labels: [n], 1 where s is 1, 0 where it is -1.
    """
    margins = (inputs @ parameters) * (2 * labels - 1)
    shares = 1 / (1 + np.exp(margins))
    gradient = -(inputs.T @ (shares * (2 * labels - 1))) / len(labels)
    return float(np.mean(np.logaddexp(0.0, -margins))), gradient
