"""A stack to break: PostgreSQL or SQLite, Redis, and workers that each reach the database through a proxy of their own.

Whatever dies is started again, as `adam-studies up` and compose do.
"""

import itertools
import os
import random
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from signal import SIGCONT, SIGKILL

import redis
from sqlalchemy import make_url, select

from studies.db import calibrations
from studies.db.connection import Database, connect
from studies.db.migrate import upgrade
from studies.db.models import ArrayRow, WorkerRow
from studies.dispatch import Bell
from studies.errors import ServiceError
from studies.local.process import Child
from studies.local.redis_server import RedisServer
from studies.service import Service
from studies.settings import Settings
from studies.spec import StudySpec
from tests.chaos import audit
from tests.chaos.postgres import Postgres, free_port
from tests.chaos.proxy import Proxy
from tests.processes import wait_until

ROOT = Path(__file__).parents[2]
BLOCK_WIDTH, LANES = 4, 8


class Worker:
    """A place for a worker process: its proxy, its orders, and the process that is there at present."""

    _numbers = itertools.count(1)

    def __init__(self, settings: Settings, proxy: Proxy | None, options: dict[str, str]) -> None:
        """Start a process there."""
        self.proxy = proxy
        self.orders = settings.home / f"orders-{next(self._numbers)}"
        self.orders.mkdir()
        self.is_wanted = True  #: whether it is started again when it ends
        self._settings, self._options = settings, options
        self.child = self._start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self.child.pid is not None, "it was started"
        return self.child.pid

    def revive(self) -> None:
        """Start the process again if it has ended and is wanted."""
        if self.is_wanted and not self.child.is_running:
            self.child = self._start()

    def end(self) -> None:
        """Kill the process, for good."""
        self.is_wanted = False
        self.child.signal(SIGCONT)
        self.child.signal(SIGKILL)
        if self.proxy is not None:
            self.proxy.close()
        wait_until(lambda: not self.child.is_running)

    def _start(self) -> Child:
        name = f"chaos-{next(self._numbers)}"
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "ADAM_STUDIES_HOME": str(self._settings.home),
            "ADAM_STUDIES_DATABASE_URL": self._settings.database_url,
            "ADAM_STUDIES_BROKER_URL": self._settings.broker_url or "",
            "ADAM_STUDIES_DEVICE": "cpu",
            "OMP_NUM_THREADS": "1",
            "PGAPPNAME": name,
            "CHAOS_ORDERS": str(self.orders),
            **self._options,
        }
        argv = [sys.executable, "-P", "-m", "tests.chaos.worker_entry", "--lanes", str(LANES)]
        child = Child(name, argv, self._settings.home / "logs" / f"{name}.log", environ)
        child.start()
        return child


