"""The step bounds against the gradients that attain them, and in the frame of a study's diagnostics."""

import math

import numpy as np
import pandas as pd
import pytest

from studies.analysis.step_bounds import Array, adamax_bound, paper_bound, provable_bound, with_step_bounds


def _one(value: float) -> Array:
    return np.array([value])


def _adam_steps(beta1: float, beta2: float, gradients: list[float], corrected: bool = True) -> list[float]:
    """|Delta_t| / alpha of Algorithm 1 with epsilon = 0."""
    m = v = 0.0
    sizes = []
    for t, g in enumerate(gradients, start=1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        first, second = (1 - beta1**t, 1 - beta2**t) if corrected else (1.0, 1.0)
        sizes.append(abs(m / first) / math.sqrt(v / second))
    return sizes


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.9, 0.99), (0.5, 0.9), (0.9, 0.7), (0.9, 0.81)])
@pytest.mark.parametrize("t", [1, 7, 60])
@pytest.mark.parametrize("corrected", [True, False])
def test_gradients_that_grow_by_beta1_over_beta2_attain_adams_bound(
    beta1: float, beta2: float, t: int, corrected: bool
) -> None:
    gradients = [(beta1 / beta2) ** (t - i) for i in range(1, t + 1)]
    (bound,) = provable_bound(_one(beta1), _one(beta2), _one(t), np.array([corrected]))
    assert _adam_steps(beta1, beta2, gradients, corrected)[-1] == pytest.approx(bound, rel=1e-9)


def test_the_known_limits() -> None:
    """7.27 alpha at the defaults and 2.35 at (.9, .99), where the paper says 3.16 and 1; AdaMax 1.0091."""
    beta1, beta2, t = np.array([0.9, 0.9]), np.array([0.999, 0.99]), np.array([1e5, 1e5])
    np.testing.assert_allclose(provable_bound(beta1, beta2, t, np.array([True, True])), [7.27, 2.35], atol=0.005)
    np.testing.assert_allclose(paper_bound(beta1, beta2), [3.1623, 1.0], atol=5e-5)
    np.testing.assert_allclose(adamax_bound(beta1[:1], beta2[:1], t[:1]), 1.0091, atol=5e-5)


@pytest.mark.parametrize("t", [1, 5, 200])
def test_gradients_that_decay_by_beta2_attain_adamaxs_bound(t: int) -> None:
    beta1, beta2, m, u = 0.9, 0.999, 0.0, 0.0
    for i in range(1, t + 1):
        m, u = beta1 * m + (1 - beta1) * beta2**i, max(beta2 * u, beta2**i)
    (bound,) = adamax_bound(_one(beta1), _one(beta2), _one(t))
    assert m / (1 - beta1**t) / u == pytest.approx(bound, rel=1e-9)


def test_beta1_zero_bounds_the_first_step_by_alpha() -> None:
    (bound,) = provable_bound(_one(0.0), _one(0.99), _one(1), np.array([True]))
    assert bound == pytest.approx(1.0)


def test_without_memory_of_the_second_moment_there_is_no_bound_after_the_first_step() -> None:
    beta1, beta2, steps = np.array([0.9, 0.9]), np.zeros(2), np.array([1.0, 2.0])
    assert provable_bound(beta1, beta2, steps, np.array([True, True])).tolist() == [pytest.approx(1.0), np.inf]
    assert adamax_bound(beta1, beta2, steps).tolist() == [pytest.approx(1.0), np.inf]


def test_the_frame_has_the_bounds_of_each_trial() -> None:
    names = ["adam", "adamax", "sgd", "amsgrad"]
    trials = pd.DataFrame(
        {
            "study_id": ["s-1"] * 4,
            "trial": range(4),
            "optimizer": names,
            "beta1": [0.9, 0.9, np.nan, 0.9],
            "beta2": [0.999, 0.999, np.nan, 0.999],
            "bias_correction": pd.array([False, None, None, True], dtype="boolean"),
            "other": [None, {"weight_decay": 0.1}, None, {"beta1_decay": 0.9}],
        }
    )
    diagnostics = pd.DataFrame({"study_id": ["s-1"] * 5, "trial": [3, 2, 1, 0, 0], "steps": [9, 9, 9, 9, 18]})
    found = with_step_bounds(diagnostics, trials)
    np.testing.assert_allclose(found["paper_bound"], [3.1623, np.nan, 1.0, 3.1623, 3.1623], atol=5e-5)
    beta = _one(0.9), _one(0.999)
    uncorrected = [provable_bound(*beta, _one(t), np.array([False]))[0] for t in (9, 18)]
    expected = [np.nan, np.nan, np.nan, *uncorrected]
    np.testing.assert_allclose(found["provable_bound"], expected, rtol=1e-12)
    assert len(with_step_bounds(diagnostics[:0], trials)) == 0
