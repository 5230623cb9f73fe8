"""Own workloads where no torch is: found, listed, refused in one line, and never imported unless they may be."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from studies.cli.main import main
from studies.client import read_spec
from studies.db import queries
from studies.db.engine import Database, open_database
from studies.db.mirror import mirror
from studies.errors import InputError, NotFoundError
from studies.service import Service
from studies.settings import Settings
from studies.spec import StudySpec, parse, parse_study
from studies.workloads import WORKLOADS, all_workloads, find_workload
from tests.factories import insert_study, make_spec
from tests.own_workloads import CATALOGUE, EXAMPLE, installed, lay_down

MINE = {"mine": "pack.catalogue:MINE"}


def refusal(name: str) -> str:
    with pytest.raises(NotFoundError) as refused:
        find_workload(name)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_an_entry_point_is_found_listed_and_submitted(tmp_path: Path) -> None:
    site = lay_down(tmp_path, "pack", MINE, catalogue=CATALOGUE.format({"epochs": 7}))
    with installed(site):
        entry = find_workload("mine")
        assert (entry.name, entry.title, entry.epochs, entry.implementation) == ("mine", "Mine", 7, "nowhere.model:IT")
        assert all_workloads().workloads == {**WORKLOADS, "mine": entry}
        assert all_workloads().problems == ()
        spec = make_spec(workload="mine")
        assert (spec.batch_size, spec.schedule.alpha, spec.workload_title) == (128, "inverse-sqrt", "Mine")
        assert StudySpec(name="x", workload="mine", optimizer="adam").epochs == 7
        assert ", mine, or module:object of a module" in refusal("nobodys")
    assert "mine" not in all_workloads().workloads
    assert "mine, or" not in refusal("mine")


def test_a_module_that_the_setting_names_needs_no_entry_point(tmp_path: Path) -> None:
    site = lay_down(tmp_path, "pack", {}, catalogue=CATALOGUE.format({}), other=CATALOGUE.format({}))
    with installed(site, allowed="os.path, pack.catalogue"):
        assert find_workload("pack.catalogue:MINE").name == "pack.catalogue:MINE"
        assert list(all_workloads().workloads) == [*WORKLOADS, "pack.catalogue:MINE"]
        assert refusal("pack.other:MINE") == (
            "workload must be module:object of a module that ADAM_STUDIES_WORKLOAD_MODULES names (os.path, "
            "pack.catalogue), got 'pack.other:MINE'"
        )
        assert refusal("pack:catalogue").endswith("got 'pack:catalogue'")
        assert refusal("pack.catalogue:YOURS") == (
            "workload pack.catalogue:YOURS does not exist: the module has no such object"
        )
        assert refusal("pack.catalogue:replace").endswith("must be a studies.workloads.Workload, got a function")
        assert "must be a studies.workloads.Workload" in refusal("os.path:join")
    with installed(site):
        assert "ADAM_STUDIES_WORKLOAD_MODULES names (none), got 'pack.catalogue:MINE'" in refusal("pack.catalogue:MINE")
    assert "pack.other" not in sys.modules


@pytest.mark.parametrize("value", ["os system", "pack:object", "../pack", ".pack", "pack..catalogue", "os;", "-"])
def test_the_setting_takes_names_of_modules_only(value: str) -> None:
    with pytest.raises(InputError, match=r"^ADAM_STUDIES_WORKLOAD_MODULES must be package\.module, or several with"):
        Settings.from_environ({"ADAM_STUDIES_WORKLOAD_MODULES": f"json, {value}"})
    assert Settings.from_environ({"ADAM_STUDIES_WORKLOAD_MODULES": "json, a.b,"}).workload_modules == ("json", "a.b")


#: `this` is a module of the standard library that nobody imports.
EVIL = (
    *("os:system", "studies.errors:InputError", "this:d", "this", "this:", ":d", "this::d", "this:d.__class__"),
    *(".this:d", "..this:d", "this.:d", "this..d:d", "../this:d", "/this:d", " this:d", "this :d", "this:d "),
    *(
        "this\n:d",
        "this:d\n",
        "this:d\x00",
        "\uff54\uff48\uff49\uff53:d",
        "this:\uff44",
        "__import__('this'):d",
        "__main__:EVIL",
        "%s:%s",
    ),
    *("{0.__class__}:d", "builtins:eval", "importlib:import_module", "this:__loader__", "", "a" * 10**6),
    *("this:" + "d" * 10**6, "this" + ".this" * 10**5 + ":d", "digits-logistic:x", "\ud800:d", "pack.catalogue:MINE"),
)


@pytest.mark.parametrize("allowed", ["", "studies.errors"])
@pytest.mark.parametrize("name", EVIL, ids=[repr(name)[:40] for name in EVIL])
def test_names_in_specs_are_looked_up_and_never_imported(name: str, allowed: str, tmp_path: Path) -> None:
    site = lay_down(tmp_path, "pack", {}, catalogue=CATALOGUE.format({}))
    with installed(site, allowed=allowed):
        all_workloads()
        before = set(sys.modules)
        with pytest.raises(InputError) as refused:
            parse({"name": "x", "workload": name, "optimizer": "adam"})
        assert "\n" not in str(refused.value) and len(str(refused.value)) < 1000
        stored = StudySpec.stored({**make_spec().to_json(), "workload": name})
        assert stored.workload_title == f"{name} (not installed here)"
        assert set(sys.modules) == before
    assert "this" not in sys.modules


BROKEN = [
    ("import nowhere_at_all", "cannot be loaded: ModuleNotFoundError: No module named 'nowhere_at_all'"),
    ("raise SystemExit(3)", "cannot be loaded: SystemExit: 3"),
    ("MINE = 1 +", "cannot be loaded: SyntaxError: invalid syntax"),
    ("raise ValueError('two\\nlines')", "cannot be loaded: ValueError: two lines"),
    ("", "cannot be loaded: AttributeError: module 'pack.catalogue' has no attribute 'MINE'"),
    ("MINE = {}", "must be a studies.workloads.Workload, got a dict"),
    (CATALOGUE.format({"name": "other"}), "must have this name, got 'other'"),
    (
        CATALOGUE.format({"implementation": None}),
        "is not valid: implementation must be package.module:object, got None",
    ),
    (CATALOGUE.format({"implementation": "a"}), "is not valid: implementation must be package.module:object, got 'a'"),
    (CATALOGUE.format({"n_train": "many"}), "is not valid: n_train: must be a whole number, got 'many'"),
    (CATALOGUE.format({"n_train": 0}), "is not valid: n_train must be at least 1, got 0"),
    (CATALOGUE.format({"n_validation": 1437}), "n_validation must be at least 0 and less than n_train, got 1437"),
    (CATALOGUE.format({"n_test": -1}), "is not valid: n_test must be at least 0, got -1"),
    (CATALOGUE.format({"batch_size": 0}), "is not valid: batch_size must be at least 1 and at most n_train, got 0"),
    (CATALOGUE.format({"epochs": 0}), "is not valid: epochs must be at least 1, got 0"),
    (CATALOGUE.format({"input_shape": (8, 0)}), "is not valid: input_shape must be positive sizes, got (8, 0)"),
    (CATALOGUE.format({"l2": 0.1}), "l2 must be 0: studies add such a term by the optimizer's weight_decay, got 0.1"),
    (CATALOGUE.format({"online": True}), "is not valid: online must be False, got True"),
    (CATALOGUE.format({"n_coordinates": 2}), "is not valid: n_coordinates must be 0, got 2"),
]


@pytest.mark.parametrize(("source", "said"), BROKEN, ids=[said[-40:] for _, said in BROKEN])
def test_a_broken_package_is_told_in_one_line_and_hides_no_other(source: str, said: str, tmp_path: Path) -> None:
    site = lay_down(tmp_path / "a", "pack", MINE, catalogue=source)
    fine = lay_down(tmp_path / "b", "fine", {"zebra": "fine.zebra:MINE"}, zebra=CATALOGUE.format({"name": "zebra"}))
    with installed(site, fine):
        assert "workload mine, registered by pack as pack.catalogue:MINE," in refusal("mine")
        assert said in refusal("mine")
        found = all_workloads()
        assert list(found.workloads) == [*WORKLOADS, "zebra"]
        assert found.problems == (refusal("mine"),)


def test_a_broken_module_of_the_setting_is_told_in_one_line(tmp_path: Path) -> None:
    site = lay_down(tmp_path, "pack", {}, catalogue="1 / 0")
    with installed(site, allowed="pack.catalogue,nowhere_at_all"):
        assert all_workloads().workloads == WORKLOADS
        zero, nowhere = all_workloads().problems
        expected = (
            "module pack.catalogue, which ADAM_STUDIES_WORKLOAD_MODULES names, cannot be loaded: ZeroDivisionError"
        )
        assert zero.startswith(expected)
        assert nowhere.endswith("ModuleNotFoundError: No module named 'nowhere_at_all'")
        assert "workload pack.catalogue:X cannot be loaded: ZeroDivisionError" in refusal("pack.catalogue:X")


def test_a_name_means_one_workload(tmp_path: Path) -> None:
    source = CATALOGUE.format({})
    taken = lay_down(tmp_path / "a", "taker", {"digits-mlp": "taker.catalogue:MINE"}, catalogue=source)
    first = lay_down(tmp_path / "b", "pack", MINE, catalogue=source)
    second = lay_down(tmp_path / "c", "another", {"mine": "another.catalogue:MINE"}, catalogue=source)
    with installed(taken, first, second):
        assert find_workload("digits-mlp") is WORKLOADS["digits-mlp"]
        assert all_workloads().workloads == WORKLOADS
        assert all_workloads().problems == (
            "workload digits-mlp of an installed package is left out: the product's own has this name",
            "workload mine is registered by another and pack: uninstall all but one",
        )
        assert "taker.catalogue" not in sys.modules


@pytest.fixture
def orphan(database: Database, tmp_path: Path) -> str:
    """Return the id of a complete study whose workload is no longer installed."""
    with installed(lay_down(tmp_path / "site", "pack", MINE, catalogue=CATALOGUE.format({}))):
        return insert_study(database, make_spec(workload="mine"))


def test_results_of_a_workload_that_is_gone_remain(database: Database, orphan: str) -> None:
    record = queries.list_studies(database)[0]
    assert (record.id, record.state, record.spec.workload) == (orphan, "complete", "mine")
    assert record.spec.workload_title == "mine (not installed here)"
    assert record.fraction == 1.0
    mirror(database, orphan, wait=True)
    assert len(queries.trials_frame(database, orphan)) == 8
    service = Service(database, None)
    with pytest.raises(NotFoundError, match=r"^workload must be one of"):
        service.extend(orphan, 2)
    service.delete(orphan)
    assert queries.list_studies(database) == ()


def test_the_command_shows_results_of_a_workload_that_is_gone(sqlite_settings: Settings, tmp_path: Path) -> None:
    database = open_database(sqlite_settings)
    with installed(lay_down(tmp_path / "site", "pack", MINE, catalogue=CATALOGUE.format({}))):
        study_id = insert_study(database, make_spec(workload="mine"))
    database.close()
    environ = {"ADAM_STUDIES_HOME": str(sqlite_settings.home), "ADAM_STUDIES_DATABASE_URL": None}
    for arguments in (["list"], ["list", "--json"], ["show"], ["show", "--json"], ["export"], ["watch"]):
        whose = [] if "list" in arguments else [study_id]
        done = CliRunner().invoke(main, [*arguments, *whose], env={**environ, "COLUMNS": "200"})
        assert (done.exit_code, "mine" in done.output) == (0, True), (arguments, done.output)
    refused = CliRunner().invoke(main, ["extend", study_id, "--trials", "2"], env=environ)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: workload must be one of") and refused.stderr.count("\n") == 1


def test_a_waiting_study_of_a_workload_that_is_gone_is_cancelled(database: Database, tmp_path: Path) -> None:
    with installed(lay_down(tmp_path / "site", "pack", MINE, catalogue=CATALOGUE.format({}))):
        waiting = insert_study(database, make_spec(workload="mine"), trials=0)
    Service(database, None).cancel(waiting)
    assert queries.find_study(database, waiting).state == "cancelled"


def test_a_stored_spec_is_read_as_it_was_written() -> None:
    spec = make_spec(optimizer="rmsprop", objective="validation_error", enqueue=[{"alpha": 0.05}], sampler="tpe")
    assert StudySpec.stored(spec.to_json()) == spec == parse_study(spec.to_json())


LISTING = """
import sys
from studies.cli.main import main
from studies.client import read_spec
try:
    main(["workloads", "--json"])
