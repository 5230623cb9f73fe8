"""The embedded stack, with a real Redis, real workers and a real dashboard."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from studies.db.engine import open_database
from studies.db.queries import list_workers
from studies.errors import InputError, ServiceError, StateError
from studies.local import process, stack
from studies.local.process import Child, end
from studies.local.redis_server import broker_url
from studies.local.stack import Stack, dashboard_command, default_n_workers, worker_command
from studies.settings import Settings
from tests.processes import wait_until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def sleepers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program that sleeps in the place of workers, where what they do does not matter."""
    monkeypatch.setattr(stack, "worker_command", lambda: SLEEPER)


def script(code: str, log: Path) -> Child:
    return Child("script", [sys.executable, "-c", code], log, dict(os.environ))


def revived(child: Child) -> bool:
    child.revive()
    return child.is_running


def kill(child: Child) -> None:
    child.signal(signal.SIGKILL)
    wait_until(lambda: not child.is_running)


def test_child_writes_to_its_log_and_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SETTLED_SECONDS", 0.0)
    child = script("import time; print('hello', flush=True); time.sleep(600)", tmp_path / "logs" / "script.log")
    assert child.pid is None and child.last_words() == "no log"
    child.start()
    first = child.pid
    wait_until(lambda: child.last_words() == "hello")
    child.revive()
    assert child.pid == first and child.settled
    kill(child)
    wait_until(lambda: revived(child))
    assert child.pid != first
    end([child], patience_seconds=5.0)
    assert not child.is_running


def test_pauses_between_early_deaths_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    child = script("", tmp_path / "log")
    child.start()
    starts, last = [], child.pid
    while now < 200.0:
        wait_for_end(child)
        child.revive()
        if child.pid != last:
            last = child.pid
            starts.append(now)
        now += 0.5
    assert [round(b - a, 1) for a, b in zip([0.0, *starts], starts, strict=False)][:8] == [
        *(0.5, 1.5, 2.5, 4.5, 8.5, 16.5, 30.5, 30.5)
    ]
    assert not child.settled and child.last_words() == "no output"


def wait_for_end(child: Child) -> None:
    for _ in range(1000):
        if not child.is_running:
            return
        time.sleep(0.01)


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    child = script(code, tmp_path / "log")
    child.start()
    wait_until(lambda: child.last_words() == "deaf")
    end([child], patience_seconds=0.2)
    assert not child.is_running


def test_a_program_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"^cannot start ghost: .*No such file"):
        Child("ghost", [str(tmp_path / "ghost")], tmp_path / "log", {}).start()


def test_real_workers_register_and_come_back(settings: Settings) -> None:
    database = open_database(settings)

    def live() -> set[int]:
        running.supervise()
        return {worker.pid for worker in list_workers(database) if worker.is_live}

    with Stack(settings, n_workers=1) as running:
        assert broker_url(settings) is not None
        (child,) = running.workers
        assert child.pid is not None
        first = child.pid
        wait_until(lambda: " ready." in child.log.read_text())
        assert live() == {first}
        kill(child)
        wait_until(lambda: bool(live() - {first}))
        (second,) = live() - {first}
        assert child.pid == second
        wait_until(lambda: child.log.read_text().count(" ready.") == 2)
    assert broker_url(settings) is None and not child.is_running
    left = {worker.pid for worker in list_workers(database) if worker.is_live}
    assert second not in left, "a worker that is told to end takes its leave"
    database.close()


def test_one_stack_a_home(settings: Settings, sleepers: None) -> None:
    with Stack(settings, n_workers=1):
        address = broker_url(settings)
        with pytest.raises(StateError, match=rf"^a stack runs in {settings.home} already \(process {os.getpid()}\)"):
            Stack(settings, n_workers=1).__enter__()
        assert address == broker_url(settings) is not None, "the one that is refused leaves the other alone"
    with Stack(settings, n_workers=1):
        assert broker_url(settings) is not None


