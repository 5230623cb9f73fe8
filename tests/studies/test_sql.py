"""Queries of users: they read, and nothing but reading is possible."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from studies.db.engine import Database, open_database
from studies.db.queries import trials_frame
from studies.db.sql import run_sql
from studies.errors import InputError, ServiceError
from studies.settings import Settings
from tests.factories import insert_study

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"


@pytest.fixture
def study_id(database: Database) -> str:
    return insert_study(database)


def refusal(database: Database, query: str) -> str:
    """Return the line with which a query is refused, having seen that all trials are still there."""
    with pytest.raises(InputError) as caught:
        run_sql(database, query, limit=10)
    assert "\n" not in str(caught.value)
    assert len(trials_frame(database)) == 8, query
    return str(caught.value)


def test_a_query(database: Database, study_id: str) -> None:
    frame = run_sql(
        database, "select trial, alpha, state from results where is_default or trial = 1 order by trial;", 10
    )
    assert list(frame.columns) == ["trial", "alpha", "state"]
    assert frame.trial.tolist() == [0, 1] and frame.alpha[0] == 0.001 and frame.state[0] == "complete"
    assert frame.attrs["truncated"] is False


def test_forms_of_a_query(database: Database) -> None:
    for query in (
        " SELECT 1 AS one",
        "-- a comment\nselect 1 as one -- and another",
        "/* a; comment */ select 1 as one",
        "with x as (select 1 as one) select * from x ;\n",
        "(select 1 as one)" if not database.is_sqlite else "values (1)",
        "select '%s' as one",
        "select ';' as one",
    ):
        assert run_sql(database, query, 10).shape == (1, 1)


def test_no_more_rows_than_asked_for(database: Database, study_id: str) -> None:
    for limit, n_rows, truncated in ((3, 3, True), (7, 7, True), (8, 8, False), (9, 8, False)):
        frame = run_sql(database, "select * from results", limit)
        assert (len(frame), frame.attrs["truncated"]) == (n_rows, truncated)


def test_an_empty_answer_has_its_columns(database: Database) -> None:
    frame = run_sql(database, "select trial, alpha from results", 10)
    assert list(frame.columns) == ["trial", "alpha"] and frame.empty


def test_columns_of_one_name(database: Database) -> None:
    frame = run_sql(database, "select 1 as a, 2 as a", 10)
    assert frame.to_numpy().tolist() == [[1, 2]]


def test_decimals_are_numbers(database: Database, study_id: str) -> None:
    frame = run_sql(database, "select avg(trial) as mean from results", 10)
    assert frame["mean"].tolist() == [3.5] and frame["mean"].dtype == "float64"


NO_SELECT = (
    *("", "   ", ";", "hello", "begin", "select\x00 1", "explain select 1", "pragma query_only = off"),
    *("delete from result_trials", "drop view results", "-- select 1\nupdate result_trials set alpha = 1"),
    *("attach 'x.db' as x", "copy results to '/tmp/x'"),
)
WRITING = (
    "select 1; drop view results",
    "select 1; commit; delete from result_epochs",
    "select 1; select 2",
    "with gone as (delete from result_epochs returning 1) select * from gone",
    "with x as (select 1) delete from result_epochs",
    "with x as (select 1) insert into result_suites (id, name) select 'u-1', 'x' from x",
    "select 1 into stolen",
    "select * from results for update",
    "select nextval('result_arrays_id_seq')",
    "select set_config('transaction_read_only', 'off', false), lo_create(0)",
    "select load_extension('x')",
)


def test_what_would_write_is_refused(database: Database, study_id: str) -> None:
    for query in NO_SELECT:
        assert refusal(database, query).startswith("the query must be one SELECT, got "), query
    for query in WRITING:
        assert refusal(database, query).startswith("the query was refused: "), query
    with database.read() as connection:
        assert connection.execute(text("select count(*) from result_epochs")).scalar() == 8 * 2 * 6


def test_the_reason_is_told(database: Database, study_id: str) -> None:
    for query, reason in (
        ("select nonsense from results", "nonsense"),
        ("select * from nowhere", "nowhere"),
        ("select * from results where", "syntax|incomplete"),
        ("select ? from results", "syntax|bindings"),
        ("select '\ud800'", "surrogates"),
    ):
        assert re.fullmatch(rf"the query was refused: .*({reason}).*", refusal(database, query)), query


def test_a_query_that_takes_too_long_is_stopped(database: Database) -> None:
    start = time.monotonic()
    with pytest.raises(InputError, match=r"^the query was stopped: it may take at most 0.2 seconds$"):
        run_sql(database, ENDLESS, 10, time_limit_seconds=0.2)
    assert time.monotonic() - start < 5
    assert run_sql(database, "select 1 as one", 10).one.tolist() == [1]


def test_it_works_beside_a_writer_and_leaves_no_trace(database: Database, study_id: str) -> None:
    with database.write() as connection:
        connection.execute(text("update result_studies set name = 'changed'"))
        assert run_sql(database, "select distinct study from results", 10).study.tolist() == ["adam-on-digits"]
    with database.write() as connection:  # the pooled connection is not read-only afterwards
        connection.execute(text("update result_studies set name = 'changed'"))
    assert run_sql(database, "select distinct study from results", 10).study.tolist() == ["changed"]


@pytest.fixture
def odd_database(settings: Settings, tmp_path: Path) -> Iterator[Database]:
    """Return a SQLite database whose path must be quoted in a URI."""
    path = tmp_path / "50 % of #1?" / "studies.db"
    database = open_database(replace(settings, database_url=f"sqlite:///{path}".replace("?", "%3F")))
    yield database
    database.close()


def test_a_path_with_odd_characters(odd_database: Database) -> None:
    assert run_sql(odd_database, "select count(*) as n from results", 10).n.tolist() == [0]


def test_a_sqlite_file_that_is_gone(sqlite_settings: Settings) -> None:
    database = open_database(sqlite_settings)
    database.close()
    (sqlite_settings.home / "studies.db").unlink()
    with pytest.raises(ServiceError, match=r"^cannot use the database .*unable to open database file$"):
        run_sql(database, "select 1", 10)


def test_a_connection_that_dies(postgresql_settings: Settings) -> None:
    database = open_database(postgresql_settings)
    with pytest.raises(ServiceError, match=r"^cannot use the database .*connection[^\n]*$"):
        run_sql(database, "select pg_terminate_backend(pg_backend_pid())", 10)
    assert run_sql(database, "select 1 as one", 10).one.tolist() == [1]
    database.close()


def test_columns_of_one_name_are_told_apart(database: Database, study_id: str) -> None:
    query = "select r.study_id, c.study_id, 1 as study_id_2, c.epoch from results r join curves c on c.trial = r.trial"
    frame = run_sql(database, query, limit=3)
    assert list(frame.columns) == ["study_id", "study_id_2", "study_id_2_2", "epoch"]
    assert frame["study_id_2"].tolist() == [study_id] * 3
