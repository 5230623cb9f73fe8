"""The embedded stack: Redis, workers and, where asked for, the dashboard, as children of one process."""

import fcntl
import importlib.util
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from studies.errors import InputError, ServiceError, StateError
from studies.local.process import Child, end
from studies.local.redis_server import RedisServer
from studies.local.sign_in import WITHOUT_SIGN_IN, require_sign_in
from studies.settings import Settings

#: How long a worker may take to save a checkpoint once it is told to end; then it is killed.
PATIENCE_SECONDS = 10.0
#: A stack whose workers all died so often right after their starts, and never lived longer, gives up.
_HOPELESS_FAILURES = 3
_DASHBOARD_SECONDS = 60.0
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def default_n_workers() -> int:
    """Return the number of workers that suits this machine: one a CPU core, at most 4."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(cores, 4)


def require_package(package: str, module: str, extra: str) -> Path:
    """Return the folder of one of this project's packages whose programs need the given third-party module.

    Raises:
        ServiceError: the package or the module is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations or importlib.util.find_spec(module) is None:
        raise ServiceError(f"the {package} needs {module}: run `pip install 'adam-studies[{extra}]'`")
    return Path(spec.submodule_search_locations[0])


def worker_command(options: Sequence[str] = ()) -> list[str]:
    """Return the command line that starts a worker.

    Raises:
        ServiceError: what a worker needs is not installed.
    """
    require_package("worker", "torch", "worker")
    # -P: a folder `worker` where the user happens to be must not be taken for ours.
    return [sys.executable, "-P", "-m", "worker", *options]


def dashboard_command(port: int, address: str = "127.0.0.1", without_sign_in: bool = False) -> list[str]:
    """Return the command line that serves the dashboard.

    Raises:
        InputError: the port is taken, or others could reach the address without having to sign in.
        ServiceError: what the dashboard needs is not installed.
    """
    require_package("dashboard", "streamlit", "dashboard")
    if not without_sign_in:
        require_sign_in(address)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise InputError(
                f"port {port} of {address} cannot be used: {error.strerror}; name a free one by --port"
            ) from None
    options = {
        "server.address": address,
        "server.port": str(port),
        "server.headless": "true",
        "browser.gatherUsageStats": "false",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    told = ["--", WITHOUT_SIGN_IN] if without_sign_in else []
    return [sys.executable, "-P", "-m", "dashboard.serve", *flags, *told]


class Stack:
    """Redis (unless a broker is set), workers and the dashboard, from `with` to the end of the block.

    SIGTERM and SIGHUP become KeyboardInterrupt meanwhile, so that every way out ends the children. There is one stack
    a home.

    Args:
        settings: where things live.
        n_workers: worker processes, each of one thread.
        port: the dashboard's port; None: no dashboard.
    """

    def __init__(self, settings: Settings, n_workers: int, port: int | None = None) -> None:
        self._settings = settings
        self.port = port
        self._n_workers = n_workers
        self._redis: RedisServer | None = None
        self.workers: tuple[Child, ...] = ()
        self.dashboard: Child | None = None
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        """Start everything.

        Raises:
            StateError: a stack runs in this home already.
            InputError: the dashboard's port is taken.
            ServiceError: something cannot be started; nothing is left running.
        """
        worker = worker_command()
        with ExitStack() as exits:
            exits.enter_context(_signals_interrupt())
            exits.enter_context(_lock(self._settings.home))
            dashboard = None if self.port is None else dashboard_command(self.port)
            exits.callback(self._end)
            if self._settings.broker_url is None:
                self._redis = RedisServer(self._settings.home)
                self._redis.start()
            environ = _environ(self._settings)
            logs = self._settings.home / "logs"
            self.workers = tuple(
                Child(f"worker {n}", worker, logs / f"worker-{n}.log", environ) for n in range(1, self._n_workers + 1)
            )
            for child in self.workers:
                child.start()
            if dashboard is not None:
                self.dashboard = Child("dashboard", dashboard, logs / "dashboard.log", environ)
                self.dashboard.start()
                self._wait_for_dashboard()
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End everything: workers save their checkpoints first, Redis goes last."""
        self._exits.close()

    @property
    def address(self) -> str:
        """The dashboard's address."""
        return f"http://127.0.0.1:{self.port}"

    def supervise(self) -> None:
        """Start again what has died; to be called about twice a second.

        Raises:
            ServiceError: no worker can be kept alive.
        """
        redis = self._redis.child if self._redis else None
        for child in (redis, *self.workers, self.dashboard):
            if child is not None:
                child.revive()
        if all(child.failures >= _HOPELESS_FAILURES and not child.settled for child in self.workers):
            child = self.workers[0]
            raise ServiceError(f"the workers end as soon as they start: {child.last_words()} (log: {child.log})")

    def _wait_for_dashboard(self) -> None:
        deadline = time.monotonic() + _DASHBOARD_SECONDS
        while time.monotonic() < deadline and self.dashboard is not None and self.dashboard.is_running:
            try:
                with urlopen(f"{self.address}/_stcore/health", timeout=1.0):
                    return
            except (URLError, OSError):
                time.sleep(0.1)
        if self.dashboard is not None:
            raise ServiceError(
                f"the dashboard does not start: {self.dashboard.last_words()} (log: {self.dashboard.log})"
            )

    def _end(self) -> None:
        with _interrupts_ignored():
            users = (*self.workers, *([self.dashboard] if self.dashboard else []))
            end(users, PATIENCE_SECONDS)
            if self._redis is not None:
                self._redis.stop()


def _environ(settings: Settings) -> dict[str, str]:
    """Return the environment of the children, which read the same settings from it."""
    return {
        **os.environ,
        "ADAM_STUDIES_HOME": str(settings.home),
        "ADAM_STUDIES_DATABASE_URL": settings.database_url,
        "ADAM_STUDIES_BROKER_URL": settings.broker_url or "",
        "ADAM_STUDIES_DATA": str(settings.data_dir),
        "ADAM_STUDIES_CHECKPOINTS": str(settings.checkpoint_dir),
        "ADAM_STUDIES_DEVICE": settings.device,
        "ADAM_STUDIES_WORKLOAD_MODULES": ",".join(settings.workload_modules),
        "OMP_NUM_THREADS": "1",  # several processes of one thread beat one process of several
    }


@contextmanager
def _lock(home: Path) -> Iterator[None]:
    """Hold the home for this stack; the kernel frees it however the process ends."""
    path = home / "stack.lock"
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise ServiceError(f"cannot write to {home}: {error.strerror} (ADAM_STUDIES_HOME chooses it)") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise StateError(
                f"a stack runs in {home} already (process {file.read().strip()}): end it, or set ADAM_STUDIES_HOME"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A signal that is ignored stays so: nohup must work.
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _interrupt) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let nobody interrupt the end, which takes a few seconds at most."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, *_SIGNALS)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
