"""Opening the database: transactions, the clock, and one clear line for whatever goes wrong."""

import multiprocessing
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, insert, make_url, select, text, update
from sqlalchemy.exc import IntegrityError

from studies.db.engine import Database, now, open_database
from studies.db.models import SuiteRow
from studies.errors import InputError, ServiceError
from studies.settings import Settings

NOBODY = 65534


def add_suite(database: Database, suite_id: str) -> None:
    with database.write() as connection:
        connection.execute(insert(SuiteRow).values(id=suite_id, name="suite"))


def suite_ids(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.execute(select(SuiteRow.id)).scalars())


def open_and_add(settings: Settings, suite_id: str) -> None:
    add_suite(open_database(settings), suite_id)


def refusal(settings: Settings) -> str:
    """Return the line with which the database is refused; it says which database, and no password."""
    with pytest.raises(ServiceError) as caught:
        open_database(settings)
    line = str(caught.value)
    assert "\n" not in line and "secret" not in line
    return line


def test_a_block_that_fails_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.execute(insert(SuiteRow).values(id="u-1", name="suite"))
        _ = 1 / 0
    add_suite(database, "u-2")
    assert suite_ids(database) == {"u-2"}


def test_a_read_sees_one_state_while_others_write(database: Database) -> None:
    with database.read() as connection:
        before = connection.scalar(select(func.count()).select_from(SuiteRow))
        add_suite(database, "u-1")
        assert connection.scalar(select(func.count()).select_from(SuiteRow)) == before == 0
    assert suite_ids(database) == {"u-1"}


def test_a_writer_sees_what_the_one_before_it_wrote(database: Database) -> None:
    # read, then write what was read plus one: without BEGIN IMMEDIATE, SQLite would refuse the second at once
    def count_up() -> None:
        for _ in range(10):
            with database.write() as connection:
                name = connection.scalar(select(SuiteRow.name).where(SuiteRow.id == "u-1").with_for_update())
                connection.execute(text("update result_suites set name = :name"), {"name": str(int(name or 0) + 1)})

    with database.write() as connection:
        connection.execute(insert(SuiteRow).values(id="u-1", name="0"))
    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.scalar(select(SuiteRow.name)) == "40"


def test_the_clock_is_that_of_the_database_and_runs_within_a_transaction(database: Database) -> None:
    with database.write() as connection:
        first = connection.execute(select(now())).scalar_one()
        time.sleep(0.05)
        second = connection.execute(select(now() - 0.0)).scalar_one()
    assert isinstance(first, float)
    assert first == pytest.approx(time.time(), abs=1.0)  # servers and tests share a machine's clock
    assert second - first >= 0.04


def test_a_constraint_tells_itself_from_a_failure(database: Database) -> None:
    add_suite(database, "u-1")
    with pytest.raises(IntegrityError):
        add_suite(database, "u-1")
    with pytest.raises(IntegrityError), database.write() as connection:  # SQLite checks only where it is told to
        connection.execute(
            text(
                "insert into result_arrays (study_id, token, worker_id, lease_expires_at, epoch, lost_leases, finished)"
                " values ('s-none', '', '', 0, 0, 0, false)"
            )
        )


def test_a_failure_inside_a_block_is_one_line(database: Database) -> None:
    with (
        pytest.raises(ServiceError, match=r"^cannot use the database .*no_such_table[^\n]*$"),
        database.read() as connection,
    ):
        connection.execute(text("select * from no_such_table"))


def test_sqlite_readers_do_not_wait_for_the_writer(sqlite_settings: Settings) -> None:
    database = open_database(sqlite_settings)
    with database.write() as connection:
        connection.execute(insert(SuiteRow).values(id="u-1", name="suite"))
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 1
        assert connection.exec_driver_sql("pragma busy_timeout").scalar() == 30_000
        assert suite_ids(database) == set()
    database.close()


def test_processes_that_open_a_new_home_at_once_all_succeed(settings: Settings) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=open_and_add, args=(settings, f"u-{index}")) for index in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    database = open_database(settings)
    assert suite_ids(database) == {"u-0", "u-1", "u-2"}
    database.close()


