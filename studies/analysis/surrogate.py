"""A Gaussian process through the trials of a study, and through resamples of them, over its search space.

The space is the unit cube: an axis runs from 0 to 1 on its scale, a list by rank. Uniform points of that cube are what
the samplers random, qmc and grid draw from.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import qmc
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from studies.analysis.axes import Axis
from studies.analysis.estimates import LEVEL, Estimate, FloatArray
from studies.analysis.trials import TrialTable

N_RESAMPLES = 200  #: behind each interval
N_FEATURES = 1_024  #: waves that a random function is made of
MAX_FITTED = 800  #: trials behind a surrogate at most, a random part of more: its time grows with their cube
MAX_TUNED = 300  #: trials that its length scales are chosen by at most
N_RESTARTS = 3  #: of the search for them, which may end at a local optimum
MIN_R2 = 0.7  #: below this cross-validated R² a surrogate says too little of the objective to be asked


@dataclass(frozen=True)
class Surrogate:
    """A Gaussian process through all trials, and R random functions, each through a bootstrap sample of the trials.

    Bootstrap samples alone know nothing of what the objective does between the trials, and their intervals were found
    too narrow; random functions from the process hold that too.
    """

    axes: tuple[Axis, ...]
    r2: float  #: share of the variance that is predicted of trials left out, one at a time
    is_log: bool  #: whether logarithms of the objective are fitted
    kernel: Any  #: of scikit-learn, without noise
    points: FloatArray  #: [N, P]
    weights: FloatArray  #: of the kernel's values at the points, [N, 1 + R]; column 0 is the fit to all trials
    waves: FloatArray  #: frequencies, [F, P], and
    phases: FloatArray  #: [F] of the waves
    amplitudes: FloatArray  #: of the waves, [F, 1 + R]; column 0 has none
    centre: float
    scale: float

    def predict(self, points: FloatArray) -> FloatArray:
        """Return the fitted values at points [M, P] of the unit cube, [M, 1 + R]."""
        snapped = self._snapped(points)
        smooth: FloatArray = self.kernel(snapped, self.points) @ self.weights
        return self.centre + self.scale * (smooth + np.cos(snapped @ self.waves.T + self.phases) @ self.amplitudes)

    def mean(self, points: FloatArray) -> FloatArray:
        """Return the fit to all trials alone at points [M, P], [M]."""
        smooth: FloatArray = self.kernel(self._snapped(points), self.points) @ self.weights[:, 0]
        return self.centre + self.scale * smooth

    def objective(self, points: FloatArray) -> FloatArray:
        """Return predictions as values of the objective, [M, 1 + R]."""
        found = self.predict(points)
        return np.exp(found) if self.is_log else found

    def _snapped(self, points: FloatArray) -> FloatArray:
        return np.stack([_snap(axis, points[:, place]) for place, axis in enumerate(self.axes)], axis=-1)

    @property
    def problem(self) -> str | None:
        """Why it should not be asked; None where it may."""
        if self.r2 >= MIN_R2:
            return None
        return (
            f"A surrogate predicts {max(0.0, 100 * self.r2):.0f} % of the variance of trials left out, less than "
            f"{100 * MIN_R2:.0f} %: too little to rely on. More trials or more seeds help."
        )


def fit_table(table: TrialTable, axes: tuple[Axis, ...], seed: int = 0) -> Surrogate:
    """Fit a surrogate to complete trials: to logarithms where the objective is positive and spans a decade.

    An objective that is infinite, since the model diverges at its very initialisation, counts as the greatest finite.

    Args:
        table: two trials at least, whose objectives differ.
        axes: the searched hyperparameters.
        seed: of the resampling.
    """
    values = np.log(table.finite_objective) if table.spans_decade else table.finite_objective
    return fit(axes, unit_points(table, axes), values, table.spans_decade, seed)


def fit(
    axes: tuple[Axis, ...], points: FloatArray, values: FloatArray, is_log: bool = False, seed: int = 0
) -> Surrogate:
    """Fit a Gaussian process with a Matérn 5/2 kernel, a length scale for each axis, and noise.

    The length scales are those that make all the values likeliest, and the bootstrap samples share them: a trial that
    is drawn n times is one with an n-th of the noise.

    Args:
        axes: [P].
        points: of the unit cube, [N, P].
        values: [N], not all the same.
        is_log: whether they are logarithms.
        seed: of the resampling.

    Source: Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, algorithm 2.1, and equation 5.12 for
    the trials left out; Wilson et al. 2020 (arXiv 2002.09309) for the random functions.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(values))[:MAX_FITTED]
    points, values = points[chosen], values[chosen]
    centre, scale = float(values.mean()), float(values.std())
    targets = (values - centre) / scale
    kernel, noise = _tuned(points[:MAX_TUNED], targets[:MAX_TUNED])
    waves, phases, amplitudes = _random_functions(kernel, points.shape[1], rng)
    weights = _weights(kernel(points), noise, targets, np.cos(points @ waves.T + phases) @ amplitudes, rng)
    r2 = _r2(kernel(points), noise, targets)
    return Surrogate(axes, r2, is_log, kernel, points, weights, waves, phases, amplitudes, centre, scale)


