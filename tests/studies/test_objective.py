"""The objective: caps, divergence and misses, by hand."""

import math

import pytest

from studies.objective import loss_objective, objective_column, target_objective


def test_mean_and_sample_standard_deviation_over_replicates() -> None:
    found = loss_objective([[2.0, 1.0, 0.5], [2.0, 1.0, 0.7], [2.0, 1.0, 0.9]])
    assert found.mean == pytest.approx(0.7)
    assert found.std == pytest.approx(0.2)


def test_one_replicate_has_no_standard_deviation() -> None:
    assert loss_objective([[2.0, 0.5]]).std is None


def test_large_and_diverged_replicates_count_as_ten_times_the_initial_value() -> None:
    assert loss_objective([[2.0, 1e9]]).mean == 20.0
    assert loss_objective([[2.0, 1.0, None]]).mean == 20.0
    assert loss_objective([[2.0, 1.0], [3.0, None]]).mean == 15.5


def test_divergence_at_initialisation_is_infinite() -> None:
    found = loss_objective([[None], [2.0, 1.0]])
    assert (found.mean, found.std) == (math.inf, None)


def test_epochs_to_target_counts_a_miss_as_twice_the_epochs() -> None:
    assert target_objective([[2.0, 1.0, 0.5, 0.6]], target=0.5, epochs=3).mean == 2.0
    assert target_objective([[2.0, 1.0, 0.5], [2.0, 1.9, 1.8]], target=1.0, epochs=2).mean == (1 + 4) / 2
    assert target_objective([[2.0, None]], target=1.0, epochs=5).mean == 10.0
    assert objective_column("epochs_to_target") == "train_loss"


def test_of_losses_below_zero_the_cap_still_lies_above_the_start() -> None:
    """A density's negative log-likelihood may be negative: ten times it would be better than any result."""
    assert loss_objective([[-1.0, -5.0, -9.0]]).mean == -9.0
    assert loss_objective([[-1.0, 3.0]]).mean == 3.0
    assert loss_objective([[-1.0, 50.0]]).mean == loss_objective([[-1.0, None]]).mean == 8.0
    assert loss_objective([[0.0, 50.0]]).mean == 50.0
    assert loss_objective([[0.0, None]]).mean == math.inf
