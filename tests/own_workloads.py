"""Workloads of others: packages as pip lays them down, importable for a while."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from studies.workloads import own

EXAMPLE = Path(__file__).parents[1] / "examples" / "own_workload"

#: A catalogue module with a workload `mine`; {} are more of its fields.
CATALOGUE = """
from dataclasses import replace
from studies.workloads import WORKLOADS
MINE = replace(
    WORKLOADS["digits-logistic"],
    **{{"name": "mine", "title": "Mine", "l2": 0.0, "implementation": "nowhere.model:IT", **{}}},
)
"""


def pip_install_example(folder: Path) -> Path:
    """Install the example with pip, from a copy since that leaves files beside the source; return where it lies."""
    shutil.copytree(EXAMPLE, folder / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    options = ["--no-deps", "--no-build-isolation", "--target", str(folder / "site"), str(folder / "source")]
    subprocess.run([*command, *options], check=True)
    return folder / "site"


def lay_down(folder: Path, package: str, entries: Mapping[str, str], **modules: str) -> Path:
    """Write a package with these entry points and the sources of these modules, as pip would; return the folder."""
    metadata = folder / f"{package}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    points = [f"{name} = {value}" for name, value in entries.items()]
    (metadata / "entry_points.txt").write_text("\n".join([f"[{own.GROUP}]", *points]))
    for name, source in {"__init__": "", **modules}.items():
        path = folder / package / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    return folder


@contextmanager
def installed(*folders: Path, allowed: str = "") -> Iterator[None]:
    """Have what lies in these folders importable and these modules allowed; afterwards nothing of it is left."""
    with pytest.MonkeyPatch.context() as patch:
        for folder in folders:
            patch.syspath_prepend(str(folder))
        patch.setenv("ADAM_STUDIES_WORKLOAD_MODULES", allowed)
        try:
            yield
        finally:
            own.load_registered.cache_clear()
            own._load_allowed.cache_clear()
            for name, module in list(sys.modules.items()):
                file = getattr(module, "__file__", None)
                if file and any(Path(file).is_relative_to(folder) for folder in folders):
                    del sys.modules[name]
