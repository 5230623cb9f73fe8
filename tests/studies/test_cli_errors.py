"""Whatever is wrong: one clear line on stderr, the right exit code, nothing half written, never a traceback."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from studies.cli import data
from studies.cli.main import main
from studies.db.engine import open_database
from studies.db.queries import list_studies
from studies.settings import Settings

Run = Callable[..., Result]
ID_COMMANDS = ("show", "watch", "cancel", "pause", "resume", "retry", "delete", "export")


@pytest.fixture
def run(settings: Settings) -> Run:
    """Run the command in a home of its own."""
    clean: dict[str, str | None] = {name: None for name in os.environ if name.startswith("ADAM_STUDIES_")}

    def invoke(*arguments: str, **more: str) -> Result:
        return CliRunner().invoke(main, list(arguments), env={**clean, "ADAM_STUDIES_HOME": str(settings.home), **more})

    return invoke


def refused(result: Result, code: int = 2) -> str:
    """Return the one line of an error."""
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and "Traceback" not in line
    return line.removeprefix("error: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("shwo", "No such command 'shwo'"),
        ("data", "Missing command. (see adam-studies data --help)"),
        ("db downgrade", "No such command 'downgrade'."),
        ("list --color", "No such option"),
        ("show", "Missing argument 'ID'. (see adam-studies show --help)"),
        ("show a b", "Got unexpected extra argument (b)"),
        ("submit", "Missing argument 'FILE.yaml|PRESET'"),
        ("sql", "Missing argument 'QUERY'"),
        ("extend s-x", "Missing option '--trials'"),
        ("extend s-x --trials many", "Invalid value for '--trials': 'many' is not a valid integer."),
        (
            "export s-x --what losses",
            "Invalid value for '--what': 'losses' is not one of 'trials', 'curves', 'diagnostics', 'trajectories'.",
        ),
        ("export s-x --format xls", "Invalid value for '--format': 'xls' is not one of 'csv', 'parquet', 'json'."),
        ("up --workers 0", "Invalid value for '--workers': 0 is not in the range 1<=x<=256."),
        ("up --port 70000", "Invalid value for '--port': 70000 is not in the range 1<=x<=65535."),
        ("dashboard --port http", "Invalid value for '--port': 'http' is not a valid integer range."),
    ],
)
def test_wrong_usage(run: Run, settings: Settings, arguments: str, message: str) -> None:
    assert refused(run(*arguments.split())).startswith(message)
    assert not settings.home.exists()


@pytest.mark.parametrize("command", ID_COMMANDS)
@pytest.mark.parametrize(("unknown", "kind"), [("s-nothing", "study"), ("u-nothing", "suite"), ("quickstart", "study")])
def test_unknown_id(run: Run, command: str, unknown: str, kind: str) -> None:
    assert refused(run(command, unknown)) == f"no {kind} has the id '{unknown}'"


def test_extend_by_nothing(run: Run, sqlite_settings: Settings) -> None:
    assert refused(run("extend", "s-nothing", "--trials", "3")) == "no study has the id 's-nothing'"
    for n_trials in (0, -1):
        line = refused(run("extend", "s-nothing", "--trials", str(n_trials)))
        assert line == f"the number of trials to add must be at least 1, got {n_trials}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read {path}: No such file or directory"),
        (b"", "{path} must hold a mapping of keys, got NoneType"),
        (b"- a\n- b\n", "{path} must hold a mapping of keys, got list"),
        (b"name: [", "{path} is not valid YAML: "),
        (b"\xff\xfe\x00", "cannot read {path}: not UTF-8 text"),
        (b"name: x\nworkload: digits-logistic\n", "optimizer: must be given"),
        (b"name: x\nworkload: cifar\noptimizer: adam\n", "workload must be one of mnist-logistic, imdb-logistic, "),
        (b"name: x\nworkload: digits-logistic\noptimizer: adam\nbeta2: 1\n", "beta2: no such key"),
        (
            b"name: x\nworkload: digits-logistic\noptimizer: adam\nsearch_space: {beta2: 1.2}\n",
            "search_space.beta2: must be in [0, 1), got 1.2",
        ),
    ],
)
def test_wrong_file(run: Run, sqlite_settings: Settings, tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "study.yaml"
    if content is not None:
        path.write_bytes(content)
    for more in ((), ("--wait",)):
        assert refused(run("submit", str(path), *more)).startswith(message.format(path=path))
    assert_nothing_was_submitted(sqlite_settings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("quikstart",),
            "no preset and no file is called 'quikstart'; the presets are quickstart, digits-optimizers, mnist-adam-",
        ),
        (("quickstart", "--set", "n_trials"), "--set must be key=value, got 'n_trials'"),
        (("quickstart", "--set", "n_trials=many"), "studies.0.n_trials: must be a whole number, got 'many'"),
        (("quickstart", "--set", "n_trials=0"), "studies.0.n_trials: must be "),
        (("quickstart", "--set", "seed=[1"), "--set seed: the value must be YAML, got '[1'"),
        (("mnist-adam-vs-adamax",), "mnist-logistic needs the data set mnist in "),
        (("mnist-adam-vs-adamax", "--wait"), "mnist-logistic needs the data set mnist in "),
    ],
)
def test_wrong_submit(run: Run, sqlite_settings: Settings, arguments: tuple[str, ...], message: str) -> None:
    assert refused(run("submit", *arguments)).startswith(message)
    assert_nothing_was_submitted(sqlite_settings)


def test_a_folder_is_no_file(run: Run, tmp_path: Path) -> None:
    assert refused(run("submit", str(tmp_path))) == f"cannot read {tmp_path}: Is a directory"


def assert_nothing_was_submitted(settings: Settings) -> None:
    database = open_database(settings)
    assert list_studies(database) == ()
    database.close()
    assert not (settings.home / "broker.url").exists() and not (settings.home / "redis").exists()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ADAM_STUDIES_DEVICE", "tpu", "ADAM_STUDIES_DEVICE must be one of any, gpu, cpu, got 'tpu'"),
        ("ADAM_STUDIES_BROKER_URL", "amqp://x", "ADAM_STUDIES_BROKER_URL must start with redis://"),
        ("ADAM_STUDIES_DATABASE_URL", "mysql://x", "ADAM_STUDIES_DATABASE_URL must start with sqlite:///"),
    ],
)
@pytest.mark.parametrize("command", ["list", "up", "demo", "data status", "db upgrade"])
def test_wrong_setting(run: Run, settings: Settings, command: str, name: str, value: str, message: str) -> None:
    assert refused(run(*command.split(), **{name: value})).startswith(message)
    assert not settings.home.exists()


@pytest.mark.parametrize(
    "command", ["list", "submit quickstart", "up --no-dashboard", "dashboard", "demo", "db upgrade"]
)
def test_database_out_of_reach(run: Run, command: str) -> None:
    url = "postgresql://me:secret@127.0.0.1:1/studies"
    result = run(*command.split(), ADAM_STUDIES_DATABASE_URL=url)
    assert "secret" not in result.output
    assert "127.0.0.1:1/studies: " in refused(result, code=1)


def test_a_file_that_is_no_database(run: Run, settings: Settings) -> None:
    settings.home.mkdir()
    (settings.home / "studies.db").write_text("not a database at all, but a long enough text to look like one")
    assert "file is not a database" in refused(run("list"), code=1)


READ_ONLY = """
import os, sys
from studies.cli import catalogue, results, running, serving
from studies.cli.main import main
if os.geteuid() == 0:
    os.seteuid(65534)  # root may write everywhere
