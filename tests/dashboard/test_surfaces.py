"""The page of the surfaces: which ways it draws, and what it says where there are none."""

from sqlalchemy import insert

from studies.db.engine import Database
from studies.db.models import TrajectoryRow
from studies.db.queries import find_study
from studies.figures.theme import OPTIMIZER_COLOURS
from tests.dashboard.conftest import OpenPage, texts
from tests.dashboard.test_study import figures
from tests.factories import insert_study, make_spec


def _study(db: Database, optimizer: str, workload: str = "surface-ravine") -> str:
    study_id = insert_study(db, make_spec(name=f"{optimizer}-here", workload=workload, optimizer=optimizer, epochs=4))
    rows = [
        {"study_id": study_id, "trial": trial, "replicate": seed, "epoch": epoch, "x": trial + epoch, "y": float(epoch)}
        for trial in range(8)
        for seed in range(2)
        for epoch in range(5)
    ]
    with db.write() as connection:
        connection.execute(insert(TrajectoryRow), rows)
    return study_id


def test_adam_and_adamax_over_one_surface(db: Database, open_page: OpenPage) -> None:
    adamax, adam = _study(db, "adamax"), _study(db, "adam")
    insert_study(db, make_spec(name="elsewhere"))
    app = open_page("surfaces")
    (figure,) = figures(app)
    ways = [trace for trace in figure["data"] if trace.get("name", "").startswith("Ada")]
    best = {one: find_study(db, one).best_trial or 0 for one in (adam, adamax)}
    assert [way["name"] for way in ways] == [
        f"Adam: best (trial {best[adam]})",
        "Adam: paper's default (trial 0)",
        f"AdaMax: best (trial {best[adamax]})",
        "AdaMax: paper's default (trial 0)",
    ]
    colours = [way["line"]["color"] for way in ways]
    assert colours == [OPTIMIZER_COLOURS["adam"]] * 2 + [OPTIMIZER_COLOURS["adamax"]] * 2
    assert figure["data"][0]["type"] == "contour"
    table = app.dataframe[0].value
    assert table["way"].tolist() == [way["name"] for way in ways]
    assert table["x"].tolist() == [best[adam] + 4.0, 4.0, best[adamax] + 4.0, 4.0]


def test_a_link_names_the_surface_the_studies_and_the_trials(db: Database, open_page: OpenPage) -> None:
    adam, _ = _study(db, "adam", "surface-cliff"), _study(db, "adamax", "surface-cliff")
    _study(db, "adam")
    app = open_page("surfaces", surface="surface-cliff", studies=f"adam-here ({adam})", roles="default")
    assert app.selectbox(key="surface").value == "surface-cliff"
    (figure,) = figures(app)
    names = [trace["name"] for trace in figure["data"] if trace.get("name", "").startswith("Ada")]
    assert names == ["Adam: paper's default (trial 0)"]
    further = next(one for one in app.multiselect(key="trials").options if one.startswith("Adam, trial 3:"))
    app.multiselect(key="trials").set_value([further]).run()
    names = [trace["name"] for trace in figures(app)[0]["data"] if trace.get("name", "").startswith("Ada")]
    assert names == ["Adam: paper's default (trial 0)", "Adam: trial 3"]


def test_the_surface_can_be_changed(db: Database, open_page: OpenPage) -> None:
    _study(db, "adam"), _study(db, "adamax", "surface-cliff")
    app = open_page("surfaces")
    app.selectbox(key="surface").set_value("surface-cliff").run()
    assert not app.exception
    names = {trace.get("name", "") for trace in figures(app)[0]["data"]}
    assert "AdaMax: paper's default (trial 0)" in names
    app.selectbox(key="surface").set_value("surface-saddle").run()
    assert "No study of this surface has been submitted yet." in app.info[0].value


def test_without_studies_it_is_said_how_to_submit_one(db: Database, open_page: OpenPage) -> None:
    app = open_page("surfaces")
    assert "`adam-studies submit surfaces`" in app.info[0].value
    assert [link.value for link in app.page_link] == ["New study"]


def test_nothing_is_complete_yet(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, make_spec(workload="surface-ravine"), trials=0)
    app = open_page("surfaces")
    assert app.info[0].value.startswith("No trial of these studies is complete yet")
    assert not figures(app) and "Rosenbrock" in texts(app)
    assert find_study(db, study_id).n_trials == 8
