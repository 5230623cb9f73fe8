"""Whatever a spec, a file or a command line holds: it is accepted, or refused in one line; nothing is half written."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import func, select

from studies.cli.main import main
from studies.db import submissions
from studies.db.engine import Database, open_database
from studies.db.models import StudyRow, SuiteRow, TrialRow
from studies.errors import InputError
from studies.settings import Settings
from studies.spec import StudySpec, SuiteSpec, parse
from tests.factories import insert_study, make_spec

Run = Callable[[list[str]], Any]

FEW, MANY = 100, 3_400  #: examples of each of the three kinds: in `make test`, and of those marked slow, 10,000 in all
GROWN_UP = 200  #: trials that a spec may have here: settings of more take long to draw

TEXT = st.text(max_size=12) | st.sampled_from(
    ["", "'; DROP TABLE result_trials; --", "<script>", "../../etc", "\x00", "é"]
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.integers(-3, 200) | st.floats() | TEXT
    | st.sampled_from([float("nan"), float("inf"), -0.0, 1e308, 10**400, "1e-3", "log", "adam", "digits-mlp"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["low", "high", "scale", "alpha", "per"]) | TEXT, inner, max_size=3)
    ),
    max_leaves=5,
)
VALID: dict[str, Any] = make_spec(n_trials=4).model_dump(mode="json")
KEYS = st.sampled_from([*VALID, "suite", "studies", "defaults", "target", "enqueue"]) | TEXT
CHANGES = st.dictionaries(KEYS, VALUES, max_size=4)
PARAMETERS = st.dictionaries(st.sampled_from(["alpha", "beta1", "beta2", "epsilon", "rho"]) | TEXT, VALUES, max_size=3)
WORDS = st.sampled_from(
    [
        *(
            "submit",
            "list",
            "show",
            "cancel",
            "pause",
            "resume",
            "retry",
            "extend",
            "delete",
            "export",
            "sql",
            "report",
        ),
        *("workloads", "presets", "optimizers", "data", "status", "--json", "--set", "--what", "--format", "--trials"),
        *("-o", "curves", "csv", "quickstart", "n_trials=2", "s-none", "select 1", "--help", "-1", "=", "name"),
    ]
)
#: Commands that start servers, download or last; the line is about what they are asked, which others are too.
LASTING = {"up", "demo", "worker", "dashboard", "fetch", "watch", "--wait", "doctor"}


RANGES = st.builds(
    lambda low, high, scale: {"low": low, "high": high, "scale": scale},
    *(st.floats(1e-6, 0.9), st.floats(1e-3, 2.0), st.sampled_from(["log", "linear", "log1m"])),
)
#: What a user might well have meant: about half of these are accepted.
PLAUSIBLE = st.fixed_dictionaries(
    {},
    optional={
        "optimizer": st.sampled_from(["adam", "adamax", "sgd", "rmsprop"]),
        "workload": st.sampled_from(["digits-logistic", "digits-cnn", "online-convex", "surface-cliff"]),
        "search_space": st.dictionaries(
            st.sampled_from(["alpha", "beta1", "beta2", "epsilon"]),
            RANGES | st.floats(0.0, 0.999) | st.lists(st.floats(1e-4, 0.99), min_size=1, max_size=3),
            max_size=2,
        ),
        "sampler": st.sampled_from(["qmc", "random", "grid", "tpe"]),
        "n_trials": st.integers(0, 20),
        "n_seeds": st.integers(1, 4),
        "epochs": st.integers(0, 9),
        "batch_size": st.integers(0, 2000),
        "seed": st.integers(-1, 2**33),
        "objective": st.sampled_from(["train_loss", "validation_error", "epochs_to_target"]),
        "options": st.just({}),
    },
)


def specs() -> st.SearchStrategy[Any]:
    """Mappings near a valid spec, and anything."""
    near = st.builds(lambda changes, space: {**VALID, "search_space": space, **changes}, CHANGES, PARAMETERS)
    suites = st.builds(lambda one, more: {"suite": "fuzz", "defaults": more, "studies": [one]}, near, CHANGES)
    meant = PLAUSIBLE.map(lambda changes: {"name": "meant", "workload": "digits-mlp", "optimizer": "adam", **changes})
    return meant | near | suites | VALUES


def counts(db: Database) -> list[int]:
    with db.read() as connection:
        tables = (SuiteRow, StudyRow, TrialRow)
        return [connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def n_trials(spec: StudySpec | SuiteSpec) -> int:
    return sum(study.n_trials for study in ((spec,) if isinstance(spec, StudySpec) else spec.studies))


@pytest.fixture
def db(sqlite_settings: Settings) -> Any:
    database = open_database(sqlite_settings)
    yield database
    database.close()


@pytest.fixture
def run(sqlite_settings: Settings) -> Run:
    clean: dict[str, str | None] = {name: None for name in os.environ if name.startswith("ADAM_STUDIES_")}
    environ = {**clean, "ADAM_STUDIES_HOME": str(sqlite_settings.home)}
    return lambda arguments: CliRunner().invoke(main, arguments, env=environ)


def refused_in_one_line(result: Any) -> None:
    """The result of a command is an answer, or one line of error."""
    assert result.exit_code in (0, 1, 2), result.output
    assert "Traceback" not in result.output
    if result.exit_code:
        assert isinstance(result.exception, SystemExit), result.exception
        lines = result.stderr.splitlines()
        assert [line for line in lines if line.startswith("error: ")] == lines[-1:], result.stderr


def specs_are_accepted_or_refused(db: Database, n: int) -> None:
    @examples(max_examples=n, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(specs())
    def check(raw: Any) -> None:
        before = counts(db)
        try:
            spec = parse(raw)
        except InputError as error:
            assert str(error) and len(str(error).splitlines()) == 1
            assert counts(db) == before
            return
        if n_trials(spec) <= GROWN_UP:
            if isinstance(spec, StudySpec):
                submissions.insert_study(db, spec)
            else:
                submissions.insert_suite(db, spec)
            assert counts(db)[2] - before[2] == n_trials(spec)
            assert parse(json.loads(json.dumps(spec.model_dump(mode="json")))) == spec

    check()


def files_are_accepted_or_refused(run: Run, db: Database, settings: Settings, n: int) -> None:
    text = yaml.safe_dump(VALID)
    bits = st.sampled_from(
        ["&a [*a, *a]", "!!python/object:os.system", "\t", "{", "]", ": ", "\n- ", "# ", "\x00", "|", "1e999"]
    )
    cut = st.tuples(st.integers(0, len(text)), st.integers(0, 12), bits | st.text(max_size=8))
    path = settings.home / "fuzz.yaml"

    @examples(max_examples=n, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(cut, min_size=1, max_size=3), st.binary(max_size=3))
    @example([(0, len(text), "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n")], b"")
    def check(cuts: list[tuple[int, int, str]], tail: bytes) -> None:
        changed = text
        for at, length, put in cuts:
            changed = changed[:at] + put + changed[at + length :]
        path.write_bytes(changed.encode("utf-8", "surrogatepass") + tail)
        before = counts(db)
        result = run(["submit", str(path), "--set", "n_trials=1"])
        refused_in_one_line(result)
        if result.exit_code == 2:
            assert counts(db) == before

    check()


def lines_are_answered_or_refused(run: Run, n: int) -> None:
    @examples(max_examples=n, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(WORDS | st.text(max_size=8), max_size=5))
    def check(arguments: list[str]) -> None:
        if not LASTING & set(arguments):
            refused_in_one_line(run(arguments))

    check()


def test_specs(db: Database) -> None:
    specs_are_accepted_or_refused(db, FEW)


def test_files(run: Run, db: Database, sqlite_settings: Settings) -> None:
    files_are_accepted_or_refused(run, db, sqlite_settings, FEW)


def test_command_lines(run: Run, db: Database, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where `-o` writes
    insert_study(db)
    lines_are_answered_or_refused(run, FEW)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_thousand(
    run: Run, db: Database, sqlite_settings: Settings, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    specs_are_accepted_or_refused(db, MANY)
    files_are_accepted_or_refused(run, db, sqlite_settings, MANY)
    lines_are_answered_or_refused(run, MANY)