def test_a_broker_of_ones_own_is_used(settings: Settings, sleepers: None) -> None:
    with Stack(replace(settings, broker_url="redis://elsewhere/0"), n_workers=2) as running:
        assert [child.is_running for child in running.workers] == [True, True]
        environ = Path(f"/proc/{running.workers[0].pid}/environ").read_text()
        assert "ADAM_STUDIES_BROKER_URL=redis://elsewhere/0\0" in environ and "OMP_NUM_THREADS=1\0" in environ
        assert not (settings.home / "broker.url").exists()


def test_workers_that_never_live_are_given_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "worker_command", lambda: [sys.executable, "-c", "raise SystemExit('no torch today')"])
    with (
        pytest.raises(ServiceError, match=r"^the workers end as soon as they start: no torch today \(log: .*worker-1"),
        Stack(settings, n_workers=2) as running,
    ):
        while True:
            running.supervise()
            time.sleep(0.05)
    assert broker_url(settings) is None


def test_the_dashboard_answers(settings: Settings, sleepers: None, free_port: int) -> None:
    open_database(settings).close()
    with Stack(settings, n_workers=1, port=free_port) as running:
        assert running.address == f"http://127.0.0.1:{free_port}"
        with urlopen(running.address, timeout=10) as page:
            assert page.status == 200
        assert running.dashboard is not None
        kill(running.dashboard)
        running.supervise()
        time.sleep(0.6)
        running.supervise()
        assert running.dashboard.is_running
    assert not running.dashboard.is_running


def test_a_dashboard_that_ends_at_once(
    settings: Settings, sleepers: None, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no page today')"]
    monkeypatch.setattr(stack, "dashboard_command", lambda port: command)
    with pytest.raises(ServiceError, match=r"^the dashboard does not start: no page today \(log: .*dashboard.log"):
        Stack(settings, n_workers=1, port=free_port).__enter__()
    assert broker_url(settings) is None


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


def test_a_port_that_is_taken_starts_nothing(settings: Settings, sleepers: None, taken_port: int) -> None:
    with pytest.raises(InputError, match=rf"^port {taken_port} of 127.0.0.1 cannot be used: Address already in use; "):
        Stack(settings, n_workers=1, port=taken_port).__enter__()
    assert [path.name for path in settings.home.iterdir()] == ["stack.lock"]


@pytest.mark.parametrize(("extra", "module"), [("worker", "torch"), ("dashboard", "streamlit")])
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, extra: str, module: str) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else find_spec(name))
    with pytest.raises(
        ServiceError, match=rf"^the {extra} needs {module}: run `pip install 'adam-studies\[{extra}\]'`$"
    ):
        worker_command() if extra == "worker" else dashboard_command(8501)


def test_a_home_that_cannot_be_written(settings: Settings, sleepers: None, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match=r"^cannot write to .*/file/home: Not a directory \(ADAM_STUDIES_HOME"):
        Stack(replace(settings, home=tmp_path / "file" / "home"), n_workers=1).__enter__()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_stack_in_order(settings: Settings, sleepers: None, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), Stack(settings, n_workers=1) as running:
        os.kill(os.getpid(), number)
        time.sleep(10)
    assert signal.getsignal(number) is before
    assert not running.workers[0].is_running and broker_url(settings) is None


def test_a_signal_that_is_ignored_stays_so(settings: Settings, sleepers: None) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stack(settings, n_workers=1):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_than_the_main_one(settings: Settings, sleepers: None) -> None:
    found: list[str | None] = []

    def run() -> None:
        with Stack(settings, n_workers=1):
            found.append(broker_url(settings))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found != [None]


def test_default_n_workers_suits_the_machine() -> None:
    n_cores = len(os.sched_getaffinity(0))
    assert default_n_workers() == min(n_cores, 4)
    code = "from studies.local.stack import default_n_workers; print(default_n_workers())"
    pinned = subprocess.run(
        [sys.executable, "-c", f"import os; os.sched_setaffinity(0, [{min(os.sched_getaffinity(0))}]); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert pinned.stdout == "1\n"
