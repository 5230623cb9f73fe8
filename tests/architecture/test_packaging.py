"""A wheel holds what the running code needs: every package, and every file beside the code that it reads."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

from tests.architecture.sources import PACKAGES, ROOT

TOOL = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
NOT_INSTALLED = {"Dockerfile"}


def files_of(package: str) -> list[Path]:
    return [path for path in (ROOT / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def test_every_folder_of_code_is_a_package() -> None:
    """setuptools leaves folders without __init__.py out of the wheel, and an editable install hides that."""
    folders = {path.parent for package in PACKAGES for path in files_of(package) if path.suffix == ".py"}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []
    assert set(TOOL["packages"]["find"]["include"]) == {f"{package}*" for package in PACKAGES}


def test_every_other_file_is_package_data() -> None:
    left_out = []
    for package in PACKAGES:
        patterns = TOOL["package-data"].get(package, [])
        for path in files_of(package):
            name = path.relative_to(ROOT / package).as_posix()
            if path.suffix != ".py" and path.name not in NOT_INSTALLED:
                if not any(fnmatch(name, pattern) for pattern in patterns):
                    left_out.append(f"{package}/{name}")
    assert left_out == []


def test_package_data_exists() -> None:
    for package, patterns in TOOL["package-data"].items():
        for pattern in patterns:
            assert list((ROOT / package).glob(pattern)), f"no file {package}/{pattern}"
