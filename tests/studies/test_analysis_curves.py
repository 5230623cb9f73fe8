import numpy as np
import pandas as pd
import pytest

from studies.analysis.curves import align, band, cap_of, median_of_each_trial, of_trial, quantile
from tests.studies.frames import curves_of

INF, NAN = np.inf, np.nan


@pytest.fixture
def curves() -> pd.DataFrame:
    return curves_of(
        {
            (0, 0): [2.0, 1.0, 0.5],
            (0, 1): [4.0, 3.0, 2.5],
            (2, 0): [2.0, None],  # diverges at epoch 1
            (2, 1): [4.0, 2.0],  # is still running
        }
    )


def test_curves_are_aligned_whatever_the_order_of_the_rows(curves: pd.DataFrame) -> None:
    expected = [[2.0, 1.0, 0.5], [4.0, 3.0, 2.5], [2.0, INF, INF], [4.0, 2.0, NAN]]
    for frame in (curves, curves.sample(frac=1, random_state=1)):
        found = align(frame, "train_loss")
        assert found.trials.tolist() == [0, 0, 2, 2]
        assert found.replicates.tolist() == [0, 1, 0, 1]
        np.testing.assert_array_equal(found.values, expected)
    np.testing.assert_array_equal(of_trial(found, 2), expected[2:])


def test_a_quantity_that_is_not_recorded_is_nan_except_where_diverged(curves: pd.DataFrame) -> None:
    found = align(curves, "validation_loss").values
    assert np.isnan(found[[0, 1, 3]]).all()
    assert found[2, 1] == INF


def test_no_curves_at_all() -> None:
    found = align(curves_of({}), "train_loss")
    assert found.values.shape == (0, 0)
    assert cap_of(found) is None
    assert median_of_each_trial(found).shape == (0, 0)


def test_a_trials_median_counts_a_diverged_replicate_as_worst(curves: pd.DataFrame) -> None:
    found = median_of_each_trial(align(curves, "train_loss"))
    np.testing.assert_array_equal(found, [[3.0, 2.0, 1.5], [3.0, INF, INF]])


def test_a_minority_of_diverged_replicates_moves_the_median_but_leaves_it_finite() -> None:
    curves = align(curves_of({(0, 0): [9.0, 1.0], (0, 1): [9.0, 2.0], (0, 2): [9.0, None]}), "train_loss")
    np.testing.assert_array_equal(median_of_each_trial(curves), [[9.0, 2.0]])  # absent, it would be 1.5
    found = band(of_trial(curves, 0), 0.0, 1.0)
    assert (found.low[1], found.median[1], found.high[1]) == (1.0, 2.0, INF)


def test_quantiles_agree_with_numpy_on_finite_values() -> None:
    values = np.random.default_rng(0).normal(size=(17, 5))
    for share in (0.0, 0.1, 0.5, 0.77, 1.0):
        np.testing.assert_allclose(quantile(values, share), np.quantile(values, share, axis=0), rtol=1e-14)


@pytest.mark.parametrize(
    ("column", "share", "expected"),
    [
        ([1.0, 2.0, NAN], 0.5, 1.5),  # what is not recorded is absent
        ([1.0, 2.0, INF], 0.5, 2.0),
        ([1.0, 2.0, INF], 0.6, INF),  # between a number and the diverged
        ([1.0, INF, INF], 0.9, INF),
        ([NAN, NAN, NAN], 0.5, NAN),
        ([INF, NAN, NAN], 0.5, INF),
    ],
)
def test_quantiles_of_the_diverged_and_the_missing(column: list[float], share: float, expected: float) -> None:
    assert quantile(np.array(column), share) == pytest.approx(expected, nan_ok=True)


def test_bands_of_known_distributions() -> None:
    """Of exponentials with mean 1 + t the quantile p is -(1 + t) log(1 - p); one in a hundred diverges."""
    rng, scale = np.random.default_rng(0), 1.0 + np.arange(4)
    values = scale * rng.exponential(size=(20_000, 4))
    found = band(np.vstack([values, np.full((200, 4), INF)]), 0.1, 0.9)
    for share, values in ((0.1, found.low), (0.5, found.median), (0.9, found.high)):
        np.testing.assert_allclose(values, -scale * np.log(1 - share * 20_200 / 20_000), rtol=0.06)


@pytest.mark.parametrize("n", [3, 10, 50])
def test_a_band_holds_as_many_fresh_curves_as_it_says(n: int) -> None:
    """From the 10 % to the 90 % quantile of n curves lie 0.8 (n - 1) / (n + 1) of all, whatever their distribution.

    The quantile p of n uniforms has the mean ((n - 1) p + 1) / (n + 1).
    """
    draws = np.random.default_rng(0).exponential(size=(n, 4_000))  # as many epochs as repeats
    found = band(draws, 0.1, 0.9)
    held = np.exp(-found.low) - np.exp(-found.high)
    assert held.mean() == pytest.approx(0.8 * (n - 1) / (n + 1), abs=0.02)


def test_the_cap_is_ten_times_the_mean_at_initialisation(curves: pd.DataFrame) -> None:
    assert cap_of(align(curves, "train_loss")) == pytest.approx(30.0)