def test_a_relative_sqlite_path_is_the_same_file_after_a_change_of_folder(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    database = open_database(replace(settings, database_url="sqlite:///here.db"))
    assert database.url == f"sqlite:///{tmp_path / 'here.db'}"
    database.close()


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///:memory:", "sqlite:///file:x?uri=true"])
def test_sqlite_must_be_a_file(settings: Settings, url: str) -> None:
    with pytest.raises(InputError, match="must name a file after sqlite:///, got"):
        open_database(replace(settings, database_url=url))


def test_a_malformed_url_is_refused_without_its_password(settings: Settings) -> None:
    with pytest.raises(InputError, match="must look like") as caught:
        open_database(replace(settings, database_url="postgresql+psycopg://me:secret@host:port/name"))
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database(settings: Settings) -> None:
    settings.home.mkdir()
    (settings.home / "studies.db").write_bytes(b"once upon a time " * 100)
    assert refusal(settings).endswith("studies.db: file is not a database")
    assert (settings.home / "studies.db").read_bytes().startswith(b"once upon a time")


def test_a_folder_in_place_of_the_file(settings: Settings) -> None:
    (settings.home / "studies.db").mkdir(parents=True)
    assert refusal(settings).endswith("studies.db: unable to open database file")


def test_a_home_that_cannot_be_made(settings: Settings) -> None:
    settings.home.write_text("a file")
    assert refusal(settings) == f"cannot create the folder {settings.home} of the database: File exists"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that every user may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Do without the rights of root, for whom nothing is read-only."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_home_in_which_nothing_may_be_written(settings: Settings, open_folder: Path) -> None:
    open_folder.chmod(0o555)
    url = f"sqlite:///{open_folder}/home/studies.db"
    with unprivileged():
        line = refusal(replace(settings, home=open_folder / "home", database_url=url))
    assert line == f"cannot create the folder {open_folder}/home of the database: Permission denied"


def test_a_file_that_may_not_be_read(settings: Settings, open_folder: Path, sqlite_template: Path) -> None:
    path = open_folder / "studies.db"
    shutil.copy(sqlite_template, path)
    path.chmod(0)
    with unprivileged():
        line = refusal(replace(settings, database_url=f"sqlite:///{path}"))
    assert line == f"cannot use the database sqlite:///{path}: unable to open database file"


def test_a_database_that_another_process_keeps_locked(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.db.connection.BUSY_TIMEOUT_SECONDS", 0.1)
    database = open_database(sqlite_settings)
    with closing(sqlite3.connect(sqlite_settings.home / "studies.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(ServiceError, match=r"studies.db: database is locked$"):
            add_suite(database, "u-1")
    database.close()


def test_postgresql_frees_the_locks_of_a_client_that_stands_still(
    postgresql_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.db.connection.SILENCE_SECONDS", 1)
    frozen, other = open_database(postgresql_settings), open_database(postgresql_settings)
    add_suite(other, "u-1")
    with pytest.raises(ServiceError, match="idle-in-transaction timeout"), frozen.write() as connection:
        connection.execute(select(SuiteRow.id).with_for_update())
        with other.write() as waiting:
            waiting.execute(update(SuiteRow).values(name="renamed"))  # waits for the lock, for a second
        connection.execute(select(SuiteRow.id))
    frozen.close()
    other.close()


def test_parameters_of_the_url_go_before_ours(postgresql_settings: Settings) -> None:
    url = make_url(postgresql_settings.database_url)
    given = url.update_query_dict({"connect_timeout": "5", "options": "-c idle_in_transaction_session_timeout=7000"})
    database = open_database(replace(postgresql_settings, database_url=given.render_as_string(hide_password=False)))
    with database.read() as connection:
        assert connection.execute(text("show idle_in_transaction_session_timeout")).scalar_one() == "7s"
    assert "connect_timeout" not in database.connect_args
    database.close()


def test_postgresql_out_of_reach(settings: Settings) -> None:
    url = "postgresql+psycopg://me:secret@127.0.0.1:1/studies"
    line = refusal(replace(settings, database_url=url))
    assert line.startswith("cannot use the database postgresql+psycopg://me:***@127.0.0.1:1/studies: ")
    assert "Connection refused" in line


def test_a_postgresql_database_that_does_not_exist(settings: Settings, postgres_url: str) -> None:
    url = make_url(postgres_url).set(database="nowhere", password="secret").render_as_string(hide_password=False)
    assert 'database "nowhere" does not exist' in refusal(replace(settings, database_url=url))


def test_a_wrong_password(settings: Settings, postgres_url: str) -> None:
    plain = make_url(postgres_url).set(drivername="postgresql")
    with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute("create role locked login password 'other'")
        hba = Path(str(connection.execute("show hba_file").fetchone()[0]))  # type: ignore[index]  # SHOW gives a row
        rules = hba.read_text()
        hba.write_text(f"local all locked scram-sha-256\n{rules}")
        connection.execute("select pg_reload_conf()")
        try:
            url = make_url(postgres_url).set(username="locked", password="secret")
            line = refusal(replace(settings, database_url=url.render_as_string(hide_password=False)))
        finally:
            hba.write_text(rules)
            connection.execute("select pg_reload_conf()")
            connection.execute("drop role locked")
    assert 'password authentication failed for user "locked"' in line


def test_postgresql_must_have_been_prepared(settings: Settings, postgres_url: str) -> None:
    assert refusal(replace(settings, database_url=postgres_url)).endswith(
        "is not prepared: run `adam-studies db upgrade`"
    )


def test_connections_that_postgresql_ended_are_replaced(postgresql_settings: Settings) -> None:
    database = open_database(postgresql_settings)
    add_suite(database, "u-1")
    plain = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    ended = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = %s"
    with psycopg.connect(plain, autocommit=True) as connection:
        with pytest.raises(ServiceError, match="terminating connection"), database.write() as held:
            held.execute(insert(SuiteRow).values(id="u-2", name="suite"))
            connection.execute(ended, [make_url(database.url).database])
            held.execute(insert(SuiteRow).values(id="u-3", name="suite"))
    assert suite_ids(database) == {"u-1"}
    database.close()
