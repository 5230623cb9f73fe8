"""Imports run dashboard -> studies and worker -> studies + adam_core, and the dashboard's process is torch-free."""

import ast
import importlib.util
import os
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from studies.db.engine import open_database
from studies.settings import Settings
from tests.architecture.sources import PACKAGES, ROOT, imported_modules, module_name, python_files
from tests.factories import insert_study, make_spec

ALLOWED = {
    "adam_core": {"adam_core"},
    "studies": {"studies"},
    "worker": {"worker", "studies", "adam_core"},
    "dashboard": {"dashboard", "studies"},
}
#: The extras of pyproject.toml that a package may count on, besides the dependencies that everybody has.
EXTRAS = {"adam_core": ("worker", "gpu"), "studies": ("embedded",), "worker": ("worker",), "dashboard": ("dashboard",)}
ADAM_CORE_KNOWS = {"torch", "numpy", "numba", "llvmlite", "triton"}

OWN_FILES = [(package, path) for package in PACKAGES for path in python_files(package)]


def imports_of(path: Path) -> set[str]:
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]
    return {name.partition(".")[0] for name in imported_modules(ast.parse(path.read_text("utf-8")), package)}


@pytest.mark.parametrize(("package", "path"), OWN_FILES, ids=[str(path.relative_to(ROOT)) for _, path in OWN_FILES])
def test_direction(package: str, path: Path) -> None:
    imports = imports_of(path)
    own = imports & {*PACKAGES, "tests"}
    assert own <= ALLOWED[package], f"{path.name} must not import {own - ALLOWED[package]}"
    foreign = imports - own - sys.stdlib_module_names
    undeclared = {name for name in foreign if not declared_distributions(package) & distributions_of(name)}
    assert not undeclared, f"{path.name} imports {undeclared}, which pyproject.toml does not promise to {package}"
    if package == "adam_core":
        assert foreign <= ADAM_CORE_KNOWS


@cache
def declared_distributions(package: str) -> frozenset[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = list(project["dependencies"])
    for extra in EXTRAS[package]:
        lines += project["optional-dependencies"][extra]
    return frozenset(canonicalize_name(Requirement(line).name) for line in lines)


@cache
def distributions_of(module: str) -> frozenset[str]:
    return frozenset(canonicalize_name(name) for name in packages_distributions().get(module, ()))


def test_dashboard_installs_without_torch() -> None:
    """Nothing that `pip install adam-studies[dashboard]` draws in, however deep, is torch."""
    drawn_in: set[str] = set()
    waiting = [("adam-studies", "dashboard")]
    while waiting:
        name, extra = waiting.pop()
        for line in requires(name) or ():
            requirement = Requirement(line)
            found = canonicalize_name(requirement.name)
            if found not in drawn_in and (requirement.marker is None or requirement.marker.evaluate({"extra": extra})):
                drawn_in.add(found)
                waiting += [(found, one) for one in requirement.extras or ("",)]
    assert "streamlit" in drawn_in
    assert "torch" not in drawn_in


def test_no_file_of_the_dashboard_shadows_a_module() -> None:
    """`streamlit run dashboard/app.py` puts dashboard/ first on sys.path."""
    names = {path.stem for path in (ROOT / "dashboard").iterdir() if path.suffix == ".py" or path.is_dir()}
    names -= {"__init__", "__pycache__"}
    shadowed = {name for name in names if name.isidentifier() and importlib.util.find_spec(name)}
    assert not shadowed
    assert "pages" not in names, "Streamlit would take a folder pages/ for its legacy navigation"


IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    # Alembic executes the files of migrations/ itself, inside its own context.
    if not module.name.endswith("__main__") and ".migrations." not in module.name and module.name != "dashboard.app":
        importlib.import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize(("package", "absent"), [("studies", {"torch", "streamlit"}), ("dashboard", {"torch"})])
def test_process_stays_free_of(package: str, absent: set[str], tmp_path: Path) -> None:
    """Every module of the package together, with all that they import in turn."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ADAM_STUDIES_HOME": str(tmp_path)}
    command = [sys.executable, "-c", IMPORT_ALL, package]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.splitlines()[-1].split())
    assert package in loaded
    assert not loaded & absent


VISIT_PAGES = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=60)
for page in ("views/home.py", "views/new_study.py", "views/study.py"):
    app.switch_page(page)
    app.query_params["id"] = sys.argv[2]
    app.run()
    wrong = [found.value for found in (*app.error, *app.exception)]
    assert app.title and not wrong, (page, wrong)
assert len(app.get("plotly_chart")) > 1, "the study's page shows no figures"
assert "torch" not in sys.modules
"""


def test_every_page_is_drawn_without_torch(sqlite_settings: Settings) -> None:
    """A study with enough trials for importances, so that everything which is imported late is imported."""
    database = open_database(sqlite_settings)
    study_id = insert_study(database, make_spec(n_trials=40))
    database.close()
    environment = {**os.environ, "ADAM_STUDIES_HOME": str(sqlite_settings.home)}
    command = [sys.executable, "-c", VISIT_PAGES, str(ROOT / "dashboard" / "app.py"), study_id]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
