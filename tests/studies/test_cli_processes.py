"""The command as a process of its own, with real Redis, workers and dashboard: demo, up, submit --wait, watch."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml

from studies.db.engine import open_database
from studies.db.queries import find_study, find_suite
from studies.local.redis_server import broker_url
from studies.settings import Settings
from tests.factories import insert_study, make_spec
from tests.processes import wait_until

COMMAND = [str(Path(sys.executable).with_name("adam-studies"))]
SMALL = {"n_trials": 4, "n_seeds": 1, "epochs": 2}


@pytest.fixture
def environ(settings: Settings) -> dict[str, str]:
    """The environment of a home that does not exist yet, without a broker or database of one's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADAM_STUDIES_")}
    return {**kept, "ADAM_STUDIES_HOME": str(settings.home)}


def command(environ: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, *arguments], env=environ, capture_output=True, text=True, check=False, timeout=100)


@contextmanager
def running(environ: dict[str, str], *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the command; it is told to end at the end of the block, if it still runs."""
    started = subprocess.Popen(
        [*COMMAND, *arguments], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.communicate(timeout=30)
        finally:
            started.kill()


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def small_study(tmp_path: Path, **overrides: object) -> str:
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(make_spec(**{**SMALL, **overrides}).to_json()))
    return str(path)


def test_submit_wait_brings_its_own_stack(environ: dict[str, str], settings: Settings, tmp_path: Path) -> None:
    done = command(environ, "submit", small_study(tmp_path), "--wait")
    assert done.returncode == 0, done.stderr
    study_id, *summary = done.stdout.splitlines()
    assert f"Adam on digits-logistic: adam-on-digits ({study_id})" in summary
    assert re.match(r"started Redis and \d workers \(logs: .*\)\n", done.stderr)
    assert "adam-on-digits: complete, 4 of 4 trials, best " in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "no live worker" not in done.stderr
    database = open_database(settings)
    assert find_study(database, study_id).state == "complete"
    database.close()
    assert broker_url(settings) is None and not (settings.home / "broker.url").exists()


def test_up_serves_until_ctrl_c(environ: dict[str, str], settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    with running(environ, "up", "--workers", "1", "--port", str(port)) as up:
        assert up.stdout is not None and up.stderr is not None
        assert up.stdout.readline() == f"dashboard: http://127.0.0.1:{port}\n"
        with urlopen(f"http://127.0.0.1:{port}", timeout=10) as page:
            assert page.status == 200
        second = command(environ, "up", "--port", str(free_port()))
        assert second.returncode == 2 and f"(process {up.pid})" in second.stderr.splitlines()[-1]
        elsewhere = command({**environ, "ADAM_STUDIES_HOME": str(tmp_path / "other")}, "up", "--port", str(port))
        assert (elsewhere.returncode, elsewhere.stderr.splitlines()[-1]) == (
            2,
            f"error: port {port} of 127.0.0.1 cannot be used: Address already in use; name a free one by --port",
        )
        assert not (tmp_path / "other" / "broker.url").exists()
        submitted = command(environ, "submit", small_study(tmp_path), "--wait")
        assert submitted.returncode == 0 and "started Redis" not in submitted.stderr, "it uses the stack that runs"
        family = children(up.pid)
        assert len(family) == 3
        up.send_signal(signal.SIGINT)
        up.wait(timeout=20)
        assert up.returncode == 0
        assert up.stderr.read().splitlines()[-1] == "ending; the workers save what they train"
    assert not any(is_alive(pid) for pid in family)
    assert broker_url(settings) is None


def test_children_do_not_outlive_a_killed_up(environ: dict[str, str], settings: Settings) -> None:
    with running(environ, "up", "--workers", "1", "--no-dashboard") as up:
        assert up.stdout is not None
        assert up.stdout.readline() == f"data and logs: {settings.home}\n"
        family = children(up.pid)
        assert len(family) == 2
        up.kill()
        up.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in family), seconds=20)
    with running(environ, "up", "--workers", "1", "--no-dashboard") as again:
        assert again.stdout is not None and again.stdout.readline().startswith("data and logs: ")


def test_ctrl_c_leaves_the_study_and_no_process(environ: dict[str, str], settings: Settings, tmp_path: Path) -> None:
    with running(environ, "submit", small_study(tmp_path, n_trials=64, epochs=5_000), "--wait") as waiting:
        assert waiting.stdout is not None and waiting.stderr is not None
        study_id = waiting.stdout.readline().strip()
        family = children(waiting.pid)
        waiting.send_signal(signal.SIGINT)
        waiting.wait(timeout=30)
        last = waiting.stderr.read().splitlines()[-1]
    assert waiting.returncode == 130
    assert last == f"interrupted; {study_id} is kept: `adam-studies watch {study_id}` shows it again"
    assert family and not any(is_alive(pid) for pid in family)
    database = open_database(settings)
    assert not find_study(database, study_id).is_final
    database.close()


def test_watch_draws_bars_on_a_terminal(environ: dict[str, str], sqlite_settings: Settings) -> None:
    database = open_database(sqlite_settings)
    study_id = insert_study(database, make_spec(name="a [b]study[/b]"), trials=2)
    leader, follower = pty.openpty()
    watching = subprocess.Popen(
        [*COMMAND, "watch", study_id],
        env={**environ, "TERM": "xterm", "COLUMNS": "80"},
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    seen = b""
    try:
        while b"2/8" not in seen:
            seen += os.read(leader, 65536)
        database.close()
        second = command(environ, "cancel", study_id)
        assert second.returncode == 0
        while chunk := read_terminal(leader):
            seen += chunk
    finally:
        watching.kill()
        watching.wait()
        os.close(leader)
    shown = seen.decode()
    assert "a [b]study[/b]" in shown and "running" in shown and "best 0." in shown
    assert "\x1b[?25l" in shown and shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor comes back"


def read_terminal(leader: int) -> bytes:
    try:
        return os.read(leader, 65536)
    except OSError:  # the other end is closed
        return b""


def test_a_closed_pipe_is_no_crash(environ: dict[str, str]) -> None:
    shown = subprocess.run(
        f"{COMMAND[0]} presets --json | head -1", shell=True, env=environ, capture_output=True, text=True, check=False
    )
    assert (shown.stdout, shown.stderr) == ("[\n", "")


def test_a_terminal_without_greek(environ: dict[str, str]) -> None:
    latin = {**environ, "PYTHONIOENCODING": "latin-1"}
    shown = subprocess.run([*COMMAND, "optimizers"], env=latin, capture_output=True, check=False)
    assert (shown.returncode, shown.stderr) == (0, b"") and b"?2" in shown.stdout


def test_worker_takes_its_own_options(environ: dict[str, str]) -> None:
    wrong = command(environ, "worker", "--lanes", "0")
    assert wrong.returncode == 2 and "must be at least 1, got 0" in wrong.stderr
    alone = command(environ, "worker")
    assert alone.returncode == 1 and "ADAM_STUDIES_BROKER_URL" in alone.stderr


def test_worker_is_not_shadowed_by_a_folder_of_the_user(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker" / "__main__.py").write_text("print('shadow')")
    done = subprocess.run(
        [*COMMAND, "worker", "--help"], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    assert "shadow" not in done.stdout and "--lanes" in done.stdout


def test_dashboard_listens_on_the_loopback_only(environ: dict[str, str]) -> None:
    port = free_port()
    with running(environ, "dashboard", "--port", str(port)) as dashboard:
        assert dashboard.stdout is not None
        assert dashboard.stdout.readline() == f"dashboard: http://127.0.0.1:{port}\n"
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health"))
        listening = subprocess.run(["ss", "-ltnH"], capture_output=True, text=True, check=False).stdout
        addresses = [line.split()[3] for line in listening.splitlines() if line.split()[3].endswith(f":{port}")]
        assert addresses in ([f"127.0.0.1:{port}"], []), "[] where ss is not installed"
        taken = command(environ, "dashboard", "--port", str(port))
        assert taken.returncode == 2 and f"port {port} of 127.0.0.1 cannot be used" in taken.stderr


def answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=2):
            return True
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_demo(environ: dict[str, str], settings: Settings) -> None:
    started = time.monotonic()
    done = subprocess.run([*COMMAND, "demo"], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 120
    suite_id, *_ = done.stdout.splitlines()
    for part in (
        "Adam on digits-logistic",
        "AdaMax on digits-logistic",
        "rank ",
        "importance",
        "look next",
        "What next",
    ):
        assert part in done.stdout
    database = open_database(settings)
    suite = find_suite(database, suite_id)
    assert [study.counts for study in suite.studies] == [{"complete": 64}] * 2
    database.close()
    (best,) = json.loads(
        command(environ, "sql", "--format", "json", "SELECT min(objective) AS best FROM results").stdout
    )
    assert 0 < best["best"] < 0.3
