"""Ringing: Celery messages, sent by name, that say no more than which study to look at.

The queue is a doorbell. A message that is lost costs time and nothing else: idle workers look for work by themselves.
"""

import logging

from celery import Celery
from kombu.exceptions import OperationalError

from studies.errors import ServiceError

RUN_TASK = "adam_studies.run"
QUEUES = ("any", "gpu", "cpu")  #: by the device that a spec asks for
VISIBILITY_TIMEOUT_SECONDS = 6 * 3600  #: far above a slice: Redis hands a message that is not acknowledged out again
CONNECT_TIMEOUT_SECONDS = 3

_log = logging.getLogger(__name__)


def celery_app(broker_url: str) -> Celery:
    """Return a Celery application with the settings that senders and workers share."""
    app = Celery("adam_studies", broker=broker_url)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_default_queue="any",
        task_publish_retry=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
            "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        },
    )
    return app


class Bell:
    """Rings for studies; one connection pool for the life of the process."""

    def __init__(self, broker_url: str) -> None:
        """Ring through the broker at this URL."""
        self._app = celery_app(broker_url)
        # by itself, kombu tries for 6 seconds to reach a broker that refuses
        self._app.conf.broker_transport_options |= {"max_retries": 1, "interval_start": 0.0}

    def ring(self, study_id: str, device: str) -> None:
        """Tell the workers that serve this `device` (any, gpu or cpu) to look at the study.

        Raises:
            ServiceError: the broker cannot be reached.
        """
        try:
            self._app.send_task(RUN_TASK, args=[study_id], queue=device, retry=False)
        except (OperationalError, OSError) as error:
            reason = " ".join(str(error).split())
            raise ServiceError(f"cannot reach Redis at {self._app.connection().as_uri()}: {reason}") from None

    def ring_if_possible(self, study_id: str, device: str) -> None:
        """Ring, or log that nobody heard: the work is found all the same."""
        try:
            self.ring(study_id, device)
        except ServiceError as error:
            _log.warning("%s", error)
