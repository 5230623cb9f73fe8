"""Whatever goes wrong is one line in its place, without a traceback."""

import logging

import pytest

from studies.db import queries
from studies.db.engine import Database
from tests.dashboard.conftest import OpenPage, errors
from tests.factories import insert_study


@pytest.mark.parametrize("name", ["home", "new_study", "study"])
def test_dead_database(db: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("ADAM_STUDIES_DATABASE_URL", "postgresql://user:secret@127.0.0.1:1/studies")
    app = open_page(name, id="s-abc")
    if name == "new_study":
        app.button(key="new_submit").click().run()
    lines = errors(app)
    assert len(lines) == (2 if name == "new_study" else 1), "the form stands all the same, and a click tells it again"
    for line in lines:
        assert line.startswith("cannot use the database postgresql+psycopg://user:***@127.0.0.1:1/studies: ")
        assert "secret" not in line and "\n" not in line


def test_recovers_with_the_database(db: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    insert_study(db)
    monkeypatch.setenv("ADAM_STUDIES_DATABASE_URL", "postgresql://127.0.0.1:1/studies")
    app = open_page()
    assert app.error and app.session_state["home_is_live"] is True
    monkeypatch.delenv("ADAM_STUDIES_DATABASE_URL")
    app.run()
    assert not app.error
    assert [link.value for link in app.page_link] == [r"adam\-on\-digits"]


def test_wrong_setting(db: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAM_STUDIES_DATABASE_URL", "mysql://host/studies")
    assert errors(open_page()) == [
        "ADAM_STUDIES_DATABASE_URL must start with sqlite:/// or postgresql://, got the scheme 'mysql'"
    ]


def test_what_nobody_foresaw(
    db: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Database) -> None:
        raise ZeroDivisionError("details for the log")

    monkeypatch.setattr(queries, "list_studies", fail)
    with caplog.at_level(logging.ERROR, logger="dashboard.components.messages"):
        app = open_page()
    assert errors(app) == ["Something unexpected went wrong (ZeroDivisionError). The dashboard's log says more."]
    assert "details for the log" in caplog.text and "Traceback" in caplog.text
