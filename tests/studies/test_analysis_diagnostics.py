"""Step sizes over time beside their bounds, of gradients whose steps are known."""

import numpy as np
import pandas as pd
import pytest

from studies.analysis.step_bounds import provable_bound
from studies.analysis.step_diagnostics import step_diagnostics
from studies.db.views import DIAGNOSTICS_COLUMNS
from tests.factories import make_spec
from tests.studies.frames import trials_of

DEFAULT = {"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
STEPS = np.array([12.0, 24.0, 36.0])


def diagnostics(largest: dict[int, list[float]]) -> pd.DataFrame:
    """Return the diagnostics of replicates with these largest steps at epochs 1, 2 and 3."""
    rows = [
        {"study_id": "s-test", "trial": 0, "replicate": replicate, "epoch": epoch + 1, "steps": STEPS[epoch]}
        | {"max_step": value, "signal_to_noise": 0.5 / (epoch + 1)}
        for replicate, values in largest.items()
        for epoch, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=list(DIAGNOSTICS_COLUMNS))


@pytest.fixture
def trials() -> pd.DataFrame:
    spec = make_spec(n_trials=1)
    return trials_of(spec, [{**DEFAULT, "objective": 1.0}]).assign(study_id="s-test", optimizer="adam")


def test_bands_and_bounds_epoch_by_epoch(trials: pd.DataFrame) -> None:
    bound = provable_bound(np.full(3, 0.9), np.full(3, 0.999), STEPS, np.ones(3, dtype=np.bool_))
    found = step_diagnostics(diagnostics({0: [1.0, 2.0, 3.0], 1: [3.0, 4.0], 2: [5.0, 6.0, 3.2]}), trials)
    assert (found.epochs.tolist(), found.steps.tolist(), found.n_replicates) == ([1, 2, 3], STEPS.tolist(), 3)
    assert found.max_step.median.tolist() == [3.0, 4.0, 3.1]
    np.testing.assert_allclose(found.max_step.low[0], 1.4)  # the 10 % quantile of 1, 3 and 5
    np.testing.assert_allclose(found.signal_to_noise.median, [0.5, 0.25, 0.5 / 3])
    np.testing.assert_allclose(found.paper_bound, 0.1 / np.sqrt(0.001))
    np.testing.assert_allclose(found.provable_bound, bound)
    assert found.above_paper == 4 / 8  # 4, 5, 6 and 3.2 lie above 3.16


def test_steps_are_held_against_their_own_bounds(trials: pd.DataFrame) -> None:
    bound = provable_bound(np.full(3, 0.9), np.full(3, 0.999), STEPS, np.ones(3, dtype=np.bool_))
    on_it = [float(value) * (1 + 1e-5) for value in bound]  # as float32 rounds it
    above = [on_it[0], *(1.01 * value for value in on_it[1:])]
    assert step_diagnostics(diagnostics({0: on_it}), trials).above_provable == 0.0
    assert step_diagnostics(diagnostics({0: above}), trials).above_provable == pytest.approx(2 / 3)


def test_rules_without_bounds_and_studies_without_diagnostics(trials: pd.DataFrame) -> None:
    found = step_diagnostics(diagnostics({0: [1.0]}), trials.assign(optimizer="sgd"))
    assert (found.above_paper, found.above_provable) == (None, None) and np.isnan(found.paper_bound).all()
    assert len(step_diagnostics(diagnostics({}), trials).epochs) == 0
