"""Maps of the objective over two hyperparameters, in bins, whatever the others are."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from studies.analysis.axes import Axis
from studies.analysis.estimates import FloatArray, IntArray
from studies.analysis.trials import TrialTable

TRIALS_PER_BIN = 3  #: on average, where they are spread evenly
MIN_BINS, MAX_BINS = 3, 16  #: along a range
N_PLACES = 200  #: along a curve


@dataclass(frozen=True)
class LimitCurve:
    """Where theory changes in the plane of β1 and β2: coordinates 1−β1 and 1−β2, NaN outside the map, [M] each."""

    name: str  #: as the paper writes it
    meaning: str
    x: FloatArray
    y: FloatArray


@dataclass(frozen=True)
class PairMap:
    """The objective over two hyperparameters; bins are of equal width on the axes' scales, or the values of a list."""

    x: Axis
    y: Axis
    x_edges: FloatArray  #: coordinates of the bins' ends, [X + 1]; of a list its values, [X]
    y_edges: FloatArray  #: [Y + 1] or [Y]
    means: FloatArray  #: of the objective in each bin, [Y, X]: geometric where `is_log`; NaN where it is empty
    counts: IntArray  #: trials in each bin, [Y, X]
    is_log: bool  #: whether the objective is positive and spans a decade
    curves: tuple[LimitCurve, ...]  #: for β1 and β2, both ranges


def pair_maps(table: TrialTable, axes: tuple[Axis, ...]) -> tuple[PairMap, ...]:
    """Return the map of each two hyperparameters; an infinite objective counts as the greatest finite one."""
    if not len(table):
        return ()
    return tuple(_pair_map(table, x, y) for x, y in combinations([_bins(table, axis) for axis in axes], 2))


@dataclass(frozen=True)
class _Bins:
    """The bins along an axis."""

    axis: Axis
    place: IntArray  #: bin of each trial, [N]
    edges: FloatArray
    n: int


def _pair_map(table: TrialTable, x: _Bins, y: _Bins) -> PairMap:
    objective = np.log(table.finite_objective) if table.spans_decade else table.finite_objective
    cells = y.place * x.n + x.place
    counts = np.bincount(cells, minlength=y.n * x.n)
    sums = np.bincount(cells, weights=objective, minlength=y.n * x.n)
    means = np.full(len(counts), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return PairMap(
        x=x.axis,
        y=y.axis,
        x_edges=x.edges,
        y_edges=y.edges,
        means=(np.exp(means) if table.spans_decade else means).reshape(y.n, x.n),
        counts=counts.reshape(y.n, x.n),
        is_log=table.spans_decade,
        curves=limit_curves(x.axis, y.axis),
    )


def _bins(table: TrialTable, axis: Axis) -> _Bins:
    coordinates = axis.coordinates(table.values[axis.parameter.name])
    if axis.choices is not None:
        values = np.array(axis.choices)
        return _Bins(axis, np.searchsorted(values, coordinates), values, len(values))
    n = int(np.clip(round((len(table) / TRIALS_PER_BIN) ** 0.5), MIN_BINS, MAX_BINS))
    place = np.clip((n * axis.positions(coordinates)).astype(np.int64), 0, n - 1)
    return _Bins(axis, place, axis.at(np.linspace(0, 1, n + 1)), n)


def limit_curves(x: Axis, y: Axis) -> tuple[LimitCurve, ...]:
    """Return β1² = √β2 and β1² = β2 inside a map of β1 and β2; none in maps of others, or of lists.

    Below the first (β2 nearer to 1) Theorem 4.1 of the paper applies; above the second no bound on a step holds for
    all gradients.

    Source: Kingma & Ba 2015, sections 2.1 and 4.
    """
    if (x.parameter.name, y.parameter.name) != ("beta1", "beta2") or x.choices or y.choices:
        return ()
    one_minus_beta1 = x.at(np.linspace(0, 1, N_PLACES))
    beta1 = 1 - one_minus_beta1
    known = (
        ("β1² = √β2", "Theorem 4.1 applies below it", beta1**4),
        ("β1² = β2", "steps have no bound above it", beta1**2),
    )
    curves = []
    for name, meaning, beta2 in known:
        inside = (1 - beta2 >= y.low) & (1 - beta2 <= y.high)
        curves.append(LimitCurve(name, meaning, one_minus_beta1, np.where(inside, 1 - beta2, np.nan)))
    return tuple(curves)
