"""README.md names every setting, command, workload, optimizer and preset, and nothing that does not exist."""

import re
from collections.abc import Iterator
from itertools import chain

import click
import pytest
import yaml

from studies.cli.main import main
from studies.optimizers import OPTIMIZERS
from studies.presets import PRESETS
from studies.spec import parse
from studies.workloads import WORKLOADS
from tests.architecture.sources import PACKAGES, ROOT, python_files

README = (ROOT / "README.md").read_text("utf-8")
SETTING = re.compile(r"ADAM_STUDIES_[A-Z_]*[A-Z]")
SETTINGS = sorted(set(SETTING.findall((ROOT / "studies" / "settings.py").read_text("utf-8"))))
#: What the compose file asks for besides the settings.
COMPOSE_VARIABLES = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "DASHBOARD_PORT")


def commands(group: click.Group, prefix: str = "") -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield prefix + name


def documented_commands() -> list[str]:
    """Return the commands of the README's table, `pause ID` as pause, `data status` as it stands."""
    section = README.split("## Commands", 1)[1].split("\n## ", 1)[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    quoted = chain.from_iterable(re.findall(r"`([^`]+)`", cell) for cell in cells)
    return [re.split(r" (?=[A-Z\[\"-])", text, maxsplit=1)[0] for text in quoted]


def test_every_command_is_documented_and_exists() -> None:
    assert sorted(documented_commands()) == sorted(commands(main))


@pytest.mark.parametrize("setting", SETTINGS)
def test_setting_is_documented(setting: str) -> None:
    assert f"| `{setting}` |" in README


def test_settings_are_read_in_one_place() -> None:
    """No file names a setting that studies/settings.py does not know."""
    files = [path for package in PACKAGES for path in python_files(package)]
    files += [ROOT / name for name in ("README.md", "docker-compose.yml", ".env.example", "Makefile")]
    unknown = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in SETTING.findall(path.read_text("utf-8"))
        if name not in SETTINGS
    }
    assert unknown == set()


@pytest.mark.parametrize("name", [*WORKLOADS, *OPTIMIZERS, *PRESETS])
def test_catalogue_entry_is_documented(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", COMPOSE_VARIABLES)
def test_compose_variable_is_documented(name: str) -> None:
    assert name in (ROOT / "docker-compose.yml").read_text("utf-8")
    assert name in (ROOT / ".env.example").read_text("utf-8")
    assert f"`{name}`" in README


def test_the_examples_are_valid_specs() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        parse(yaml.safe_load(block))
