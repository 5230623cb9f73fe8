"""What the database makes of epochs equals what is made of the whole curves."""

import numpy as np
import pytest

from studies.db.aggregates import curves_of_trials, diverged_frame, ends_frame, reached_frame
from studies.db.engine import Database
from studies.db.queries import curves_frame
from tests.factories import insert_study, make_spec


@pytest.fixture
def study_id(database: Database) -> str:
    insert_study(database, make_spec(seed=1))  # others must not matter
    return insert_study(database, make_spec(epochs=6, n_seeds=3), diverged=[1, 5])


def test_ends_are_the_first_and_last_epochs(database: Database, study_id: str) -> None:
    found = ends_frame(database, study_id, "train_loss", 6, 3)
    rows = found.set_index(["trial", "replicate"]).to_dict("index")
    curves = curves_frame(database, study_id)
    assert len(found) == 24
    for key, curve in curves.groupby(["trial", "replicate"]):
        assert rows[key]["first"] == curve["train_loss"].iloc[0]
        assert bool(rows[key]["diverged"]) is bool(curve["diverged"].any())
        last = curve.loc[curve["epoch"] == 6, "train_loss"]
        np.testing.assert_array_equal(rows[key]["last"], last.iloc[0] if len(last) else np.nan)
    assert found["diverged"].sum() == 2


def test_the_first_epoch_at_the_target_with_its_steps_and_seconds(database: Database, study_id: str) -> None:
    found = reached_frame(database, study_id, "train_loss", 0.7)
    rows = found.set_index(["trial", "replicate"]).to_dict("index")
    curves = curves_frame(database, study_id)
    assert 0 < found["reached"].sum() < 24
    for key, curve in curves.groupby(["trial", "replicate"]):
        hits = curve.loc[curve["train_loss"] <= 0.7, "epoch"]
        watched = curve[curve["epoch"] <= (hits.min() if len(hits) else 6)]
        row = rows[key]
        assert (bool(row["reached"]), row["epochs"]) == (bool(len(hits)), watched["epoch"].max())
        assert (row["steps"], row["seconds"]) == (watched["steps"].max(), pytest.approx(watched["seconds"].sum()))
    assert reached_frame(database, study_id, "train_loss", 0.7, [3])["trial"].tolist() == [3, 3, 3]
    quick = reached_frame(database, study_id, "train_loss", 0.7, has_seconds=False)
    assert quick["steps"].tolist() == found["steps"].tolist() and quick["seconds"].isna().all()
    assert reached_frame(database, study_id, "train_loss", 0.7, []).empty


def test_trials_diverge_when_their_first_replicate_does(database: Database, study_id: str) -> None:
    found = diverged_frame(database, study_id)
    assert (found["trial"].tolist(), found["epoch"].tolist()) == ([1, 5], [3, 3])


def test_curves_of_some_trials(database: Database, study_id: str) -> None:
    curves = curves_frame(database, study_id)
    expected = curves[curves["trial"].isin([0, 4])].drop(columns="data").reset_index(drop=True)
    assert curves_of_trials(database, study_id, [0, 4]).equals(expected)
