"""Child processes that end with this one, write to a log, and are started again when they die."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from studies.errors import ServiceError

#: A child that ran for so many seconds has started well: the pauses between its restarts begin anew.
SETTLED_SECONDS = 10.0
#: The longest pause before a dead child is started again.
LONGEST_PAUSE_SECONDS = 30.0

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _end_with_parent() -> None:
    """Ask the kernel, between fork and exec, to end this child when its parent dies, even by SIGKILL."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A child process, in a session of its own: Ctrl-C reaches its parent alone, which ends all in order."""

    def __init__(
        self, name: str, argv: Sequence[str], log: Path, environ: Mapping[str, str], stdin: str | None = None
    ) -> None:
        self.name = name
        self.log = log
        self.settled = False  #: whether it ever ran for SETTLED_SECONDS
        self.failures = 0  #: deaths in a row soon after the start
        self._argv = list(argv)
        self._environ = dict(environ)
        self._stdin = stdin
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._restart_at: float | None = None

    @property
    def pid(self) -> int | None:
        """The process's number, None before the first start."""
        return None if self._process is None else self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process.

        Raises:
            ServiceError: the log cannot be written, or the program cannot be run.
        """
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._argv,
                    stdin=subprocess.DEVNULL if self._stdin is None else subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self._environ,
                    start_new_session=True,
                    preexec_fn=_end_with_parent,
                )
        except OSError as error:
            raise ServiceError(f"cannot start {self.name}: {error}") from None
        if self._stdin is not None and self._process.stdin is not None:
            with suppress(BrokenPipeError), self._process.stdin as pipe:  # one that died at once says why in its log
                pipe.write(self._stdin.encode())
        self._started_at = time.monotonic()

    def revive(self) -> None:
        """Start the process again if it has died, after a pause that doubles with every early death."""
        now = time.monotonic()
        if self.is_running:
            if now - self._started_at > SETTLED_SECONDS:
                self.settled, self.failures = True, 0
        elif self._restart_at is None:
            pause = min(0.5 * 2.0**self.failures, LONGEST_PAUSE_SECONDS)
            self.failures += 1
            self._restart_at = now + pause
        elif now >= self._restart_at:
            self._restart_at = None
            self.start()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it lives."""
        if self._process is not None and self.is_running:
            self._process.send_signal(number)

    def last_words(self) -> str:
        """Return the last line of the log that is not blank."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - 4096))
                lines = log.read().decode(errors="replace").split("\n")
        except OSError:
            return "no log"
        return next((line.strip() for line in reversed(lines) if line.strip()), "no output")


def end(children: Iterable[Child], patience_seconds: float) -> None:
    """End the processes by SIGTERM, and by SIGKILL those that still live when the patience ends."""
    living = [child for child in children if child.is_running]
    for child in living:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + patience_seconds
    while any(child.is_running for child in living) and time.monotonic() < deadline:
        time.sleep(0.05)
    for child in living:
        child.signal(signal.SIGKILL)
    while any(child.is_running for child in living):
        time.sleep(0.01)
