"""Whether the best setting of one workload is good on another: only where it, or one near it, was tried there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studies.analysis.axes import searched_axes
from studies.analysis.comparison import ratio_estimate
from studies.analysis.estimates import Estimate, FloatArray
from studies.analysis.finals import Finals, judge
from studies.analysis.trials import TrialTable
from studies.spec import StudySpec

NEAR = 0.1  #: of an axis, root mean square over the axes: beyond it a setting does not stand for another


@dataclass(frozen=True)
class TriedStudy:
    """A study of an optimizer on a workload, with what it tried."""

    spec: StudySpec
    table: TrialTable
    finals: Finals


@dataclass(frozen=True)
class Transfer:
    """The best setting of a workload, judged on another."""

    source: str
    target: str
    trial: int | None  #: of the target's study, the setting nearest to the source's best; None where none is near
    distance: float  #: root mean square over the axes, in shares of an axis on its scale; 0 is the setting itself
    ratio: Estimate | None  #: its value over what tuning on the target itself gives, 1 is as good; over seeds


def transfer_matrix(studies: Sequence[TriedStudy]) -> tuple[tuple[Transfer, ...], ...]:
    """Return, for each source (a row), the transfer to each target, in the order of the studies.

    What tuning on the target gives is judged by seeds that did not choose it (`finals.judge`), as the source's best
    has not seen the target either; with one seed it is flattered, and what others lose is overstated.

    Args:
        studies: of one optimizer, each of another workload, each with a complete trial.
    """
    return tuple(tuple(_transfer(source, target) for target in studies) for source in studies)


def _transfer(source: TriedStudy, target: TriedStudy) -> Transfer:
    best = source.finals.best
    assert best is not None and target.finals.best is not None, "each has a complete trial"
    setting = source.table.setting(int(np.searchsorted(source.table.numbers, source.finals.numbers[best])))
    rows = np.searchsorted(target.table.numbers, target.finals.numbers)
    distances = _distances(setting, target.spec, {name: values[rows] for name, values in target.table.values.items()})
    nearest = target.finals.best if source is target else int(np.argmin(distances))
    distance = float(distances[nearest])
    names = source.spec.workload_label, target.spec.workload_label
    if not distance <= NEAR:
        return Transfer(*names, None, distance, None)
    own = judge(target.finals)
    assert own is not None
    values = own.values if source is target else target.finals.values[nearest]
    ratio = ratio_estimate(values, own.values)
    return Transfer(*names, int(target.finals.numbers[nearest]), distance, ratio)


def _distances(setting: dict[str, float], spec: StudySpec, tried: dict[str, FloatArray]) -> FloatArray:
    """Return how far the tried settings lie from one, [N]; infinite where a constant or a value of a list differs."""
    axes = {axis.parameter.name: axis for axis in searched_axes(spec)}
    squares, n_ranges = np.zeros(len(next(iter(tried.values())))), 0
    for name, values in tried.items():
        axis = axes.get(name)
        if name not in setting or axis is None or axis.choices is not None:
            squares += np.where(values == setting.get(name, np.nan), 0.0, np.inf)
            continue
        with np.errstate(divide="ignore"):
            place = axis.positions(axis.coordinates([setting[name]]))
        squares += (axis.positions(axis.coordinates(values)) - place) ** 2
        n_ranges += 1
    found: FloatArray = np.sqrt(squares / max(1, n_ranges))
    return found
