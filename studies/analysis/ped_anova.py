"""PED-ANOVA of many resamples of a study's trials at once (Watanabe et al. 2023, arXiv 2304.10255).

The estimator is Optuna's PedAnovaImportanceEvaluator, on whose numbers a test holds it. That one asks for a study with
all its trials each time; here a resample is a row of counts on the grid of each hyperparameter, which is all it needs.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from studies.analysis.axes import Axis
from studies.analysis.estimates import BoolArray, FloatArray, IntArray

TOP_SHARE = 0.1  #: the share of trials that counts as the best
_N_STEPS = 50  #: places of the grid along a range
_MIN_SIGMA = 0.5 / 1.64  #: of a kernel, in steps of the grid: 90 % of its mass lie within one place


def grid_places(axis: Axis, coordinates: FloatArray) -> IntArray:
    """Return the places of coordinates [N] on the axis's grid: of a list its values, of a range 50 even steps."""
    if axis.choices is not None:
        return np.searchsorted(axis.choices, coordinates)
    places = np.ceil(axis.positions(coordinates) * (_N_STEPS - 1) - 0.5).astype(np.int64)
    return np.clip(places, 0, _N_STEPS - 1)


def ped_anova(axes: Sequence[Axis], places: IntArray, objective: FloatArray) -> FloatArray:
    """Return the share of each axis in what it takes to be among the best tenth, in each of R sets of trials.

    Args:
        axes: [P].
        places: of the trials on the axes' grids, [P, R, M].
        objective: of the trials, [R, M].

    Returns:
        Shares [R, P], which add to 1; equal ones of a set whose best tenth is no better than its worst trial.
    """
    ordered = np.sort(objective, axis=1)
    cutoff = ordered[:, [int(np.ceil(TOP_SHARE * objective.shape[1])) - 1]]
    is_top = objective <= cutoff
    found = np.stack([_divergence(axis, own, is_top) for axis, own in zip(axes, places, strict=True)], axis=1)
    total = found.sum(axis=1, keepdims=True)
    tells = (cutoff < ordered[:, -1:]) & (total > 0)
    shares: FloatArray = np.where(tells, found / np.where(tells, total, 1.0), 1 / len(axes))
    return shares


def _divergence(axis: Axis, places: IntArray, is_top: BoolArray) -> FloatArray:
    """Return Pearson's divergence of the density of the best trials from that of all, [R], from places [R, M]."""
    n_rows, size = len(places), _N_STEPS if axis.choices is None else len(axis.choices)
    cells = (np.arange(n_rows)[:, None] * size + places).ravel()
    density = _range_density if axis.choices is None else _list_density
    top, every = (
        density(np.bincount(cells, weights, n_rows * size).reshape(n_rows, size).astype(np.float64)) + 1e-12
        for weights in (is_top.ravel(), None)
    )
    found: FloatArray = np.sum(every * (top / every - 1) ** 2, axis=1)
    return found


def _list_density(counts: FloatArray) -> FloatArray:
    """Return the density at each value of a list from counts [R, G], with one trial's weight spread over all."""
    n, size = counts.sum(axis=1, keepdims=True), counts.shape[1]
    n_kernels = np.sum(counts > 0, axis=1, keepdims=True) + 1
    found: FloatArray = ((n / n_kernels + counts) / (1 + size / n_kernels) + 1 / size) / (n + 1)
    return found


def _range_density(counts: FloatArray) -> FloatArray:
    """Return the density on a range's grid from counts [R, G], by normal kernels cut off at its ends.

    One more, with the weight of one trial, is as wide as the grid.
    """
    n, size = counts.sum(axis=1, keepdims=True), counts.shape[1]
    grid = np.arange(size)
    low, high = -0.5, size - 0.5
    sigma = _bandwidth(counts)
    inside = ndtr((high - grid) / sigma) - ndtr((low - grid) / sigma)
    edges = ndtr((np.arange(-size, size) + 0.5) / sigma)
    mass = np.diff(edges, axis=1)  # of a kernel, at each distance from 1 - G to G - 1
    kernels = mass[:, grid[:, None] - grid + size - 1]
    prior = np.diff(ndtr((np.arange(size + 1) - 0.5 - (size - 1) / 2) / size))
    found: FloatArray = ((kernels @ (counts / inside)[..., None])[..., 0] + prior / prior.sum()) / (n + 1)
    return found


def _bandwidth(counts: FloatArray) -> FloatArray:
    """Return the kernels' width by Scott's rule (1992, Multivariate Density Estimation) from counts [R, G]; [R, 1]."""
    n, grid = counts.sum(axis=1, keepdims=True), np.arange(counts.shape[1])
    mean = (counts @ grid)[:, None] / n
    sigma = np.sqrt(np.sum(counts * (grid - mean) ** 2, axis=1, keepdims=True) / np.maximum(1, n - 1))
    below = np.cumsum(counts, axis=1)
    first = np.argmax(below >= np.maximum(n // 4, 1), axis=1)
    third = np.argmax(below > 3 * n // 4, axis=1)
    spread = np.minimum((third - first)[:, None] / 1.34, sigma)
    found: FloatArray = np.maximum(1.059 * spread * n**-0.2, _MIN_SIGMA)
    return found
