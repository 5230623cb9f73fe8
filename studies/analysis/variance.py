"""How much of the objective's variance over the search space each hyperparameter explains: Sobol indices.

They are of a surrogate of the objective, on its logarithms where it spans a decade. First-order indices and those of
pairs are the main effects and interactions of the functional ANOVA (Hutter et al. 2014, fANOVA).

The intervals covered 95 % where the objective is smooth along the axes; where much of it is interaction, and trials are
few, a surrogate takes what it cannot tell for interaction, so that total indices come out too great.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from SALib.analyze.sobol import first_order, second_order, total_order
from SALib.sample import sobol

from studies.analysis.estimates import Estimate, FloatArray
from studies.analysis.surrogate import Surrogate, bootstrap

N_BASE = 1_024  #: points that the indices' 2 P + 2 samples have each


@dataclass(frozen=True)
class VarianceShare:
    """What a hyperparameter explains of the variance: alone, and together with whatever it interacts with."""

    parameter: str
    first: Estimate
    total: Estimate


@dataclass(frozen=True)
class PairShare:
    """What two hyperparameters explain of the variance beyond what each does alone."""

    parameters: tuple[str, str]
    share: Estimate


@dataclass(frozen=True)
class VarianceShares:
    """The shares, greatest total first; none where `message` says why."""

    values: tuple[VarianceShare, ...]
    pairs: tuple[PairShare, ...]  #: greatest first
    message: str | None


@dataclass(frozen=True)
class Indices:
    """Sobol indices of C functions of P variables."""

    first: FloatArray  #: [P, C]
    total: FloatArray  #: [P, C]
    pairs: FloatArray  #: of the combinations of two variables in order, [P (P - 1) / 2, C]


def variance_shares(surrogate: Surrogate) -> VarianceShares:
    """Return the Sobol indices of a surrogate with 95 % intervals; none of one that predicts too little."""
    if surrogate.problem is not None:
        return VarianceShares((), (), surrogate.problem)
    names = [axis.parameter.name for axis in surrogate.axes]
    found = sobol_indices(surrogate.predict(sobol_points(len(names))), len(names))
    values = [
        VarianceShare(name, bootstrap(first, 0.0, 1.0), bootstrap(total, 0.0, 1.0))
        for name, first, total in zip(names, found.first, found.total, strict=True)
    ]
    pairs = [
        PairShare(two, bootstrap(share, 0.0, 1.0))
        for two, share in zip(combinations(names, 2), found.pairs, strict=True)
    ]
    return VarianceShares(
        tuple(sorted(values, key=lambda one: -one.total.value)),
        tuple(sorted(pairs, key=lambda one: -one.share.value)),
        None,
    )


def sobol_points(n_axes: int) -> FloatArray:
    """Return the points of the unit cube at which `sobol_indices` wants functions, [1024 (2 P + 2), P]."""
    problem = {"num_vars": n_axes, "names": [str(axis) for axis in range(n_axes)], "bounds": [[0, 1]] * n_axes}
    points: FloatArray = sobol.sample(problem, N_BASE, seed=0)
    return points


def sobol_indices(values: FloatArray, n_axes: int) -> Indices:
    """Return first-order, total and second-order indices of C functions from their values at `sobol_points`.

    Args:
        values: [1024 (2 P + 2), C].
        n_axes: P.

    Source: Saltelli et al. 2010, Computer Physics Communications 181; SALib's estimators.
    """
    step = 2 * n_axes + 2
    values = values - values.mean(axis=0)  # the estimators' errors grow with the mean
    first_sample, second_sample = values[::step], values[step - 1 :: step]
    one_swapped = [values[1 + axis :: step] for axis in range(n_axes)]
    others_swapped = [values[1 + n_axes + axis :: step] for axis in range(n_axes)]
    pairs = [
        second_order(first_sample, one_swapped[j], one_swapped[k], others_swapped[j], second_sample)
        for j, k in combinations(range(n_axes), 2)
    ]
    return Indices(
        np.array([first_order(first_sample, one, second_sample) for one in one_swapped]),
        np.array([total_order(first_sample, one, second_sample) for one in one_swapped]),
        np.array(pairs).reshape(-1, values.shape[1]),
    )
