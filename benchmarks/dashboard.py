"""How long each page of the dashboard takes to open on large studies, and how large its messages are.

A suite of two studies (10,000 trials x 3 seeds x 50 epochs each) is written into a new database; a dashboard is served
over it; headless Chromium opens each page and waits until the script has ended and every figure is drawn.

*First*: the first look of a server that was just started and has shown its SQL page alone, so that nothing of the study
is kept; the browser has Streamlit's own files from that page. *Warm*: the same asked again by a new session. *CPU*: the
seconds of a processor that the server took for it, medians, which depend little on what else the machine does.
*Message*: the largest that came through the websocket; *figure*: the largest of Plotly's JSON among them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

import torch
from playwright.sync_api import Browser, BrowserContext, Playwright, WebSocket, sync_playwright
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.big_study import insert_big_suite
from benchmarks.machine import describe
from studies.db.engine import Database, open_database
from studies.db.queries import find_suite, list_studies
from studies.local.stack import dashboard_command
from studies.settings import Settings

_RESULTS = Path(__file__).parent / "results" / "dashboard.md"
_LIMIT_SECONDS = 2.0
_LIMIT_BYTES = 2_000_000
_PATIENCE_SECONDS = 120.0
_SECTIONS = ("Overview", "Convergence", "Sensitivity", "Diagnostics", "Trials")
_BROWSER_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

#: Returns when the page came to rest, in ms since it was asked for: nothing runs and all figures are drawn.
_AT_REST = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const charts = [...document.querySelectorAll('[data-testid="stPlotlyChart"]')];
  const still = app && app.dataset.testScriptState === 'notRunning' && document.querySelector('h1')
    && !document.querySelector('[data-testid="stSkeleton"]') && charts.every(one => one.querySelector('.main-svg'));
  if (!still) { window.restingSince = undefined; return false; }
  window.restingSince ??= performance.now();
  return performance.now() - window.restingSince > 500 && window.restingSince;
}"""


@dataclass
class Opening:
    """A page that was opened."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0  #: of the server
    largest: int = 0  #: bytes of the largest message
    largest_figure: int = 0  #: bytes of the largest figure's JSON

    def heed(self, socket: WebSocket) -> None:
        """Look at every message that comes through."""
        socket.on("framereceived", self._weigh)

    def _weigh(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            self.largest = max(self.largest, len(frame))
            message = ForwardMsg.FromString(frame)
            self.largest_figure = max(self.largest_figure, len(message.delta.new_element.plotly_chart.spec.encode()))


@dataclass
class Page:
    """What was measured of a page."""

    name: str
    path: str
    first: list[Opening] = field(default_factory=list)
    warm: list[Opening] = field(default_factory=list)

    @property
    def first_seconds(self) -> float:
        """The median time of first looks."""
        return median(one.seconds for one in self.first)

    @property
    def warm_seconds(self) -> float:
        """The median time of later looks."""
        return median(one.seconds for one in self.warm)

    @property
    def largest(self) -> Opening:
        """The opening with the largest message."""
        return max((*self.first, *self.warm), key=lambda one: one.largest)

    @property
    def row(self) -> str:
        """The page's row of the table."""
        first, warm = ([one.seconds for one in openings] for openings in (self.first, self.warm))
        within = max(median(first), median(warm)) < _LIMIT_SECONDS and self.largest.largest < _LIMIT_BYTES
        figure = max(one.largest_figure for one in (*self.first, *self.warm))
        times = (f"{median(them):.2f} ({min(them):.2f} to {max(them):.2f})" for them in (first, warm))
        server = (f"{median(one.cpu_seconds for one in them):.2f}" for them in (self.first, self.warm))
        sizes = (f"{size / 1e6:.2f}" for size in (self.largest.largest, figure))
        cells = (self.name, *times, *server, *sizes, "yes" if within else "no")
        return f"| {' | '.join(cells)} |"


def measure(settings: Settings, pages: list[Page], n_first: int, n_warm: int) -> None:
    """Open each page of the dashboard over the home of these settings."""
    with sync_playwright() as playwright, closing(_browser(playwright)) as browser, TemporaryDirectory() as empty:
        for page in pages:
            for _ in range(n_first):
                context = browser.new_context(viewport={"width": 1440, "height": 1000})
                with _served(settings, Path(empty)) as (address, pid):
                    _open(context, f"{address}/sql", pid)
                    page.first.append(_open(context, f"{address}/{page.path}", pid))
                    page.warm += [_open(context, f"{address}/{page.path}", pid) for _ in range(n_warm)]
                context.close()
            print(page.row, flush=True)


