"""The figures of a study's page that only some workloads have."""

import base64

import numpy as np
import pytest
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from studies.db.engine import Database
from studies.db.models import TrajectoryRow
from tests.dashboard.conftest import OpenPage
from tests.dashboard.test_study import figures, trace_names
from tests.factories import insert_study, make_spec


def _study(db: Database, workload: str) -> str:
    """Return a study with positions on the way from (1, 2) to (0, 0), of one parameter without the second."""
    spec = make_spec(workload=workload, epochs=4)
    study_id = insert_study(db, spec)
    has_y = spec.workload_entry.n_coordinates == 2
    rows = [
        {"study_id": study_id, "trial": trial, "replicate": seed, "epoch": epoch, "x": x, "y": 2 * x if has_y else None}
        for trial in range(8)
        for seed in range(2)
        for epoch, x in enumerate((1.0, 0.5, 0.2, 0.1, 0.0))
    ]
    if spec.workload_entry.n_coordinates:
        with db.write() as connection:
            connection.execute(insert(TrajectoryRow), rows)
    return study_id


def _numbers(packed: dict[str, str]) -> list[float]:
    """Return the numbers of an array as Plotly sends it."""
    numbers: list[float] = np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"]).tolist()
    return numbers


def _headings(app: AppTest) -> list[str]:
    return [heading.value for heading in app.subheader]


def test_a_surface_has_trajectories(db: Database, open_page: OpenPage) -> None:
    app = open_page("study", id=_study(db, "surface-ravine"), section="Convergence")
    assert not app.error and "Trajectories" in _headings(app) and "Regret" not in _headings(app)
    (drawn,) = [figure for figure in figures(app) if figure["data"][0]["type"] == "contour"]
    assert {"start", "minimum", "paper's default (trial 0)"} <= trace_names(drawn)
    way = next(trace for trace in drawn["data"] if trace.get("name") == "paper's default (trial 0)")
    assert _numbers(way["x"]) == [1.0, 0.5, 0.2, 0.1, 0.0] and _numbers(way["y"]) == [2.0, 1.0, 0.4, 0.2, 0.0]


def test_the_counterexample_has_both_and_the_other_online_problem_has_regret(db: Database, open_page: OpenPage) -> None:
    app = open_page("study", id=_study(db, "reddi-counterexample"), section="Convergence")
    headings = _headings(app)
    assert not app.error and headings.index("Regret") < headings.index("Trajectories")
    app = open_page("study", id=_study(db, "online-convex"), section="Convergence")
    assert not app.error and "Regret" in _headings(app) and "Trajectories" not in _headings(app)
    regret = next(figure for figure in figures(app) if "1/√T" in trace_names(figure))
    titles = [regret["layout"][axis]["title"]["text"] for axis in ("yaxis", "yaxis2", "xaxis", "xaxis2")]
    assert titles == ["R(T)/T", "R(T)/√T", "T (steps)", "T (steps)"]


@pytest.mark.parametrize("workload", ["digits-logistic", "mnist-vae"])
def test_other_workloads_have_neither(db: Database, open_page: OpenPage, workload: str) -> None:
    app = open_page("study", id=_study(db, workload), section="Convergence")
    assert not app.error and not {"Regret", "Trajectories"} & set(_headings(app))
