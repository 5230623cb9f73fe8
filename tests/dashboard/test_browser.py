"""The dashboard as it is served, in a real browser: typed into, watched live, opened by a link."""

import io
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from studies.db.engine import Database
from studies.db.queries import curves_frame, list_studies, trials_frame
from studies.local.stack import dashboard_command
from tests.factories import fill_study, insert_worker

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
START_SECONDS = 60
PATIENCE_MS = 30_000


@pytest.fixture
def server(db: Database, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Return the address and the process of a dashboard that is served as `adam-studies dashboard` serves it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (tmp_path / "dashboard.log").open("w") as log:
        # started elsewhere than in the repository: its settings must come along wherever it is started
        process = subprocess.Popen(dashboard_command(port), cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health", process)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
    assert "Traceback" not in (tmp_path / "dashboard.log").read_text()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(url, timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the dashboard does not start")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start headless Chromium; skipped where it is not installed, but never in CI."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail(f"none of {', '.join(BROWSERS)} is installed")
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, server: tuple[str, int]) -> Iterator[Page]:
    """Return a page that may ask nothing but the dashboard."""
    asked: list[str] = []
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, base_url=server[0])
    context.set_default_timeout(PATIENCE_MS)
    context.on("request", lambda request: asked.append(request.url))
    yield context.new_page()
    context.close()
    assert [url for url in asked if not re.match(r"(http://127\.0\.0\.1:|data:|blob:)", url)] == []


def test_submit_watch_and_link(db: Database, page: Page, server: tuple[str, int]) -> None:
    """A study is submitted from the form, seen in the list, watched to its end and opened by its address."""
    expect.set_options(timeout=PATIENCE_MS)
    page.goto("/")
    expect(page.get_by_text("No study has been submitted yet.")).to_be_visible()
    page.get_by_role("link", name="New study").first.click()
    _fill_in_the_form(page)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted as")).to_be_visible()
    (study,) = list_studies(db)
    assert (study.name, study.n_trials, study.spec.seed) == ("typed <b>live</b>", 32, 7)

    page.get_by_role("link", name="Studies").click()
    expect(page.get_by_text("0 of 32 trials")).to_be_visible()
    expect(page.get_by_text("No worker is alive, so nothing trains.")).to_be_visible()
    insert_worker(db, "worker-1", study_id=study.id)
    expect(page.get_by_text("1 worker alive (1 × CPU), 1 training")).to_be_visible()  # without a reload
    page.get_by_role("link", name="typed <b>live</b>").click()
    expect(page).to_have_url(f"{server[0]}/study?id={study.id}")

    linked = page.context.new_page()  # a new session, as one that a colleague opens
    received: list[str | bytes] = []
    linked.on("websocket", lambda opened: opened.on("framereceived", lambda frame: received.append(frame)))
    linked.goto(f"/study?id={study.id}")
    expect(linked.get_by_role("heading", name="typed <b>live</b>")).to_be_visible()
    expect(linked.get_by_text("Nothing is recorded yet")).to_be_visible()
    linked.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("paused")).to_be_visible()  # in the first session too
    page.get_by_role("button", name="Resume").click()
    fill_study(db, study.id)
    expect(linked.get_by_text("32 of 32 trials")).to_be_visible()
    expect(linked.locator(".stMarkdownBadge")).to_contain_text("complete")
    expect(linked.locator(".js-plotly-plot")).to_have_count(4)
    assert (
        _downloaded(linked, "Trials as CSV")["objective"].tolist() == trials_frame(db, study.id)["objective"].tolist()
    )
    assert len(_downloaded(linked, "Curves as CSV")) == len(curves_frame(db, study.id))
    assert _n_received_in_a_while(linked, received) == 0 < len(received), "nothing is sent once the study has ended"
    assert "torch" not in Path(f"/proc/{server[1]}/maps").read_text(), "the dashboard's process stays free of torch"


def _fill_in_the_form(page: Page) -> None:
    expect(page.get_by_role("heading", name="New study")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("typed <b>live</b>")
    expect(page.get_by_text("typed <b>live</b>", exact=True)).to_be_visible()
    trials = page.get_by_label("Trials", exact=True)
    trials.fill("0")  # the focus stays in the field
    expect(page.get_by_text("n_trials: must be")).to_be_visible()
    expect(page.get_by_role("button", name="Submit")).to_be_disabled()
    trials.fill("32")
    expect(page.get_by_text("32 trials × 3 seeds × 20 epochs")).to_be_visible()
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
