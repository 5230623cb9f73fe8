"""The Celery application of a worker process: one thread trains, one says that it lives, one looks for work."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from celery import Celery, signals

from studies.db import claims, workers
from studies.db.engine import Database
from studies.db.mirror import mirror, unmirrored_studies
from studies.dispatch import RUN_TASK, Bell, celery_app
from studies.errors import AdamStudiesError
from worker.runner import Runner

BEAT_SECONDS = 10.0  #: how often the worker says that it lives, and an idle one looks for work

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
    """Does something every 10 seconds until it is told to end; what goes wrong is logged, and tried again."""

    def __init__(self, name: str, act: Callable[[], None]) -> None:
        """Repeat this act."""
        super().__init__(name=name, daemon=True)
        self._act = act
        self._ended = threading.Event()

    def run(self) -> None:
        """Repeat until `end` is called."""
        while not self._ended.wait(BEAT_SECONDS):
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
    for study in claims.studies_with_work(db):
        if study.device in runner.worker.devices:
            bell.ring_if_possible(study.id, study.device)
    for study_id in unmirrored_studies(db):
        mirror(db, study_id)


def serve(app: Celery, db: Database, bell: Bell, runner: Runner, log_level: str) -> None:
    """Serve until SIGTERM or SIGINT; what trains then is checkpointed and handed over within seconds."""

    @signals.worker_shutting_down.connect(weak=False)
    def stop(**_: Any) -> None:
        runner.stopping.set()

    worker = runner.worker
    heart = Repeater("heart", lambda: workers.beat(db, worker, runner.study_id))
    lookout = Repeater("lookout", lambda: look_for_work(db, bell, runner))
    workers.register(db, worker)
    heart.start()
    lookout.start()
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
        heart.end()
        lookout.end()
        _unregister(db, worker)


def _unregister(db: Database, worker: workers.WorkerIdentity) -> None:
    try:
        workers.unregister(db, worker)
    except AdamStudiesError as error:
        _log.warning("%s", error)
