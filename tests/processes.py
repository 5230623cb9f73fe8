"""Real server and worker processes for tests: each ends with the test that started it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from studies.local.redis_server import RedisServer
from studies.settings import Settings


@contextmanager
def running_redis(settings: Settings) -> Iterator[Settings]:
    """Start a Redis of this home; yields the settings that name it."""
    settings.home.mkdir(exist_ok=True)
    server = RedisServer(settings.home)
    server.start()
    try:
        yield replace(settings, broker_url=server.url)
    finally:
        server.stop()


@contextmanager
def running_worker(settings: Settings, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a worker process as `adam-studies worker` does; it is killed at the end if it still lives."""
    environ = {
        **os.environ,
        "ADAM_STUDIES_HOME": str(settings.home),
        "ADAM_STUDIES_DATABASE_URL": settings.database_url,
        "ADAM_STUDIES_BROKER_URL": settings.broker_url or "",
        "ADAM_STUDIES_CHECKPOINTS": str(settings.checkpoint_dir),
        "ADAM_STUDIES_DEVICE": "cpu",
        "OMP_NUM_THREADS": "1",
    }
    command: Sequence[str] = [sys.executable, "-P", "-m", "worker", *options]
    log = settings.home / f"worker-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until the condition holds.

    Raises:
        AssertionError: it does not, in this time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.05)
