"""The Celery application: the task's name is the one that senders use, and what is no id is dropped."""

import logging

import pytest

from studies.dispatch import RUN_TASK
from tests.processes import wait_until
from worker.app import Repeater, build_app


class RecordingRunner:
    """Stands for the runner: remembers what it was asked to run."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def run(self, study_id: str) -> None:
        self.ran.append(study_id)


def test_task_runs_the_study_and_drops_what_is_no_id(caplog: pytest.LogCaptureFixture) -> None:
    runner = RecordingRunner()
    task = build_app("redis://127.0.0.1:1/0", runner).tasks[RUN_TASK]  # type: ignore[arg-type]  # only runs
    task("s-abcdefgh")
    with caplog.at_level(logging.WARNING):
        task({"rm": "-rf"})
    assert runner.ran == ["s-abcdefgh"]
    assert "dropped a message whose study id is {'rm': '-rf'}" in caplog.text


def test_worker_acknowledges_late_takes_one_message_and_json_alone() -> None:
    conf = build_app("redis://127.0.0.1:1/0", RecordingRunner()).conf  # type: ignore[arg-type]
    assert (conf.task_acks_late, conf.worker_prefetch_multiplier, conf.accept_content) == (True, 1, ["json"])
    assert conf.broker_transport_options["visibility_timeout"] >= 3600


def test_what_goes_wrong_once_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    acts: list[int] = []

    def act() -> None:
        acts.append(len(acts))
        if len(acts) < 3:
            raise OSError(30, "Read-only file system")

    repeater = Repeater("heart", act, 0.01)
    repeater.start()
    wait_until(lambda: len(acts) > 5, 10)
    repeater.end()
    repeater.join(10)
    assert not repeater.is_alive()
    assert "the heart missed a beat" in caplog.text