finally:
    assert "torch" not in sys.modules and "diabetes_workload.model" not in sys.modules
"""


def test_the_command_lists_the_example_without_torch_and_warns_of_a_broken_one(tmp_path: Path) -> None:
    site = lay_down(tmp_path / "site", "pack", MINE, catalogue="import nowhere_at_all")
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (EXAMPLE, site))),
        "ADAM_STUDIES_HOME": str(tmp_path),
        "ADAM_STUDIES_WORKLOAD_MODULES": "diabetes_workload.catalogue",
    }
    done = subprocess.run([sys.executable, "-c", LISTING], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"name": "diabetes_workload.catalogue:DIABETES_RESIDUAL"' in done.stdout
    assert [line[:23] for line in done.stderr.splitlines()] == ["warning: workload mine,"]


def test_the_readme_shows_the_example_as_it_is() -> None:
    section = (
        (EXAMPLE.parents[1] / "README.md").read_text("utf-8").split("## Your own workload", 1)[1].split("\n## ")[0]
    )
    blocks = re.findall(r"```(?:python|toml)\n(.*?)```", section, flags=re.DOTALL)
    sources = [path.read_text("utf-8") for path in (*EXAMPLE.rglob("*.py"), EXAMPLE / "pyproject.toml")]
    assert len(blocks) == 3
    assert all(any(block in source for source in sources) for block in blocks)


def test_the_examples_study_is_valid() -> None:
    with installed(EXAMPLE, allowed="diabetes_workload.catalogue"):
        spec = read_spec(EXAMPLE / "study.yaml", ("workload=diabetes_workload.catalogue:DIABETES_RESIDUAL",))
        assert isinstance(spec, StudySpec)
        assert (spec.n_train, spec.epochs, spec.schedule.alpha) == (342, 20, "constant")
