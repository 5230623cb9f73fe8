"""The dashboard over a whole stack, in a real browser: submitted to, watched live, cancelled, compared, linked to.

One stack serves all tests of this file, which run in their order: the first finds it empty, the last ends its Redis.
"""

import io
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from studies.db.engine import Database, open_database
from studies.db.queries import curves_frame, find_study, list_studies, trials_frame
from studies.dispatch import Bell
from studies.local.redis_server import broker_url
from studies.local.stack import Stack, dashboard_command
from studies.service import Service
from studies.settings import Settings
from tests.dashboard.oidc_provider import CLIENT, EMAIL, running_provider
from tests.factories import insert_study, insert_suite, make_spec, make_suite
from tests.processes import wait_until

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 30_000


@dataclass(frozen=True)
class Served:
    """A running stack."""

    stack: Stack
    settings: Settings
    db: Database

    @property
    def log(self) -> str:
        """What the dashboard wrote."""
        return (self.settings.home / "logs" / "dashboard.log").read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    """Start Redis, a worker and the dashboard, elsewhere than in the repository: the settings must come along."""
    home = tmp_path_factory.mktemp("home")
    shutil.copy(sqlite_template, home / "studies.db")
    settings = Settings.from_environ({"ADAM_STUDIES_HOME": str(home), "ADAM_STUDIES_DEVICE": "cpu"})
    db = open_database(settings)
    with chdir(home), Stack(settings, n_workers=1, port=_free_port()) as stack:
        served = Served(stack, settings, db)
        yield served
    db.close()
    assert "Traceback" not in served.log


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start headless Chromium; skipped where it is not installed, but never in CI."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail(f"none of {', '.join(BROWSERS)} is installed")
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """Return a page of a new session that may ask nothing but the dashboard."""
    asked: list[str] = []
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, base_url=served.stack.address)
    context.set_default_timeout(PATIENCE_MS)
    context.on("request", lambda request: asked.append(request.url))
    yield context.new_page()
    context.close()
    assert [url for url in asked if not re.match(r"(http://127\.0\.0\.1:|data:|blob:)", url)] == []


def test_submit_from_the_form_and_watch_to_the_end(page: Page, served: Served) -> None:
    """The first test: the database is empty."""
    received: list[str | bytes] = []
    page.on("websocket", lambda opened: opened.on("framereceived", lambda frame: received.append(frame)))
    page.goto("/")
    expect(page.get_by_text("No study has been submitted yet.")).to_be_visible()
    page.get_by_role("link", name="New study").first.click()
    _fill_in_the_form(page)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted as")).to_be_visible()
    (study,) = list_studies(served.db)
    assert (study.name, study.n_trials, study.spec.seed) == ("typed <b>live</b>", 16, 7)

    page.get_by_role("link", name="Studies").click()
    expect(page.get_by_text("16 of 16 trials")).to_be_visible()  # without a reload
    expect(page.get_by_text("1 worker alive")).to_be_visible()
    expect(page.get_by_text(re.compile("Redis .* answers in .* message"))).to_be_visible()
    page.get_by_role("link", name="typed <b>live</b>").click()
    expect(page).to_have_url(re.compile(rf"/study\?id={study.id}"))
    expect(page.locator(".stMarkdownBadge").first).to_contain_text("complete")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    assert _n_received_in_a_while(page, received) == 0 < len(received), "nothing is sent once the study has ended"
    assert served.stack.dashboard is not None
    assert "torch" not in Path(f"/proc/{served.stack.dashboard.pid}/maps").read_text(), "the pages stay free of torch"


def test_a_deep_link_opens_the_trials_to_download_them(page: Page, served: Served) -> None:
    study_id = insert_study(served.db, make_spec(name="linked"))
    page.goto(f"/study?id={study_id}&section=Trials")
    expect(page.get_by_role("heading", name="linked")).to_be_visible()
    trials = _downloaded(page, "Trials as CSV")
    assert trials["objective"].tolist() == trials_frame(served.db, study_id)["objective"].tolist()
    assert len(_downloaded(page, "Curves as CSV")) == len(curves_frame(served.db, study_id))


def test_a_wish_reaches_the_worker_and_other_sessions(page: Page, served: Served) -> None:
    broker = broker_url(served.settings)
    assert broker is not None
    long = make_spec(name="long", workload="digits-mlp", n_trials=500, epochs=500)
    study_id = Service(served.db, Bell(broker)).submit(long)
    page.goto(f"/study?id={study_id}")
    other = page.context.new_page()
    other.goto("/")
    expect(other.get_by_text("Open (1)")).to_be_visible()
    wait_until(lambda: find_study(served.db, study_id).counts.get("running", 0) > 0)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel for good").click()
    expect(page.locator(".stMarkdownBadge").first).to_have_text(re.compile("cancelled"))
    expect(other.locator(f".st-key-group_{study_id}")).to_contain_text("cancelled")
    expect(other.get_by_text("Open (1)")).not_to_be_visible()
    assert find_study(served.db, study_id).state == "cancelled"


