"""Own workloads on the pages: their cards, and the results of those that are gone."""

from pathlib import Path

from studies.db.engine import Database
from tests.dashboard.conftest import OpenPage, errors, texts
from tests.dashboard.forms import choose
from tests.factories import insert_study, make_spec
from tests.own_workloads import CATALOGUE, installed, lay_down


def test_its_card_is_chosen_and_a_broken_one_is_told(db: Database, open_page: OpenPage, tmp_path: Path) -> None:
    site = lay_down(tmp_path / "a", "pack", {"mine": "pack.catalogue:MINE"}, catalogue=CATALOGUE.format({}))
    broken = lay_down(tmp_path / "b", "broken", {"zebra": "broken.catalogue:IT"})
    with installed(site, broken):
        app = open_page("new_study")
        choose(app, "Your own", "mine")
        assert errors(app) == [] and not app.exception
        assert any("workload: mine" in block.value for block in app.code)
        (warning,) = [found.value.replace("\\", "") for found in app.warning]
        assert warning.startswith("workload zebra, registered by broken as broken.catalogue:IT, cannot be loaded")


def test_results_of_a_workload_that_is_gone_are_shown(db: Database, open_page: OpenPage, tmp_path: Path) -> None:
    site = lay_down(tmp_path, "pack", {"mine": "pack.catalogue:MINE"}, catalogue=CATALOGUE.format({}))
    with installed(site):
        study_id = insert_study(db, make_spec(workload="mine", n_trials=12))
    home, page = open_page(), open_page("study", id=study_id)
    assert "mine" in texts(home)
    assert "mine (not installed here)" in texts(page).replace("\\", "")
    assert errors(home) == errors(page) == []
    sections = {"Overview": "convergence", "Convergence": "target-steps", "Sensitivity": "sensitivity"}
    for section, name in sections.items():
        page = open_page("study", id=study_id, section=section)
        assert f"figure_{study_id}-{name}" in {chart.key for chart in page.get("plotly_chart")}
        assert errors(page) == []
