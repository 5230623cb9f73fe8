"""The Celery application of a worker process: one thread trains, others say that it lives and look for work."""

import logging
import os
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from celery import Celery, signals

from studies.db import workers
from studies.db.engine import Database
from studies.db.mirror import mirror, unmirrored_studies
from studies.db.waiting import studies_with_work
from studies.dispatch import RUN_TASK, Bell, celery_app
from studies.errors import AdamStudiesError
from worker.runner import Runner

BEAT_SECONDS = 10.0  #: how often the worker says that it lives, and an idle one looks for work
SWEEP_SECONDS = 600.0  #: how often it deletes the checkpoints that nobody needs

FAREWELL_SECONDS = 2.0  #: how long a worker that ends in the midst of a preparation waits for the database

_log = logging.getLogger(__name__)


def build_app(broker_url: str, runner: Runner) -> Celery:
    """Return the application whose one task runs an array's worth of a study on this runner."""
    app = celery_app(broker_url)
    app.conf.update(
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )

    @app.task(name=RUN_TASK)
    def run(study_id: str) -> None:
        if isinstance(study_id, str):
            runner.run(study_id)
        else:
            _log.warning("dropped a message whose study id is %.80r", study_id)

    return app


class Repeater(threading.Thread):
    """Does something again and again until it is told to end; what goes wrong is logged, and tried again."""

    def __init__(self, name: str, act: Callable[[], None], pause_seconds: float) -> None:
        """Repeat this act, with a pause before each time."""
        super().__init__(name=name, daemon=True)
        self._act, self._pause_seconds = act, pause_seconds
        self._ended = threading.Event()

    def run(self) -> None:
        """Repeat until `end` is called."""
        while not self._ended.wait(self._pause_seconds):
            try:
                self._act()
            except AdamStudiesError as error:
                _log.warning("%s", error)
            except Exception:
                _log.exception("the %s missed a beat", self.name)

    def end(self) -> None:
        """Do not act any more."""
        self._ended.set()


def look_for_work(db: Database, bell: Bell, runner: Runner) -> None:
    """Ring for what an idle worker could do, and tell Optuna what is missing."""
    if runner.study_id is not None or runner.stopping.is_set():
        return
    for study in studies_with_work(db):
        if study.device in runner.worker.devices:
            bell.ring_if_possible(study.id, study.device)
    for study_id in unmirrored_studies(db):
        mirror(db, study_id)


def serve(app: Celery, db: Database, bell: Bell, runner: Runner, log_level: str) -> None:
    """Serve until SIGTERM or SIGINT; what trains then is checkpointed and handed over within seconds."""
    worker = runner.worker

    @signals.worker_shutting_down.connect(weak=False)
    def stop(**_: Any) -> None:
        runner.stopping.set()
        if runner.is_preparing:  # which may take a minute; nothing is claimed, and what is half prepared is nobody's
            _end_now(db, worker)

    repeaters = (
        Repeater("heart", lambda: workers.beat(db, worker, runner.study_id), BEAT_SECONDS),
        Repeater("lookout", lambda: look_for_work(db, bell, runner), BEAT_SECONDS),
        Repeater("sweeper", runner.sweep_checkpoints, SWEEP_SECONDS),
    )
    workers.register(db, worker)
    for repeater in repeaters:
        repeater.start()
    try:
        app.worker_main(
            [
                "worker",
                "--pool=threads",
                "--concurrency=1",
                f"--queues={','.join(worker.devices)}",
                f"--hostname={worker.id}@{worker.host}",
                f"--loglevel={log_level}",
                "--without-gossip",
                "--without-mingle",
            ]
        )
    finally:
        for repeater in repeaters:
            repeater.end()
        _unregister(db, worker)


def _end_now(db: Database, worker: workers.WorkerIdentity) -> NoReturn:
    farewell = threading.Thread(target=_unregister, args=(db, worker), daemon=True)
    farewell.start()
    farewell.join(FAREWELL_SECONDS)
    os._exit(0)


def _unregister(db: Database, worker: workers.WorkerIdentity) -> None:
    try:
        workers.unregister(db, worker)
    except AdamStudiesError as error:
        _log.warning("%s", error)
