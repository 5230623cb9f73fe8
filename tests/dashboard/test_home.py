"""The list of studies."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import streamlit as st
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from dashboard.components.text import progress
from studies.db.engine import Database, now
from studies.db.models import ArrayRow, StudyRow, WorkerRow
from studies.db.queries import find_study, list_studies
from studies.db.submissions import extend, set_problem
from studies.dispatch import Bell
from studies.settings import Settings
from tests.dashboard.conftest import OpenPage, errors, texts
from tests.factories import fill_study, insert_study, insert_suite, insert_worker, make_spec
from tests.processes import running_redis


def test_empty_database_says_what_to_do(db: Database, open_page: OpenPage) -> None:
    app = open_page()
    assert "`adam-studies submit quickstart`" in app.info[0].value
    assert "`adam-studies worker` starts one" in texts(app)
    assert [link.value for link in app.page_link] == ["New study"]
    assert app.session_state["home_is_live"] is False


def test_rows_show_state_progress_and_best(db: Database, open_page: OpenPage) -> None:
    running = insert_study(db, make_spec(name="first"), trials=6, states={4: "running", 5: "running"}, diverged=[1])
    failed = insert_study(db, make_spec(name="second", objective="validation_error"), states={2: "failed", 3: "pruned"})
    with db.write() as connection:  # in one second, as mostly: then names decide the order
        connection.execute(update(StudyRow).values(created_at=datetime(2026, 1, 1, tzinfo=UTC)))
    app = open_page()
    assert [link.value for link in app.page_link] == ["first", "second"]
    first, second = app.progress
    record = find_study(db, running)
    assert (first.value, first.text) == (
        round(100 * record.fraction),
        "4 of 8 trials · 2 running · 1 diverged",
    )
    assert (second.value, second.text) == (100, "8 of 8 trials · 1 pruned · 1 failed")
    shown = texts(app)
    assert ":blue-badge[:material/play_arrow: running]" in shown
    assert ":red-badge[:material/error: failed]" in shown
    assert f"{record.best_objective:.4g}  \n:small[:gray[train\\_loss]]" in shown
    assert f"{find_study(db, failed).best_objective:.4g}  \n:small[:gray[validation\\_error]]" in shown
    assert "Adam · digits\\-logistic · 8 × 2 seeds × 5 epochs" in shown
    assert app.session_state["home_is_live"] is True


def test_what_a_paused_study_has_begun_does_not_run(db: Database) -> None:
    study = find_study(db, insert_study(db, trials=3, states={1: "running", 2: "running"}))
    assert progress(study) == "1 of 8 trials · 2 running"
    assert progress(replace(study, state="paused")) == "1 of 8 trials · 2 begun"


def test_suite_is_one_group(db: Database, open_page: OpenPage) -> None:
    insert_study(db, make_spec(name="alone"))
    suite_id = insert_suite(db)
    app = open_page()
    assert f"**adam\\-vs\\-adamax** &nbsp; :small[:gray[suite {suite_id}]]" in texts(app)
    assert sorted(link.value for link in app.page_link) == ["adam", "adamax", "alone"]
    assert app.session_state["home_is_live"] is False


def test_stops_refreshing_when_all_has_ended(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, trials=0)
    app = open_page()
    assert app.session_state["home_is_live"] is True
    fill_study(db, study_id)
    assert app.run().session_state["home_is_live"] is True, "the listing is kept for a second"
    st.cache_data.clear()
    assert app.run().session_state["home_is_live"] is False


def test_wishes_of_a_study(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, trials=0)
    app = open_page()
    app.button(key=f"pause_{study_id}").click().run()
    assert find_study(db, study_id).state == "paused"
    assert ":orange-badge[:material/pause: paused]" in texts(app)
    app.button(key=f"resume_{study_id}").click().run()
    assert find_study(db, study_id).state == "waiting"
    app.button(key=f"cancel_{study_id}").click().run()
    assert find_study(db, study_id).state == "cancelled"
    assert app.progress[0].text == "8 of 8 trials · 8 cancelled"
    assert len(app.button) == 0


def test_wishes_of_a_suite_reach_all_its_open_studies(db: Database, open_page: OpenPage) -> None:
    suite_id = insert_suite(db)
    one, other = sorted(list_studies(db), key=lambda study: study.name)
    extend(db, [one.id], 4)
    app = open_page()
    app.button(key=f"pause_{suite_id}").click().run()
    assert find_study(db, one.id).state == "paused"
    assert find_study(db, other.id).state == "complete"


def test_a_wish_that_came_too_late_is_one_line(db: Database, open_page: OpenPage) -> None:
    study_id = insert_study(db, trials=0)
    app = open_page()
    fill_study(db, study_id)
    app.button(key=f"pause_{study_id}").click().run()
    assert errors(app) == [f"study {study_id} has ended, so it cannot be paused"]


@pytest.mark.parametrize(
    ("n_live", "has_work", "line"),
    [
        (2, True, "2 workers alive (2 × CPU), 1 training"),
        (0, False, "No worker is alive. `adam-studies worker` starts one"),
        (0, True, "No worker is alive, so nothing trains. Start one with `adam-studies worker`"),
    ],
)
def test_worker_line(db: Database, open_page: OpenPage, n_live: int, has_work: bool, line: str) -> None:
    study_id = insert_study(db, trials=0 if has_work else None)
    insert_worker(db, "dead", silent_seconds=31)
    for number in range(n_live):
        insert_worker(db, f"live-{number}", study_id=study_id if number == 0 else None)
    app = open_page()
    shown = texts(app) + "".join(element.value for element in app.warning)
    assert line in shown
    assert len(app.warning) == (n_live == 0 and has_work)


def cards(app: AppTest) -> dict[str, tuple[str, str]]:
    """Return the health cards: by title the icon and the lines."""
    marks = (re.fullmatch(r":\w+\[:material/(\w+):\] \*\*(\w+)\*\*", element.value) for element in app.markdown)
    found = [match for match in marks if match]
    lines = [caption.value.replace("\\", "") for caption in app.caption[: len(found)]]  # nothing stands above them
    return {match[2]: (match[1], line) for match, line in zip(found, lines, strict=True)}


def test_health_of_an_idle_home(db: Database, open_page: OpenPage) -> None:
    insert_study(db)
    found = cards(open_page())
    assert found["Studies"] == ("remove", "1 complete")
    state, told = found["Queue"]
    assert state == "warning" and "Redis of this home does not run  \nWhat to do: adam-studies up starts it" in told
    assert found["Workers"][0] == "remove" and "`adam-studies worker` starts one" in found["Workers"][1]
    assert found["GPUs"] == ("remove", "None is known while no worker is alive")


def test_health_of_a_busy_service(
    db: Database, open_page: OpenPage, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id = insert_study(db, trials=3, states={0: "running", 1: "running"})
    insert_study(db)
    insert_worker(db, "w-1", study_id=study_id)
    with db.write() as connection:
        connection.execute(update(WorkerRow).values(is_gpu=True, device="NVIDIA H200"))
    insert_worker(db, "w-2")
    with running_redis(sqlite_settings) as reachable:
        assert reachable.broker_url is not None
        Bell(reachable.broker_url).ring(study_id, "any")
        Bell(reachable.broker_url).ring(study_id, "gpu")
        found = cards(open_page())
    assert found["Studies"] == ("check_circle", "1 complete, 1 running  \nTrials: 2 running, 5 waiting")
    state, told = found["Queue"]
    assert state == "check_circle" and re.fullmatch(
        r"Redis [\d.]+ \(embedded\) answers in \d+ ms; 2 messages wait", told
    )
    assert found["Workers"] == ("check_circle", "2 workers alive (1 × CPU, 1 × NVIDIA H200), 1 training")
    assert found["GPUs"] == ("check_circle", "1 GPU alive (1 × NVIDIA H200), 1 training")


def test_what_went_wrong_is_told(db: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAM_STUDIES_BROKER_URL", "redis://:geheim@127.0.0.1:1/0")
    study_id = insert_study(db, make_spec(device="gpu"), trials=2, states={0: "running", 1: "running"})
    with db.write() as connection:
        connection.execute(update(ArrayRow).values(lease_expires_at=now() - 5))
    set_problem(db, study_id, "node7: MNIST's file is missing")
    insert_worker(db, "w-1")
    insert_worker(db, "w-silent", silent_seconds=100)
    app = open_page()
    found = cards(app)
    state, told = found["Queue"]
    assert state == "error" and "Redis (set by ADAM_STUDIES_BROKER_URL) does not answer" in told
    assert "What to do: start it" in told and "Nothing is lost meanwhile" in told and "geheim" not in str(app)
    state, told = found["Studies"]
    assert state == "error" and "1 trial array has lost the worker" in told
    assert found["Workers"] == (
        "warning",
        "1 worker alive (1 × CPU), 0 training  \n1 worker silent: ended by force, or cut off; others take over",
    )
    assert found["GPUs"] == ("error", "1 open study wants one, and no worker has any")
    assert errors(app) == ["Cannot be trained by node7: MNIST's file is missing"]


def test_what_is_open_stands_above_what_ended(db: Database, open_page: OpenPage) -> None:
    open_id = insert_study(db, make_spec(name="open"), trials=0)
    insert_study(db, make_spec(name="ended"))
    with db.write() as connection:
        old = update(StudyRow).where(StudyRow.id == open_id)
        connection.execute(old.values(created_at=datetime(2020, 1, 1, tzinfo=UTC)))
    app = open_page()
    assert [link.value for link in app.page_link] == ["open", "ended"]
    shown = texts(app)
    assert shown.index("**Open** (1)") < shown.index("**Ended** (1)")


def test_names_are_data(db: Database, open_page: OpenPage) -> None:
    insert_study(db, make_spec(name="<b>x</b> **y** :red[z] [a](http://b)"))
    (link,) = open_page().page_link
    assert link.value == "\\<b\\>x\\<\\/b\\> \\*\\*y\\*\\* \\:red\\[z\\] \\[a\\]\\(http\\:\u2060\\/\\/b\\)"


def test_many_studies_come_in_pages(db: Database, open_page: OpenPage) -> None:
    for number in range(23):
        insert_study(db, make_spec(name=f"study-{number:02}", n_trials=1, n_seeds=1, epochs=1))
    app = open_page()
    assert len(app.page_link) == 20
    app.pagination(key="home_page").set_value(2).run()
    assert len(app.page_link) == 3
