"""docker-compose.yml without Docker: every service's command as a process of this machine.

Only what a container would give is replaced: the services' names and ports become free ports of the loopback, volumes
become folders that are shared as the file says, and each service has a home of its own, the programs of its image, and
no more environment than the file names.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from studies.local.redis_server import redis_binary
from tests.deploy import postgres

ROOT = Path(__file__).parents[2]
NEEDED = {"POSTGRES_PASSWORD": "pg0Secret", "REDIS_PASSWORD": "redis0Secret"}  #: passwords without which nothing starts
PASSWORDS = {**NEEDED, "FLOWER_PASSWORD": "flower0Secret"}
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::[?-](?P<default>[^}]*))?\})")


def load_compose(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return docker-compose.yml with its variables filled in as Compose does."""

    def fill_in(match: re.Match[str]) -> str:
        return "$" if match["dollar"] else variables.get(match["name"], match["default"])

    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    loaded: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(fill_in, text))
    return loaded


class Containers:
    """The services of docker-compose.yml as processes, with their files and logs below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.services: dict[str, Any] = load_compose(PASSWORDS)["services"]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ports = {port: _free_port() for port in ("5432", "6379", "8501", "5555")}

    def start(self, service: str) -> None:
        """Start the service, after what it depends on has come as far as the file demands."""
        for name, demand in self.services[service].get("depends_on", {}).items():
            if name not in self.processes:
                self.start(name)
            if demand["condition"] == "service_completed_successfully":
                assert self.processes[name].wait(timeout=60) == 0, self.log(name)
            else:
                self.wait_until_healthy(name)
        given = self.services[service].get("environment", {})
        with self._log(service).open("wb") as log:
            if service == "postgres":
                database = [given[f"POSTGRES_{key}"] for key in ("USER", "PASSWORD", "DB")]
                process = postgres.start(self.folder / "postgres", self.ports["5432"], log, *database)
            else:
                argv = [self._localise(service, word) for word in self.services[service]["command"]]
                environment = self.environment(service)
                process = subprocess.Popen(argv, env=environment, stdout=log, stderr=log, cwd=environment["HOME"])
        self.processes[service] = process

    def run(self, service: str, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the service's surroundings, as `docker compose exec` does."""
        environment = self.environment(service)
        return subprocess.run(
            argv, env=environment, cwd=environment["HOME"], capture_output=True, text=True, timeout=100, check=False
        )

    def check_health(self, service: str) -> subprocess.CompletedProcess[str]:
        """Run the service's health check."""
        kind, *words = (self._localise(service, word) for word in self.services[service]["healthcheck"]["test"])
        return self.run(service, *(("sh", "-c", *words) if kind == "CMD-SHELL" else words))

    def wait_until_healthy(self, service: str) -> None:
        """Repeat the health check until it passes."""
        deadline = time.monotonic() + 60
        while (found := self.check_health(service)).returncode != 0:
            assert self.processes[service].poll() is None, self.log(service)
            assert time.monotonic() < deadline, f"{found.stdout}{found.stderr}\n{self.log(service)}"
            time.sleep(0.5)

    def stop(self, service: str) -> int:
        """End the service as Docker does and return its exit code.

        Raises:
            subprocess.TimeoutExpired: it outstayed its grace period, and was killed.
        """
        process = self.processes.pop(service)
        # Of all the images postgres alone asks for another signal: SIGTERM would wait for its clients to leave.
        process.send_signal(signal.SIGINT if service == "postgres" else signal.SIGTERM)
        try:
            return process.wait(timeout=float(self.services[service].get("stop_grace_period", "10s").rstrip("s")))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def log(self, service: str) -> str:
        """Return what the service has written."""
        return f"{service}:\n{self._log(service).read_text('utf-8', errors='replace')}"

    def environment(self, service: str) -> dict[str, str]:
        """Return all that the service sees of its surroundings."""
        home = self.folder / "homes" / service
        home.mkdir(parents=True, exist_ok=True)
        images = {"postgres": postgres.BINARIES, "redis": redis_binary().parent}
        image = images.get(service, Path(sys.executable).parent)
        given = self.services[service].get("environment", {})
        return {
            "PATH": os.pathsep.join([str(image), "/usr/bin", "/bin"]),
            "HOME": str(home),
            "OMP_NUM_THREADS": "1",
            **{name: self._localise(service, value) for name, value in given.items()},
        }

    def _localise(self, service: str, text: str) -> str:
        text = re.sub(r"@(postgres|redis):", "@127.0.0.1:", text).replace("0.0.0.0", "127.0.0.1")
        text = re.sub(r"\b(5432|6379|8501|5555)\b", lambda match: str(self.ports[match[0]]), text)
        folders = {"/var/lib/adam-studies": self.folder / "homes" / service}
        for volume in self.services[service].get("volumes", ()):
            name, path = volume.split(":")[:2]
            folders[path] = self.folder / "volumes" / name
            folders[path].mkdir(parents=True, exist_ok=True)
        for path, folder in folders.items():
            text = re.sub(rf"(?<![\w/]){path}(?![\w/])", str(folder), text)
        return text

    def _log(self, service: str) -> Path:
        return self.folder / f"{service}.log"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
