"""The SQL page: examples that run on both databases, limits, and nothing but reading."""

import pytest

from dashboard.views import sql
from dashboard.views.sql import EXAMPLES
from studies.db.engine import Database
from studies.db.sql import run_sql
from tests.dashboard.conftest import OpenPage, errors, texts
from tests.factories import insert_study, make_spec


@pytest.mark.parametrize("title", EXAMPLES)
def test_examples_run(database: Database, title: str) -> None:
    insert_study(database, make_spec(name="one"), diverged=[1])
    frame = run_sql(database, EXAMPLES[title], 100)
    assert len(frame) > 0
    assert not frame.iloc[0].isna().all()


def test_the_best_trial_is_the_best_one(database: Database) -> None:
    insert_study(database, make_spec(name="one"))
    best = run_sql(database, EXAMPLES["The best trial of each study"], 10)
    all_trials = run_sql(database, "SELECT trial, objective FROM results", 100)
    assert best["trial"].tolist() == all_trials.nsmallest(1, "objective")["trial"].tolist()


def test_runs_an_example_and_offers_the_rows(db: Database, open_page: OpenPage) -> None:
    insert_study(db, make_spec(name="one"))
    app = open_page("sql")
    assert len(app.dataframe) == 0, "nothing runs before it is asked for"
    app.selectbox(key="sql_example").set_value("The default beside the best").run()
    assert app.text_area(key="sql_query").value == EXAMPLES["The default beside the best"]
    app.button(key="sql_run").click().run()
    assert app.query_params["q"] == EXAMPLES["The default beside the best"]
    (rows,) = app.dataframe
    assert rows.value["study"].tolist() == ["one"]
    assert (rows.value["best"] <= rows.value["default_objective"]).all()
    assert [button.proto.label for button in app.get("download_button")] == ["Rows as CSV", "Rows as Parquet"]


def test_a_link_opens_the_same_query(db: Database, open_page: OpenPage) -> None:
    insert_study(db)
    app = open_page("sql", q="SELECT COUNT(*) AS n, other FROM results GROUP BY other")
    assert app.text_area(key="sql_query").value == "SELECT COUNT(*) AS n, other FROM results GROUP BY other"
    assert app.dataframe[0].value["n"].tolist() == [8]
    assert "1 row" in texts(app)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("DELETE FROM result_trials", "the query must be one SELECT, got 'DELETE FROM result_trials'"),
        ("SELECT missing FROM results", "the query was refused: no such column: missing"),
        ("WITH a AS (SELECT 1) DELETE FROM result_trials", "the query was refused: it may only read"),
    ],
)
def test_what_is_wrong_is_one_line(db: Database, open_page: OpenPage, query: str, told: str) -> None:
    insert_study(db)
    assert errors(open_page("sql", q=query)) == [told]


def test_more_rows_than_are_shown(db: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "_MAX_ROWS", 3)
    insert_study(db)
    frame = run_sql(db, "SELECT trial FROM results", 3)
    assert frame.attrs["truncated"] and len(frame) == 3


def test_a_join_with_names_twice_and_values_of_many_kinds(db: Database, open_page: OpenPage) -> None:
    insert_study(db)
    query = (
        "SELECT r.*, c.*, CASE WHEN c.epoch = 0 THEN x'ff00' ELSE c.epoch END AS m FROM results r, curves c LIMIT 20"
    )
    app = open_page("sql", q=query)
    assert errors(app) == []
    assert {"study_id", "study_id_2"} <= set(app.dataframe[0].value)
