"""The doctor names what is wrong and how to mend it, writes nothing, and shows no password."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import URL, text

from studies.cli.main import main
from studies.db import submissions
from studies.db.engine import Database, open_database
from studies.doctor import machine
from studies.doctor.finding import Finding
from studies.doctor.machine import examine_machine
from studies.doctor.service import examine_service
from studies.settings import Settings
from tests.factories import insert_study, insert_worker
from tests.processes import running_redis


def about(findings: Iterable[Finding], what: str) -> list[Finding]:
    return [finding for finding in findings if finding.about == what]


def test_a_fresh_home_has_no_problem_and_stays_untouched(settings: Settings) -> None:
    findings = [*examine_machine(settings), *examine_service(settings)]
    assert {finding.state for finding in findings} == {"ok", "warning"}
    assert "not there yet" in about(findings, "database")[0].told
    assert about(findings, "broker")[0].mend == "adam-studies up starts it"
    assert not settings.home.exists()


def test_a_healthy_service(settings: Settings, database: Database) -> None:
    with running_redis(settings) as reachable:
        insert_worker(database, "w-1")
        insert_study(database)
        findings = list(examine_service(replace(reachable, database_url=database.url)))
    assert [finding.about for finding in findings] == ["broker", "database", "clocks", "workers", "studies"]
    assert {finding.state for finding in findings} == {"ok"}
    assert "answers in" in findings[0].told and "revision" in findings[1].told
    assert "1 alive" in findings[3].told and findings[4].told == "1 complete"


def test_silent_workers_and_studies_that_cannot_be_trained(settings: Settings, database: Database) -> None:
    insert_worker(database, "w-alive")
    insert_worker(database, "w-silent", silent_seconds=100.0)
    study = insert_study(database, trials=0)
    submissions.set_problem(database, study, "node7: MNIST's file is missing")
    findings = list(examine_service(replace(settings, database_url=database.url)))
    assert [finding.state for finding in about(findings, "workers")] == ["ok", "warning"]
    assert "w-silent" in about(findings, "workers")[1].told
    trouble = about(findings, "studies")[1]
    assert trouble.state == "problem" and study in trouble.told and "node7: MNIST's file is missing" in trouble.told


def test_without_workers_nothing_trains(settings: Settings, database: Database) -> None:
    findings = about(examine_service(replace(settings, database_url=database.url)), "workers")
    assert [finding.state for finding in findings] == ["warning"]


def test_a_database_that_nobody_prepared(settings: Settings, postgres_server: URL) -> None:
    url = postgres_server.render_as_string(hide_password=False)
    found = about(examine_service(replace(settings, database_url=url)), "database")
    assert [(finding.state, finding.mend) for finding in found] == [("problem", "adam-studies db upgrade")]


def test_a_database_of_a_newer_version(sqlite_settings: Settings) -> None:
    database = open_database(sqlite_settings)
    with database.write() as connection:
        connection.execute(text("UPDATE result_alembic_version SET version_num = '9999'"))
    database.close()
    found = about(examine_service(sqlite_settings), "database")
    assert found[0].state == "problem" and "9999" in found[0].told


def test_what_does_not_answer_is_told_without_its_password(settings: Settings) -> None:
    broken = replace(
        settings,
        database_url="postgresql+psycopg://me:geheim@127.0.0.1:1/studies",
        broker_url="redis://:geheim@127.0.0.1:1/0",
    )
    findings = list(examine_service(broken))
    assert [(finding.about, finding.state) for finding in findings] == [("broker", "problem"), ("database", "problem")]
    assert "geheim" not in repr(findings)


@pytest.mark.parametrize("password", ["gehe/im", "gehe#im", "gehe?im"])
def test_a_broker_whose_url_cannot_be_read(settings: Settings, password: str) -> None:
    broken = replace(settings, broker_url=f"redis://:{password}@127.0.0.1:1/0")
    found = about(examine_service(broken), "broker")
    assert [finding.state for finding in found] == ["problem"]
    assert "gehe" not in repr(found)


def test_a_home_that_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    found = about(examine_machine(replace(settings, home=tmp_path / "file" / "home")), "home")
    assert found[0].state == "problem" and "ADAM_STUDIES_HOME" in str(found[0].mend)


def test_a_full_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_LEAST_FREE_BYTES", 2**80)
    assert about(examine_machine(settings), "checkpoints")[0].state == "problem"


def test_a_driver_that_does_not_answer(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\nexit 9\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert about(examine_machine(settings), "GPU")[0].state == "problem"
    command.write_text("#!/bin/sh\necho 'NVIDIA H200, 580.95, 139000 MiB, 140000 MiB'\n")
    found = about(examine_machine(settings), "GPU")[0]
    assert found.state == "ok" and found.told.startswith("NVIDIA H200, 580.95")


def test_the_command_ends_with_1_where_there_is_a_problem(settings: Settings) -> None:
    environ = {"ADAM_STUDIES_HOME": str(settings.home), "ADAM_STUDIES_BROKER_URL": "redis://127.0.0.1:1/0"}
    result = CliRunner().invoke(main, ["doctor", "--json"], env=environ)
    assert result.exit_code == 1
    assert {"about": "broker", "state": "problem"}.items() <= next(
        found for found in json.loads(result.stdout) if found["about"] == "broker"
    ).items()
    assert CliRunner().invoke(main, ["doctor"], env={**environ, "ADAM_STUDIES_BROKER_URL": ""}).exit_code == 0