def _tuned(points: FloatArray, targets: FloatArray) -> tuple[Any, float]:
    """Return the likeliest kernel without noise, and the noise's variance."""
    scales = Matern(np.full(points.shape[1], 0.5), (0.05, 20.0), nu=2.5)
    kernel = ConstantKernel(1.0, (0.01, 100.0)) * scales + WhiteKernel(0.01, (1e-5, 1.0))
    with warnings.catch_warnings():  # that an axis without effect takes the greatest length scale is as it should be
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = (
            GaussianProcessRegressor(kernel, n_restarts_optimizer=N_RESTARTS, random_state=0)
            .fit(points, targets)
            .kernel_
        )
    return fitted.k1, float(fitted.k2.noise_level)


def _random_functions(kernel: Any, n_axes: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the waves and phases, and their amplitudes in R functions drawn from the process before any trial.

    The spectrum of a Matérn 5/2 kernel is Student's distribution with five degrees of freedom.
    """
    spread = np.sqrt(5 / rng.chisquare(5, (N_FEATURES, 1))) / np.atleast_1d(kernel.k2.length_scale)
    waves = rng.normal(size=(N_FEATURES, n_axes)) * spread
    phases = rng.uniform(0, 2 * np.pi, N_FEATURES)
    amplitudes = np.sqrt(2 * kernel.k1.constant_value / N_FEATURES) * rng.normal(size=(N_FEATURES, N_RESAMPLES))
    return waves, phases, np.insert(amplitudes, 0, 0.0, axis=1)


def _weights(
    covariance: FloatArray, noise: float, targets: FloatArray, prior: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Return what leads each function from its values [N, 1 + R] to the trials: all, then each bootstrap sample."""
    n = len(targets)
    weights = np.zeros_like(prior)
    counts = np.vstack([np.ones(n, np.int64), rng.multinomial(n, np.full(n, 1 / n), N_RESAMPLES)])
    for column, count in enumerate(counts):
        drawn = np.flatnonzero(count)
        variances = noise / count[drawn]
        errors = np.sqrt(variances) * rng.normal(size=len(drawn)) if column else 0.0
        factor = cho_factor(covariance[np.ix_(drawn, drawn)] + np.diag(variances), lower=True)
        weights[drawn, column] = cho_solve(factor, targets[drawn] - prior[drawn, column] - errors)
    return weights


def _r2(covariance: FloatArray, noise: float, targets: FloatArray) -> float:
    """Return the cross-validated R², each trial left out in turn, with the length scales of all."""
    inverse = np.linalg.inv(covariance + noise * np.eye(len(targets)))
    return 1 - float(np.mean((inverse @ targets / np.diag(inverse)) ** 2))  # the targets have a variance of 1


def unit_points(table: TrialTable, axes: Sequence[Axis]) -> FloatArray:
    """Return the trials as points of the unit cube, [N, P]."""
    columns = [axis.positions(axis.coordinates(table.values[axis.parameter.name])) for axis in axes]
    return np.stack(columns, axis=-1)


def _snap(axis: Axis, positions: FloatArray) -> FloatArray:
    """Return the positions [M] of the settings that uniform ones from 0 to 1 stand for: a list has equal shares."""
    if axis.choices is None:
        return positions
    n = len(axis.choices)
    return np.minimum(np.floor(positions * n), n - 1) / (n - 1)


def uniform_points(n_axes: int, n: int) -> FloatArray:
    """Return n points that fill the unit cube evenly, [n, P], always the same; n is a power of two."""
    points: FloatArray = qmc.Sobol(n_axes, rng=0).random(n)
    return points


def bootstrap(draws: FloatArray, low: float = -np.inf, high: float = np.inf) -> Estimate:
    """Return the first of [1 + R] values with the quantiles of the others around it, within what it can be."""
    value = float(np.clip(draws[0], low, high))
    left, right = np.clip(np.quantile(draws[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2]), low, high)
    return Estimate(value, min(value, float(left)), max(value, float(right)))