class Stack:
    """The parts, and what keeps them alive."""

    def __init__(self, settings: Settings, server: RedisServer, postgres: Postgres | None, pace_seconds: float) -> None:
        """Watch over these parts; there is no worker yet."""
        self.settings, self.redis_server, self.postgres = settings, server, postgres
        self.db: Database = connect(settings.database_url)
        assert settings.broker_url is not None
        self.bell = Bell(settings.broker_url)
        self.service = Service(self.db, self.bell)
        self.workers: list[Worker] = []
        self.version = 0  #: of the workers that are started from now on
        self._pace_seconds = pace_seconds
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def submit(self, spec: StudySpec) -> str:
        """Submit a study whose lane block is given rather than measured."""
        study_id = self.service.submit(spec)
        calibrations.set_block_width(self.db, study_id, BLOCK_WIDTH)
        return study_id

    def add_worker(self, bug: str = "") -> Worker:
        """Start one more worker, which is started again whenever it ends."""
        settings, proxy = self.settings, None
        if not self.db.is_sqlite:
            url = make_url(settings.database_url)
            assert url.port is not None
            proxy = Proxy(url.port)
            through = url.set(port=proxy.port).render_as_string(hide_password=False)
            settings = replace(settings, database_url=through)
        pace, version = str(self._pace_seconds), str(self.version)
        worker = Worker(settings, proxy, {"CHAOS_BUG": bug, "CHAOS_PACE_SECONDS": pace, "CHAOS_VERSION": version})
        self.workers.append(worker)
        return worker

    def remove_worker(self, worker: Worker) -> None:
        """Kill a worker for good."""
        worker.end()
        self.workers.remove(worker)

    def holder(self, study_id: str, rng: random.Random) -> Worker:
        """Return a worker that holds an array of the study, waiting until there is one."""
        found: list[Worker] = []

        def look() -> bool:
            pids = self.holders(study_id)
            found[:] = [worker for worker in self.workers if worker.pid in pids]
            return bool(found)

        wait_until(look, 60)
        return rng.choice(found)

    def unfinished(self) -> dict[int, int]:
        """Return the last recorded epoch of every array that is not finished."""
        with self.db.read() as connection:
            rows = connection.execute(select(ArrayRow.id, ArrayRow.epoch).where(~ArrayRow.finished))
            return {row.id: row.epoch for row in rows}

    def wait_for_workers(self, n_workers: int) -> None:
        """Wait until so many processes have said that they live."""

        def count() -> int:
            with self.db.read() as connection:
                pids = set(connection.execute(select(WorkerRow.pid)).scalars())
            return sum(worker.pid in pids for worker in self.workers)

        wait_until(lambda: succeeds(lambda: count() >= n_workers), 60)

    def start_redis(self) -> None:
        """Start Redis again, on the same port, and wait until it answers."""
        assert self.redis_server.child is not None
        self.redis_server.child.start()
        with redis.Redis.from_url(self.redis_server.url) as client:
            wait_until(lambda: succeeds(client.ping))

    def kill_redis(self) -> None:
        """Kill Redis."""
        child = self.redis_server.child
        assert child is not None
        child.signal(SIGKILL)
        wait_until(lambda: not child.is_running)

    def stop(self) -> None:
        """End the workers."""
        self._ended.set()
        self._keeper.join()
        for worker in list(self.workers):
            self.remove_worker(worker)
        self.db.close()

    def holders(self, study_id: str) -> set[int]:
        """Return the process numbers of the workers that took an array's lease last, and recorded something since."""
        held = select(WorkerRow.pid).join(ArrayRow, ArrayRow.worker_id == WorkerRow.id)
        with suppress(ServiceError), self.db.read() as connection:
            return set(
                connection.execute(held.where(ArrayRow.study_id == study_id, ~ArrayRow.finished, ArrayRow.epoch >= 0))
                .scalars()
                .all()
            )
        return set()

    def _keep(self) -> None:
        while not self._ended.wait(0.1):
            for worker in list(self.workers):
                worker.revive()


def succeeds(act: Callable[[], object]) -> bool:
    """Whether this returns something true; not while a server cannot be reached."""
    try:
        return bool(act())
    except (ServiceError, redis.RedisError):
        return False


@contextmanager
def running_stack(*, is_sqlite: bool = False, pace_seconds: float = 0.05) -> Iterator[Stack]:
    """Start the servers of a stack in a temporary folder, which stays with its logs where an exception ends it all."""
    folder = Path(tempfile.mkdtemp(prefix="adam-studies-chaos-"))
    home = folder / "home"
    home.mkdir()
    server, postgres = RedisServer(home), None
    settings = Settings.from_environ({"ADAM_STUDIES_HOME": str(home)})
    try:
        server.start()
        settings = replace(settings, broker_url=server.url)
        if not is_sqlite:
            port = free_port()
            postgres = Postgres(folder, port)
            postgres.start()
            settings = replace(settings, database_url=f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres")
        upgrade(settings)
        if not is_sqlite:
            _install_audit(settings)
        stack = Stack(settings, server, postgres, pace_seconds)
        try:
            yield stack
        finally:
            stack.stop()
    finally:
        server.stop()
        if postgres is not None:
            postgres.stop()
    shutil.rmtree(folder)


def _install_audit(settings: Settings) -> None:
    db = connect(settings.database_url)
    audit.install(db.engine)
    db.close()
