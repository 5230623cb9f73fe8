"""The dashboard's pages over a real database in a home of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from studies.db.engine import Database, open_database
from studies.settings import Settings

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
OpenPage = Callable[..., AppTest]


@pytest.fixture
def db(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Return the empty database that the pages show."""
    monkeypatch.setenv("ADAM_STUDIES_HOME", str(sqlite_settings.home))
    for name in ("ADAM_STUDIES_DATABASE_URL", "ADAM_STUDIES_BROKER_URL"):
        monkeypatch.delenv(name, raising=False)
    database = open_database(sqlite_settings)
    yield database
    database.close()


@pytest.fixture
def open_page() -> Iterator[OpenPage]:
    """Return a function that opens a page by its file below views/, with a query string's keys."""

    def open_page(name: str = "home", **query: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=30).run()
        if name != "home":
            app.query_params.update(query)
            app.switch_page(f"views/{name}.py").run()
        assert not app.exception
        return app

    yield open_page
    st.cache_resource.clear()


def texts(app: AppTest) -> str:
    """Return all Markdown of a page, badges and captions included."""
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def errors(app: AppTest) -> list[str]:
    """Return the errors that a page shows, without what keeps Markdown from reading them."""
    return [element.value.replace("\\", "").replace("\u2060", "") for element in app.error]
