"""What lies on disk is told, and a workload without its data is refused before anything is written."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from studies import data_status
from studies.data_files import DataFile
from studies.data_status import require_data
from studies.errors import DataError
from studies.settings import Settings

FILES = (
    DataFile("first.gz", 5, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),  # sha256 of hello
    DataFile("second.gz", 5, "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7"),  # of world
)


@pytest.fixture
def small_mnist(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings whose MNIST is two files of five bytes, both present."""
    monkeypatch.setattr(data_status, "DATA_FILES", {"mnist": FILES})
    folder = settings.home / "data" / "mnist"
    folder.mkdir(parents=True)
    (folder / "first.gz").write_text("hello")
    (folder / "second.gz").write_text("world")
    return replace(settings, data_dir=settings.home / "data")


def states(settings: Settings) -> tuple[str, list[str]]:
    found = next(one for one in data_status.data_status(settings) if one.name == "mnist")
    return found.state, [file.state for file in found.files]


def test_present_in_its_folder_or_in_the_data_folder_itself(small_mnist: Settings) -> None:
    assert states(small_mnist) == ("present", ["present", "present"])
    require_data(small_mnist, "mnist-logistic")
    (small_mnist.data_dir / "mnist" / "first.gz").rename(small_mnist.data_dir / "first.gz")
    assert states(small_mnist) == ("present", ["present", "present"])


@pytest.mark.parametrize(
    ("content", "state", "whole"),
    [(None, "missing", "missing"), ("hell", "truncated", "corrupt"), ("HELLO", "corrupt", "corrupt")],
)
def test_what_is_wrong_is_told(small_mnist: Settings, content: str | None, state: str, whole: str) -> None:
    file = small_mnist.data_dir / "mnist" / "first.gz"
    file.unlink()
    if content is not None:
        file.write_text(content)
    assert states(small_mnist) == (whole, [state, "present"])
    with pytest.raises(DataError) as caught:
        require_data(small_mnist, "mnist-logistic")
    assert str(caught.value) == (
        f"mnist-logistic needs the data set mnist in {file.parent}, which lacks the original first.gz ({state}): "
        "put the files there, or set ADAM_STUDIES_DATA to the folder that has mnist/"
    )
    assert caught.value.exit_code == 2


def test_a_folder_in_a_files_place(small_mnist: Settings) -> None:
    file = small_mnist.data_dir / "mnist" / "first.gz"
    file.unlink()
    file.mkdir()
    assert states(small_mnist) == ("corrupt", ["unreadable", "present"])


def test_what_a_package_carries_is_never_missing(settings: Settings) -> None:
    digits = next(one for one in data_status.data_status(settings) if one.name == "digits")
    assert (digits.state, digits.folder, digits.workloads) == ("built in", None, ("digits-logistic",))
    require_data(settings, "digits-logistic")


def test_other_machines_have_their_own_data(settings: Settings) -> None:
    elsewhere = replace(settings, data_dir=Path("/nowhere"))
    with pytest.raises(DataError):
        require_data(elsewhere, "mnist-logistic")
    require_data(replace(elsewhere, broker_url="redis://other/0"), "mnist-logistic")
    require_data(replace(elsewhere, database_url="postgresql+psycopg://other/studies"), "mnist-logistic")


@pytest.mark.skipif("ADAM_STUDIES_DATA" not in os.environ, reason="the real MNIST lies nowhere")
def test_the_real_mnist_is_whole(settings: Settings) -> None:
    assert states(settings) == ("present", ["present"] * 4)
