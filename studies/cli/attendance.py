"""Workers for as long as a command waits: those that live, else an embedded stack of the command's own."""

import time
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from studies.cli.console import note
from studies.client import Client
from studies.errors import StateError
from studies.local.redis_server import broker_url
from studies.local.stack import Stack, default_n_workers

_LOOK_SECONDS = 5.0


class Attendance:
    """Sees to it that somebody trains: starts an embedded stack where no worker can be reached."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._exits = ExitStack()
        self._stack: Stack | None = None
        self._looked_at = 0.0

    def __enter__(self) -> Self:
        """Start what is missing.

        Raises:
            ServiceError: it cannot be started.
        """
        self._look()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End what was started."""
        self._exits.close()

    def tick(self) -> None:
        """Keep the workers alive; to be called about twice a second."""
        if self._stack is not None:
            self._stack.supervise()
        elif time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._look()

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        if broker_url(self._client.settings) is not None and self._client.has_live_workers:
            return
        n_workers = default_n_workers()
        try:
            self._stack = self._exits.enter_context(Stack(self._client.settings, n_workers))
        except StateError:
            return  # another command's stack is starting
        note(f"started Redis and {n_workers} workers (logs: {self._client.settings.home / 'logs'})")
