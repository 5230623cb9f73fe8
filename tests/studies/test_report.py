"""The report: one page, whole without a network, that tells what the command tells, and in which names are data."""

import os
import re
import shutil
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import sync_playwright

from studies.analysis import words
from studies.analysis.summary import summarise
from studies.cli.main import main
from studies.client import Client, StudyHandle
from studies.db import submissions
from studies.db.engine import open_database
from studies.db.queries import find_suite
from studies.settings import Settings
from tests.factories import insert_study, insert_suite, make_spec

FIGURES = [
    *("Convergence", "Time to target", "Survival of trials", "Where trials diverge"),
    *("What matters", "Sensitivity", "Two hyperparameters at a time"),
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def report(settings: Settings, wanted: str, file: Path) -> Result:
    environ = {"ADAM_STUDIES_HOME": str(settings.home)}
    return CliRunner().invoke(main, ["report", wanted, "-o", str(file)], env=environ)


@pytest.fixture
def page(sqlite_settings: Settings, tmp_path: Path) -> tuple[StudyHandle, str]:
    """Return a study of 40 trials with the report that the command writes."""
    database = open_database(sqlite_settings)
    study = insert_study(database, make_spec(name="mine", n_trials=40), diverged=[1])
    database.close()
    result = report(sqlite_settings, study, tmp_path / "report.html")
    assert result.exit_code == 0, result.output
    handle = Client(sqlite_settings).find(study)
    assert isinstance(handle, StudyHandle)
    return handle, (tmp_path / "report.html").read_text("utf-8")


def test_tells_what_the_command_tells(page: tuple[StudyHandle, str]) -> None:
    handle, html = page
    told = unescape(html)
    for label, line in words.lines(summarise(handle.record, handle.trials(), handle.curves())):
        assert f"<dt>{label}</dt><dd>{line}</dd>" in told
    assert handle.best is not None
    rows = re.findall(r"<tr><td>(\d+)</td>", html)
    assert rows[0] == str(handle.best.trial) and len(rows) == 20
    assert FIGURES == re.findall(r"<h3>(.*?)</h3>\s*<figure>", html)
    assert html.count("plotly-graph-div") == html.count('role="img"') == html.count("<figcaption>") == len(FIGURES)
    assert f"at or below {1.1 * handle.best.objective.value:.4g}, within 10 % of the best objective" in told


def test_nothing_comes_from_elsewhere(page: tuple[StudyHandle, str]) -> None:
    _, html = page
    without_scripts = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert re.findall(r"""(?:src|href)=["']?(?!#)""", without_scripts) == []
    assert "<script src" not in html


def test_opens_in_a_browser_that_has_no_network(page: tuple[StudyHandle, str], tmp_path: Path) -> None:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail(f"none of {', '.join(BROWSERS)} is installed")
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(offline=True)
        tab, problems = context.new_page(), list[str]()
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("requestfailed", lambda request: problems.append(request.url))
        tab.goto((tmp_path / "report.html").as_uri())
        tab.wait_for_selector(".plotly-graph-div svg.main-svg")
        assert tab.locator(".plotly-graph-div:has(svg.main-svg)").count() == len(FIGURES)
        assert problems == []
        browser.close()


def test_names_are_data(sqlite_settings: Settings, tmp_path: Path) -> None:
    database = open_database(sqlite_settings)
    study = insert_study(database, make_spec(name="<script>alert(1)</script>&amp;"))
    database.close()
    assert report(sqlite_settings, study, tmp_path / "r.html").exit_code == 0
    html = (tmp_path / "r.html").read_text("utf-8")
    assert "alert(1)</script>&amp;" not in html
    assert "<h1>&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;</h1>" in html


def test_a_suite_has_a_section_for_each_study_even_if_nothing_is_recorded(
    sqlite_settings: Settings, tmp_path: Path
) -> None:
    database = open_database(sqlite_settings)
    suite = insert_suite(database)
    empty = insert_study(database, make_spec(name="empty"), trials=0)
    database.close()
    assert report(sqlite_settings, suite, tmp_path / "suite.html").exit_code == 0
    html = (tmp_path / "suite.html").read_text("utf-8")
    assert re.findall(r"<h2>(.*?)</h2>", html) == ["adam", "adamax", "Comparison of the studies of adam-vs-adamax"]
    assert report(sqlite_settings, empty, tmp_path / "empty.html").exit_code == 0
    assert "Nothing is recorded yet." in (tmp_path / "empty.html").read_text("utf-8")


def test_a_study_of_a_suite_is_compared_with_the_others_of_it(sqlite_settings: Settings, tmp_path: Path) -> None:
    database = open_database(sqlite_settings)
    suite = find_suite(database, insert_suite(database))
    adamax = next(study for study in suite.studies if study.spec.optimizer == "adamax")
    database.close()
    assert report(sqlite_settings, adamax.id, tmp_path / "r.html").exit_code == 0
    html = (tmp_path / "r.html").read_text("utf-8")
    part = html[html.index(f'<section id="{suite.id}">') :]
    assert re.findall(r"<h[34]>(.*?)</h[34]>", part) == [
        *("Best settings against that of Adam", "digits-logistic", "Convergence of the best", "Tuning budget")
    ]
    rows = re.findall(r'<tr><td class="text">(.*?)</td><td class="text">(\d+)</td>', part)
    assert rows == [("Adam", rows[0][1]), ("AdaMax", str(adamax.best_trial))]


def test_what_some_workloads_and_specs_have(sqlite_settings: Settings, tmp_path: Path) -> None:
    """Regret of online problems, trajectories of few parameters, the size of steps where it was recorded."""
    database = open_database(sqlite_settings)
    study = insert_study(database, make_spec(workload="reddi-counterexample", diagnostics=True))
    submissions.set_notes(database, study, "<b>mine</b>")
    database.close()
    assert report(sqlite_settings, study, tmp_path / "r.html").exit_code == 0
    html = (tmp_path / "r.html").read_text("utf-8")
    assert {"Regret", "Trajectories", "Size of steps"} <= {*re.findall(r"<h3>(.*?)</h3>\s*<figure>", html)}
    assert '<p class="notes">&lt;b&gt;mine&lt;/b&gt;</p>' in html


def test_what_is_wrong_is_one_line(sqlite_settings: Settings, tmp_path: Path) -> None:
    open_database(sqlite_settings).close()
    missing = report(sqlite_settings, "s-nothing1", tmp_path / "r.html")
    assert missing.exit_code == 2 and "s-nothing1" in missing.stderr
    assert not (tmp_path / "r.html").exists()
    database = open_database(sqlite_settings)
    study = insert_study(database)
    database.close()
    unwritable = report(sqlite_settings, study, tmp_path / "no" / "r.html")
    assert unwritable.exit_code == 2 and len(unwritable.stderr.splitlines()) == 1
