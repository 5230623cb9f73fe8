"""Who sees the pages: nobody without sign-in where it is set up, only this machine where it is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from studies.db.engine import Database
from studies.errors import InputError
from studies.local.sign_in import is_loopback, require_sign_in
from tests.dashboard.conftest import APP, errors
from tests.factories import insert_study

AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "a secret of some length",
    "client_id": "adam-studies",
    "client_secret": "secret",
    "server_metadata_url": "http://127.0.0.1:1/.well-known/openid-configuration",
}
AUTH_TOML = "[auth]\n" + "".join(f'{key} = "{value}"\n' for key, value in AUTH.items())


def test_where_sign_in_is_set_up_strangers_see_no_page(db: Database) -> None:
    insert_study(db)
    app = AppTest.from_file(str(APP), default_timeout=30)
    app.secrets["auth"] = AUTH
    app.run()
    assert [button.label for button in app.button] == ["Sign in"]
    assert not app.page_link and not app.progress and not app.dataframe


def test_each_provider_has_its_button(db: Database) -> None:
    app = AppTest.from_file(str(APP), default_timeout=30)
    shared = {key: AUTH[key] for key in ("redirect_uri", "cookie_secret")}
    app.secrets["auth"] = {**shared, "okta": AUTH, "microsoft": AUTH}
    app.run()
    assert [button.label for button in app.button] == ["Sign in with okta", "Sign in with microsoft"]


def test_an_address_that_others_reach_shows_nothing(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where someone starts `streamlit run dashboard/app.py --server.address 0.0.0.0`."""
    monkeypatch.setattr("streamlit.get_option", lambda name: "0.0.0.0" if name == "server.address" else None)
    study_id = insert_study(db)
    app = AppTest.from_file(str(APP), default_timeout=30).run()
    (line,) = errors(app)
    assert "nobody has to sign in, so nothing is shown" in line
    assert study_id not in str(app) and not app.page_link
    monkeypatch.setattr(sys, "argv", ["app.py", "--without-sign-in"])
    assert app.run().page_link


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("node-1", False), ("", False)],
)
def test_loopback(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "address must be of the loopback"),
        ("", "address must be of the loopback"),
        ("[auth", "secrets.toml cannot be read"),
        ("[auth]\nredirect_uri = 'http://x/oauth2callback'", "must have cookie_secret, and has redirect_uri"),
    ],
)
def test_others_are_not_served_without_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if text is not None:
        (tmp_path / ".streamlit").mkdir()
        (tmp_path / ".streamlit" / "secrets.toml").write_text(text)
    with pytest.raises(InputError) as refused:
        require_sign_in("0.0.0.0")
    assert told in str(refused.value)
    require_sign_in("127.0.0.1")


def test_others_are_served_where_they_sign_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(AUTH_TOML)
    require_sign_in("0.0.0.0")


def test_the_command_refuses_in_one_line(tmp_path: Path) -> None:
    environ = {**os.environ, "HOME": str(tmp_path), "ADAM_STUDIES_HOME": str(tmp_path / "home")}
    command = [str(Path(sys.executable).with_name("adam-studies")), "dashboard", "--address", "0.0.0.0"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: address must be of the loopback") and done.stderr.count("\n") == 1