def _open(context: BrowserContext, url: str, pid: int) -> Opening:
    """Open a page in a new session, once the server is at rest."""
    opening, page, before = Opening(), context.new_page(), -1.0
    while _cpu_seconds(pid) - before > 0.05:
        before = _cpu_seconds(pid)
        time.sleep(0.5)
    page.on("websocket", opening.heed)
    page.goto(url)
    at_rest = page.wait_for_function(_AT_REST, timeout=1e3 * _PATIENCE_SECONDS)
    opening.seconds = at_rest.json_value() / 1e3
    opening.cpu_seconds = _cpu_seconds(pid) - before
    page.close()
    return opening


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _served(settings: Settings, folder: Path) -> Iterator[tuple[str, int]]:
    """Serve the dashboard, and return its address and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        **os.environ,
        "ADAM_STUDIES_HOME": str(settings.home),
        "ADAM_STUDIES_DATABASE_URL": settings.database_url,
    }
    with (folder / "dashboard.log").open("w") as log:
        process = subprocess.Popen(dashboard_command(port), env=environ, cwd=folder, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                break
            except (URLError, OSError):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise SystemExit(
                        f"the dashboard does not start: {(folder / 'dashboard.log').read_text()}"
                    ) from None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _browser(playwright: Playwright) -> Browser:
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return playwright.chromium.launch(executable_path=executable, args=_BROWSER_ARGS)


def _pages(suite_id: str, study_id: str) -> list[Page]:
    return [
        Page("Studies", ""),
        Page("New study", "new"),
        *(Page(f"Study, {name}", f"study?id={study_id}&section={name}") for name in _SECTIONS),
        Page("Compare", f"compare?ids={suite_id}"),
        Page("SQL", "sql"),
        Page("Workers", "workers"),
    ]


def _table(pages: list[Page], asked: argparse.Namespace) -> str:
    lines = ["# How fast the dashboard opens", ""]
    lines += [f"- {what}: {it}" for what, it in describe(torch.device("cpu")).items()]
    lines += [
        f"- load when it ended: {os.getloadavg()[1]:.1f} processes over 5 minutes",
        f"- size: two studies of {asked.trials:,} trials x {asked.seeds} seeds x {asked.epochs} epochs",
        f"- database: {asked.backend}",
        "",
        f"Medians of {asked.first} first looks and of {asked.first * asked.warm} warm ones, with the extremes; limits "
        f"{_LIMIT_SECONDS:.0f} s and {_LIMIT_BYTES / 1e6:.0f} MB.",
        "",
        "| page | first, s | warm, s | CPU, first, s | CPU, warm, s | message, MB | figure, MB | within limits |",
        "| --- |" + " --- |" * 7,
        *(page.row for page in pages),
    ]
    return "\n".join([*lines, "", "```", *(__doc__ or "").strip().splitlines()[2:], "```", ""])


def _big_suite(database: Database, asked: argparse.Namespace) -> tuple[str, tuple[str, ...]]:
    """Return the ids of the suite and its studies, which are written where the database has none."""
    studies = list_studies(database)
    if not studies:
        return insert_big_suite(database, asked.trials, asked.seeds, asked.epochs)
    suite = find_suite(database, str(studies[0].suite_id))
    sizes = {(one.n_trials, one.spec.n_seeds, one.spec.epochs) for one in suite.studies}
    if sizes != {(asked.trials, asked.seeds, asked.epochs)}:
        raise SystemExit(f"the newest suite of the database has another size: {sizes}")
    return suite.id, tuple(one.id for one in suite.studies)


def main() -> None:
    """Measure, write the table and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--first", type=int, default=3, help="first looks at each page")
    parser.add_argument("--warm", type=int, default=3, help="warm looks after each first one")
    parser.add_argument("--database", metavar="URL", help="filled if it is empty, else measured as it is; else SQLite")
    parser.add_argument("--pages", nargs="+", metavar="NAME", help="only these pages; writes no table")
    asked = parser.parse_args()
    with TemporaryDirectory() as home:
        given = {"ADAM_STUDIES_DATABASE_URL": asked.database} if asked.database else {}
        settings = Settings.from_environ({"ADAM_STUDIES_HOME": home, **given})
        with closing(open_database(settings)) as database:
            suite_id, (study_id, *_) = _big_suite(database, asked)
            asked.backend = "SQLite" if database.is_sqlite else "PostgreSQL"
        pages = [page for page in _pages(suite_id, study_id) if not asked.pages or page.name in asked.pages]
        measure(settings, pages, asked.first, asked.warm)
    text = _table(pages, asked)
    if not asked.pages:
        _RESULTS.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