def test_compare_what_is_chosen_and_what_a_link_names(page: Page, served: Served) -> None:
    suite_id = insert_suite(served.db, make_suite(n_trials=12))
    page.goto("/compare")
    expect(page.get_by_text("Choose a suite, or at least two studies")).to_be_visible()
    page.get_by_role("combobox").first.fill("adam-vs-adamax")
    page.get_by_role("option", name=re.compile(suite_id)).click()
    page.keyboard.press("Escape")  # the list stays open, for more to be chosen
    expect(page.get_by_role("heading", name="Paired comparison")).to_be_visible()
    expect(page).to_have_url(re.compile(f"ids={suite_id}"))
    expect(page.locator(".js-plotly-plot")).to_have_count(5)
    assert set(_downloaded(page, "Effects as CSV")["study"]) == {"AdaMax"}
    page.goto(f"/compare?ids={suite_id}&reference=AdaMax")
    expect(page.get_by_text("ratio to AdaMax")).to_be_visible()


def test_strangers_sign_in_first(browser: Browser, served: Served, tmp_path: Path) -> None:
    port = _free_port()
    (tmp_path / ".streamlit").mkdir()
    environ = {**os.environ, "ADAM_STUDIES_HOME": str(served.settings.home)}
    with running_provider() as metadata, (tmp_path / "log").open("w") as log:
        auth = {"redirect_uri": f"http://127.0.0.1:{port}/oauth2callback", "cookie_secret": "some secret of ours"}
        auth |= {"client_id": CLIENT, "client_secret": "secret", "server_metadata_url": metadata}
        text = "[auth]\n" + "".join(f'{key} = "{value}"\n' for key, value in auth.items())
        (tmp_path / ".streamlit" / "secrets.toml").write_text(text)
        process = subprocess.Popen(dashboard_command(port), cwd=tmp_path, env=environ, stdout=log, stderr=log)
        context = browser.new_context(base_url=f"http://127.0.0.1:{port}")
        context.set_default_timeout(PATIENCE_MS)
        try:
            wait_until(lambda: _answers(f"http://127.0.0.1:{port}/_stcore/health"))
            page = context.new_page()
            page.goto("/sql")
            expect(page.get_by_text("Sign in to see the studies.")).to_be_visible()
            expect(page.get_by_role("link", name="Workers")).to_have_count(0)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_text(re.compile(EMAIL.replace("@", ".*@")))).to_be_visible()  # no link is made of it
            expect(page.get_by_role("heading", name="Studies")).to_be_visible()
            page.get_by_role("button", name="Sign out").click()
            expect(page.get_by_text("Sign in to see the studies.")).to_be_visible()
        finally:
            context.close()
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def test_a_dead_redis_is_told_and_the_rest_is_shown(page: Page, served: Served) -> None:
    """The last test: nothing rings any more."""
    insert_study(served.db, make_spec(name="survivor"))
    pid = next(int(one.name) for one in Path("/proc").iterdir() if _is_redis_of(one, served.settings.home))
    os.kill(pid, signal.SIGKILL)
    page.goto("/")
    expect(page.get_by_text("The embedded Redis of this home does not run")).to_be_visible()
    expect(page.get_by_text("What to do: adam-studies up starts it")).to_be_visible()
    expect(page.get_by_text("Nothing is lost meanwhile")).to_be_visible()
    expect(page.get_by_role("link", name="survivor")).to_be_visible()
    page.goto("/new")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted as")).to_be_visible()


def _fill_in_the_form(page: Page) -> None:
    expect(page.get_by_role("heading", name="New study")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("typed <b>live</b>")
    expect(page.get_by_text("typed <b>live</b>", exact=True)).to_be_visible()
    trials = page.get_by_label("Trials", exact=True)
    trials.fill("0")  # the focus stays in the field
    expect(page.get_by_text("n_trials: must be")).to_be_visible()
    expect(page.get_by_role("button", name="Submit")).to_be_disabled()
    trials.fill("16")
    expect(page.get_by_text("16 trials × 3 seeds × 20 epochs")).to_be_visible()
    page.get_by_label("Random seed", exact=True).fill("7")
    expect(page.get_by_role("button", name="Submit")).to_be_enabled()


def _n_received_in_a_while(page: Page, received: list[str | bytes]) -> int:
    """Return how many messages come within the time in which a live page draws itself anew."""
    page.wait_for_timeout(1_000)
    before = len(received)
    page.wait_for_timeout(3_000)
    return len(received) - before


def _downloaded(page: Page, label: str) -> pd.DataFrame:
    with page.expect_download() as download:
        page.get_by_role("button", name=label).click()
    return pd.read_csv(io.BytesIO(download.value.path().read_bytes()))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1):
            return True
    except (URLError, OSError):
        return False


def _is_redis_of(process: Path, home: Path) -> bool:
    """Whether a process of /proc is the Redis server that writes to the log of this home."""
    try:
        return "redis-server" in (process / "comm").read_text() and os.readlink(process / "fd" / "1").startswith(
            str(home)
        )
    except OSError:
        return False