main(sys.argv[1:])
"""


@pytest.fixture
def read_only() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, stat.S_IRUSR | stat.S_IXUSR | stat.S_IROTH | stat.S_IXOTH)
        yield Path(folder)


@pytest.mark.parametrize("command", ["list", "submit quickstart", "demo", "up --no-dashboard", "db upgrade"])
def test_a_home_that_cannot_be_written(read_only: Path, command: str) -> None:
    environ = {**os.environ, "ADAM_STUDIES_HOME": str(read_only / "home")}
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, *command.split()], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and str(read_only / "home") in line and "Permission denied" in line
    assert not list(read_only.iterdir())


def test_what_nobody_expected_is_written_down(run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "data_status", lambda settings: 1 // 0)
    log = settings.home / "logs" / "errors.log"
    assert refused(run("data", "status"), code=1) == (
        f"unexpected ZeroDivisionError: integer division or modulo by zero (details: {log})"
    )
    assert "Traceback" in log.read_text() and "1 // 0" in log.read_text()


def test_what_nobody_expected_where_nothing_can_be_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(data, "data_status", lambda settings: 1 // 0)
    line = refused(run("data", "status", ADAM_STUDIES_HOME=str(tmp_path / "file" / "home")), code=1)
    assert line == "unexpected ZeroDivisionError: integer division or modulo by zero"


def test_interrupt(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(settings: Settings) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "data_status", interrupt)
    result = run("data", "status")
    assert (result.exit_code, result.stderr.strip()) == (130, "interrupted")


@pytest.mark.parametrize(("command", "extra"), [("worker", "worker"), ("dashboard", "dashboard"), ("up", "worker")])
def test_a_missing_extra(run: Run, monkeypatch: pytest.MonkeyPatch, command: str, extra: str) -> None:
    find_spec = __import__("importlib.util").util.find_spec
    absent = ("torch", "streamlit")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in absent else find_spec(name))
    result = run(command)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].endswith(f"run `pip install 'adam-studies[{extra}]'`")
