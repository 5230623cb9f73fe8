"""The Celery application of a worker process: one thread that trains, one that keeps the heart beating."""

import logging
import threading
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


class Heart(threading.Thread):
    """Beats every 10 seconds; while the worker is idle, it also rings for work and tells Optuna what is missing."""

    def __init__(self, db: Database, bell: Bell, runner: Runner) -> None:
        """Beat for this runner's worker."""
        super().__init__(name="heart", daemon=True)
        self._db, self._bell, self._runner = db, bell, runner
        self._ended = threading.Event()

    def run(self) -> None:
        """Beat until `end` is called; a database that cannot be reached is tried again at the next beat."""
        while not self._ended.wait(BEAT_SECONDS):
            try:
                workers.beat(self._db, self._runner.worker, self._runner.study_id)
                if self._runner.study_id is None and not self._runner.stopping.is_set():
                    self._look_for_work()
            except AdamStudiesError as error:
                _log.warning("%s", error)

    def _look_for_work(self) -> None:
        for study_id, device in claims.studies_with_work(self._db):
            if device in self._runner.worker.devices:
                self._bell.ring_if_possible(study_id, device)
        for study_id in unmirrored_studies(self._db):
            mirror(self._db, study_id)

    def end(self) -> None:
        """Stop beating and take the worker from the living."""
        self._ended.set()
        try:
            workers.unregister(self._db, self._runner.worker)
        except AdamStudiesError as error:
            _log.warning("%s", error)


def serve(app: Celery, runner: Runner, heart: Heart, log_level: str) -> None:
    """Serve until SIGTERM or SIGINT; what trains then is checkpointed and handed over within seconds."""

    @signals.worker_shutting_down.connect(weak=False)
    def stop(**_: Any) -> None:
        runner.stopping.set()

    worker = runner.worker
    heart.start()
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
