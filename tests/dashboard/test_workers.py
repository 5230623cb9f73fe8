"""The page of the workers."""

from studies.db.engine import Database
from tests.dashboard.conftest import OpenPage, texts
from tests.factories import insert_study, insert_worker, make_spec


def test_without_workers_it_says_how_to_start_one(db: Database, open_page: OpenPage) -> None:
    app = open_page("workers")
    assert "`adam-studies worker` starts one" in texts(app)
    assert len(app.dataframe) == 0


def test_what_each_worker_does(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, make_spec(name="mine"), trials=0)
    insert_worker(db, "w-busy", study_id=study_id)
    insert_worker(db, "w-idle")
    insert_worker(db, "w-gone", silent_seconds=100)
    table = open_page("workers").dataframe[0].value.set_index("worker")
    assert table["state"].to_dict() == {"w-busy": "training", "w-idle": "idle", "w-gone": "silent"}
    assert table.loc["w-busy", "trains"] == f"mine ({study_id})"
    assert table["trains"].isna().to_dict() == {"w-busy": False, "w-idle": True, "w-gone": True}
    assert table["heard"].to_dict()["w-gone"] >= 100
