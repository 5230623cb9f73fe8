"""The complete trials of a study as arrays, taken from a frame with the columns of the view `results`."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from studies.analysis.estimates import BoolArray, Estimate, FloatArray, IntArray, t_half_width
from studies.parameters import PARAMETERS
from studies.spec import StudySpec


@dataclass(frozen=True)
class TrialTable:
    """Complete trials, diverged ones included, by number; arrays are [N]."""

    numbers: IntArray
    values: dict[str, FloatArray]  #: each parameter of the search space; of one that is true or false 1 or 0
    objective: FloatArray  #: least is best; infinite where the model diverges at its start, or a target was missed
    std: FloatArray  #: over the seeds; NaN for one seed
    n_seeds: FloatArray
    test_error: FloatArray  #: NaN where undefined
    diverged: BoolArray  #: in at least one seed
    is_default: BoolArray
    quantity: str  #: what the objective is, an objective's name or steps_to_target
    horizon: float = np.inf  #: until when trials were watched for a target; infinite where the objective is a loss

    def __len__(self) -> int:
        """Return N."""
        return len(self.numbers)

    @cached_property
    def order(self) -> IntArray:
        """Indices from the best trial to the worst; among equals the earlier trial comes first."""
        return np.argsort(self.objective, kind="stable")

    @property
    def best(self) -> int | None:
        """Index of the trial with the least objective; None without trials."""
        return int(self.order[0]) if len(self) else None

    @property
    def default(self) -> int | None:
        """Index of the optimizer's default; None where it is not among the complete trials."""
        found = np.flatnonzero(self.is_default)
        return int(found[0]) if len(found) else None

    @cached_property
    def finite_objective(self) -> FloatArray:
        """The objective, [N]: a loss that is infinite counts as the greatest finite one.

        A time to a target is known up to the horizon, and what is here is the time spent until then: no guess of when
        a trial that missed would have arrived.
        """
        finite = self.objective[np.isfinite(self.objective)]
        if np.isfinite(self.horizon):
            return np.minimum(self.objective, self.horizon)
        return np.minimum(self.objective, finite.max()) if len(finite) else np.zeros(len(self))

    @property
    def missed(self) -> BoolArray:
        """Which trials missed the target, [N]; none where the objective is a loss."""
        missed: BoolArray = np.isinf(self.objective) & np.isfinite(self.horizon)
        return missed

    @property
    def is_hopeless(self) -> bool:
        """Whether no trial tells what is good: there is none, all diverged, or all missed the target."""
        return self.best is None or bool(self.diverged.all()) or bool(np.isinf(self.objective).all())

    @cached_property
    def spans_decade(self) -> bool:
        """Whether the finite objectives are positive and reach over more than a factor of ten: their scale is log."""
        values = self.finite_objective
        return bool(len(values) and values.min() > 0 and values.max() > 10 * values.min())

    @cached_property
    def half_widths(self) -> FloatArray:
        """Half widths of the objective's 95 % intervals over seeds; NaN for one seed."""
        return t_half_width(self.std, self.n_seeds)

    def setting(self, index: int) -> dict[str, float]:
        """Return the hyperparameters of the trial at this index."""
        found = {name: float(values[index]) for name, values in self.values.items()}
        return {name: bool(value) if PARAMETERS[name].is_boolean else value for name, value in found.items()}

    def estimate(self, index: int) -> Estimate:
        """Return the objective of the trial at this index with its 95 % interval over seeds."""
        mean, half = float(self.objective[index]), float(self.half_widths[index])
        if not np.isfinite(half):
            return Estimate(mean, None, None)
        return Estimate(mean, max(min(0.0, mean), mean - half), mean + half)  # no loss is negative, a regret may be


def complete_trials(spec: StudySpec, trials: pd.DataFrame) -> TrialTable:
    """Return the complete trials of a frame with the columns of the view `results`.

    Of the objective epochs_to_target, which counts a replicate's miss as twice the epochs for the sampler's sake, a
    mean beyond the epochs is a miss here, infinite; `times.with_steps_to_target` knows the replicates themselves.
    """
    rows = trials.loc[trials["state"].eq("complete") & trials["objective"].notna()].sort_values("trial")
    objective, std = floats(rows["objective"]), floats(rows["objective_std"])
    is_timed = spec.objective == "epochs_to_target"
    missed = is_timed & (objective > spec.epochs)
    return TrialTable(
        numbers=rows["trial"].to_numpy(np.int64),
        values={name: floats(parameter_column(rows, name)) for name in spec.search_space},
        objective=np.where(missed, np.inf, objective),
        std=np.where(missed, np.nan, std),
        n_seeds=floats(rows["n_seeds"]),
        test_error=floats(rows["test_error"]),
        diverged=booleans(rows["diverged"]),
        is_default=booleans(rows["is_default"]),
        quantity=spec.objective,
        horizon=float(spec.epochs) if is_timed else np.inf,
    )


def parameter_column(trials: pd.DataFrame, name: str) -> "pd.Series[float]":
    """Return a hyperparameter's column of a frame with the columns of the view `results`, wherever it stands there."""
    if name in trials:
        return trials[name]
    return trials["other"].map(lambda other: other.get(name), na_action="ignore").astype("float64")


def floats(column: "pd.Series[float]") -> FloatArray:
    """Return a column of numbers, [N], with NaN for what is missing."""
    return np.asarray(column.to_numpy(np.float64, na_value=np.nan), dtype=np.float64)


def booleans(column: "pd.Series[bool]") -> BoolArray:
    """Return a column of truths, [N], with False for what is missing."""
    return column.fillna(False).to_numpy(np.bool_)
