from dataclasses import replace
from typing import Any

import pytest

from studies.analysis.entrants import by_workload, can_pair, common_quantity, labels, remarks
from studies.db.records import StudyRecord
from studies.figures import theme
from studies.figures.entrants import looks
from tests.factories import make_spec
from tests.studies.frames import make_record


def study(study_id: str, optimizer: str = "adam", state: str = "complete", **overrides: Any) -> StudyRecord:
    spec = make_spec(name=f"study-{study_id}", optimizer=optimizer, **overrides)
    return replace(make_record(spec), id=study_id, state=state)


def test_an_optimizer_is_called_by_its_name_on_every_workload() -> None:
    records = [study("1"), study("2", "adamax"), study("3", workload="mnist-logistic")]
    assert labels(records) == {"1": "Adam", "2": "AdaMax", "3": "Adam"}
    assert {name: len(group) for name, group in by_workload(records).items()} == {
        "digits-logistic": 2,
        "mnist-logistic": 1,
    }


def test_modes_names_and_ids_tell_two_studies_of_an_optimizer_apart() -> None:
    in_max = {"epsilon": {"low": 1e-10, "high": 1.0}}
    modes = [study("1", "adamax"), study("2", "adamax", search_space=in_max), study("3")]
    found = labels(modes)
    assert found["3"] == "Adam" and found["1"].startswith("AdaMax") and "in-max" in found["2"]
    assert found["1"] != found["2"]
    assert labels([study("1"), study("2")]) == {"1": "Adam (study-1)", "2": "Adam (study-2)"}
    twins = [study("1"), replace(study("2"), name="study-1")]
    assert labels(twins) == {"1": "Adam (1)", "2": "Adam (2)"}


def test_looks_are_the_optimizers_and_dashes_tell_its_studies_apart() -> None:
    records = [study("1"), study("2"), study("3", "adamax")]
    found = list(looks(records, labels(records)).values())
    colours = [theme.OPTIMIZER_COLOURS[name] for name in ("adam", "adam", "adamax")]
    assert [one.colour for one in found] == colours
    assert [one.dash for one in found] == ["solid", "dash", "solid"]
    assert found[0].symbol != found[2].symbol


def test_the_quantity_is_the_common_objective() -> None:
    losses = [make_spec(), make_spec(optimizer="adamax")]
    assert common_quantity(losses) == "train_loss"
    errors = [make_spec(objective="validation_error")]
    assert common_quantity(errors) == "validation_error"
    assert common_quantity(losses + errors) == "train_loss"
    targets = [make_spec(objective="epochs_to_target", target=target) for target in (0.1, 0.2)]
    assert (common_quantity(targets[:1]), common_quantity(targets)) == ("epochs_to_target", "train_loss")


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"n_trials": 4}, True),
        ({"seed": 1}, False),
        ({"batch_size": 64}, False),
        ({"objective": "validation_loss"}, False),
    ],
)
def test_pairs_share_weights_and_batches(other: dict[str, Any], expected: bool) -> None:
    assert can_pair([make_spec(), make_spec(**other)]) is expected


def test_a_fair_comparison_needs_no_remark() -> None:
    assert remarks([study("1"), study("2", "adamax"), study("3", workload="mnist-logistic", seed=3)]) == ()


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"seed": 5}, "the studies have the seeds 0 and 5, so nothing can be paired"),
        ({"batch_size": 64}, "the batch size or the training examples differ, so nothing can be paired"),
        ({"n_trials": 16}, "differ in their trials (8 to 16)"),
        ({"epochs": 9}, "differ in their epochs (5 to 9)"),
        ({"schedule": {"alpha": "constant"}}, "the schedules differ"),
        ({"objective": "epochs_to_target", "target": 0.5}, "compared by train_loss"),
        ({"state": "running"}, "study-2 has not ended"),
        ({"sampler": "tpe"}, "The sampler of study-2 looks at results"),
        ({"pruner": "median"}, "study-2 pruned trials"),
    ],
)
def test_what_is_not_fair_is_said(other: dict[str, Any], expected: str) -> None:
    found = remarks(
        [study("1", schedule={"alpha": "inverse-sqrt"}), study("2", **{"schedule": {"alpha": "inverse-sqrt"}, **other})]
    )
    assert len(found) == 1 and expected in found[0]
