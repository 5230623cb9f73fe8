"""The dashboard dies while somebody submits a study through it, in a real browser."""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import yaml
from playwright.sync_api import Page, sync_playwright

from studies.local.stack import dashboard_command
from tests.chaos.postgres import free_port
from tests.chaos.service_faults import SUBMITTED_NAME, open_postgres, submitted_spec
from tests.chaos.stack import Stack
from tests.processes import wait_until

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_NAME = "chaos-dashboard"  #: of its connections to the database


def dashboard_killed(stack: Stack, study_id: str, rng: random.Random) -> None:
    """The dashboard is killed while it writes a study; its study is there whole, or not at all.

    Half of the times it stands in the midst of its transaction for certain, since another holds what it wants to write.
    """
    with _dashboard(stack) as (address, process), _page(address) as page, open_postgres(stack) as connection:
        page.get_by_text("YAML", exact=True).click()
        editor = page.get_by_role("textbox", name="Spec of a study or a suite")
        editor.fill(yaml.safe_dump(submitted_spec().to_json()))
        editor.press("Control+Enter")
        page.get_by_role("strong").get_by_text(SUBMITTED_NAME, exact=True).wait_for()
        submit = page.get_by_role("button", name="Submit")
        if rng.random() < 0.5:
            with connection.transaction():
                connection.execute("LOCK TABLE result_trials IN SHARE MODE")
                submit.click(no_wait_after=True)
                waiting = (
                    f"SELECT 1 FROM pg_stat_activity WHERE application_name = '{_NAME}' AND wait_event_type = 'Lock'"
                )
                with open_postgres(stack) as onlooker:
                    wait_until(lambda: onlooker.execute(waiting).fetchone() is not None, 20)
                process.kill()
                process.wait()
        else:
            submit.click(no_wait_after=True)
            time.sleep(rng.uniform(0.0, 0.4))
            process.kill()


@contextmanager
def _dashboard(stack: Stack) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Serve the dashboard of the stack until the context ends, then kill it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environ = {
        **os.environ,
        "ADAM_STUDIES_HOME": str(stack.settings.home),
        "ADAM_STUDIES_DATABASE_URL": stack.settings.database_url,
        "ADAM_STUDIES_BROKER_URL": stack.settings.broker_url or "",
        "PGAPPNAME": _NAME,
    }
    with (stack.settings.home / "logs" / "dashboard.log").open("ab") as log:
        process = subprocess.Popen(dashboard_command(port), env=environ, cwd="/", stdout=log, stderr=log)
    try:
        wait_until(lambda: _answers(f"{address}/_stcore/health"))
        yield address, process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _page(address: str) -> Iterator[Page]:
    """Open the page on which a study is submitted in headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=_ARGS)
        page = browser.new_page()
        page.goto(f"{address}/new")
        yield page
        browser.close()


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=2):
            return True
    except OSError:
        return False
