"""What lies on disk is told, and a workload without its data is refused before anything is written."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from studies import data_digests
from studies.data_digests import Digests
from studies.data_status import DatasetStatus, data_status, dataset_status, require_data
from studies.errors import DataError
from studies.settings import Settings
from tests.small_data import (
    BATCHES,
    described,
    flipped,
    put_into_table,
    reviews,
    use_small_cifar10,
    use_small_imdb,
    write_tree,
)


@pytest.fixture
def empty(settings: Settings) -> Settings:
    """Settings whose data folder is empty."""
    (settings.home / "data").mkdir(parents=True)
    return replace(settings, data_dir=settings.home / "data")


@pytest.fixture
def small_mnist(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings whose MNIST is two files of five bytes, both present."""
    contents = {"first.gz": b"hello", "second.gz": b"world"}
    put_into_table(monkeypatch, "mnist", layouts=(tuple((described(*item),) for item in contents.items()),))
    folder = empty.data_dir / "mnist"
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return empty


def states(status: DatasetStatus) -> tuple[str, list[str]]:
    return status.state, [file.state for file in status.files]


def test_present_in_its_folder_or_in_the_data_folder_itself(small_mnist: Settings) -> None:
    assert states(dataset_status(small_mnist, "mnist")) == ("present", ["present", "present"])
    require_data(small_mnist, "mnist-logistic", "real")
    (small_mnist.data_dir / "mnist" / "first.gz").rename(small_mnist.data_dir / "first.gz")
    status = dataset_status(small_mnist, "mnist")
    assert states(status) == ("present", ["present", "present"])
    assert [file.n_bytes for file in status.files] == [5, 5]


@pytest.mark.parametrize(
    ("content", "state", "whole"),
    [(None, "missing", "missing"), ("hell", "truncated", "corrupt"), ("HELLO", "corrupt", "corrupt")],
)
def test_what_is_wrong_is_told(small_mnist: Settings, content: str | None, state: str, whole: str) -> None:
    file = small_mnist.data_dir / "mnist" / "first.gz"
    file.unlink()
    if content is not None:
        file.write_text(content)
    assert states(dataset_status(small_mnist, "mnist")) == (whole, [state, "present"])
    with pytest.raises(DataError) as caught:
        require_data(small_mnist, "mnist-logistic", "real")
    assert str(caught.value) == (
        f"mnist-logistic needs the data set mnist in {file.parent}, which lacks the original first.gz ({state}): run "
        "`adam-studies data fetch mnist`, or set ADAM_STUDIES_DATA to the folder that has mnist/, or submit it with "
        "`data: synthetic`"
    )
    assert caught.value.exit_code == 2
    require_data(small_mnist, "mnist-logistic", "synthetic")


def test_a_folder_in_a_files_place(small_mnist: Settings) -> None:
    file = small_mnist.data_dir / "mnist" / "first.gz"
    file.unlink()
    file.mkdir()
    assert states(dataset_status(small_mnist, "mnist")) == ("corrupt", ["unreadable", "present"])


def test_what_a_package_carries_is_never_missing(settings: Settings) -> None:
    digits = next(one for one in data_status(settings) if one.name == "digits")
    assert (digits.state, digits.folder, digits.files) == ("built in", None, ())
    assert "digits-logistic" in digits.workloads
    require_data(settings, "digits-logistic", "real")


def test_other_machines_have_their_own_data(empty: Settings) -> None:
    with pytest.raises(DataError):
        require_data(empty, "mnist-logistic", "real")
    require_data(replace(empty, broker_url="redis://other/0"), "mnist-logistic", "real")
    require_data(replace(empty, database_url="postgresql+psycopg://other/studies"), "mnist-logistic", "real")


# The forms of the other data sets


def put(folder: Path, contents: dict[str, bytes], *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(contents[name])


def test_nothing_of_cifar10(empty: Settings) -> None:
    status = dataset_status(empty, "cifar-10")
    assert (status.state, status.wrong) == ("missing", "cifar-10-python.tar.gz (missing)")
    with pytest.raises(DataError, match=r"run `adam-studies data fetch cifar-10`"):
        require_data(empty, "cifar10-cnn", "real")


def test_cifar10_in_any_form(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = use_small_cifar10(monkeypatch)
    put(empty.data_dir / "cifar-10" / "cifar-10-batches-py", contents, *BATCHES[:3])
    status = dataset_status(empty, "cifar-10")
    assert status.state == "missing" and status.wrong.startswith("data_batch_4 (missing), data_batch_5 (missing), ")
    put(empty.data_dir, contents, *(f"{name}.xz" for name in BATCHES[3:]))
    status = dataset_status(empty, "cifar-10")
    assert states(status) == ("present", ["present"] * 6)
    assert [file.path.parent for file in status.files[::5]] == [
        empty.data_dir / "cifar-10" / "cifar-10-batches-py",
        empty.data_dir,
    ]
    (empty.data_dir / "test_batch.xz").write_bytes(flipped(contents["test_batch.xz"]))
    assert dataset_status(empty, "cifar-10").wrong == "test_batch.xz (corrupt)"
    put(empty.data_dir / "cifar-10", contents, "cifar-10-python.tar.gz")
    assert [file.name for file in dataset_status(empty, "cifar-10").files] == ["cifar-10-python.tar.gz"]
    require_data(empty, "cifar10-cnn", "real")


def test_imdb_in_any_form(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = use_small_imdb(monkeypatch)
    assert dataset_status(empty, "imdb").wrong == "aclImdb_v1.tar.gz (missing)"
    write_tree(empty.data_dir / "imdb" / "aclImdb", reviews())
    assert states(dataset_status(empty, "imdb")) == ("present", ["present"])
    (empty.data_dir / "imdb" / "aclImdb" / "train" / "pos" / "1_8.txt").unlink()
    assert dataset_status(empty, "imdb").wrong == "aclImdb (truncated)"
    with pytest.raises(DataError, match=r"which lacks the original aclImdb \(truncated\)"):
        require_data(empty, "imdb-logistic", "real")
    put(empty.data_dir / "imdb", {"aclImdb_v1.tar.gz": archive}, "aclImdb_v1.tar.gz")
    assert dataset_status(empty, "imdb").files[0].name == "aclImdb_v1.tar.gz"
    require_data(empty, "imdb-logistic", "real")


# Digests


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were hashed; those of a kilobyte are large."""
    monkeypatch.setattr(data_digests, "_REMEMBERED_BYTES", 1_000)
    names: list[str] = []
    file_digest = hashlib.file_digest

    def counted(file: object, algorithm: str) -> object:
        names.append(Path(file.name).name)  # type: ignore[attr-defined]
        return file_digest(file, algorithm)  # type: ignore[arg-type]

    monkeypatch.setattr("hashlib.file_digest", counted)
    return names


def test_large_files_are_hashed_once_by_all_processes(tmp_path: Path, hashed: list[str]) -> None:
    large, small = tmp_path / "large", tmp_path / "small"
    large.write_bytes(b"a" * 2_000)
    small.write_bytes(b"a" * 20)
    for _ in range(2):
        digests = Digests(tmp_path / "cache")
        assert digests.sha256(large) == described("", b"a" * 2_000).sha256
        assert digests.sha256(small) == described("", b"a" * 20).sha256
    assert hashed == ["large"]


def write_later(file: Path, content: bytes) -> None:
    later = file.stat().st_mtime_ns + 1
    file.write_bytes(content)
    os.utime(file, ns=(later, later))


@pytest.mark.parametrize(
    "change",
    [
        lambda file: write_later(file, b"b" * 2_000),
        lambda file: file.write_bytes(b"b" * 2_001),
        lambda file: os.utime(file, ns=(0, 0)),
        lambda file: (file.parent / "cache" / "digests.json").write_text("{"),
        lambda file: (file.parent / "cache" / "digests.json").write_text('{"a": 3}'),
        lambda file: (file.parent / "cache" / "digests.json").unlink(),
    ],
)
def test_a_file_is_hashed_again_when_anything_changed(
    change: Callable[[Path], object], tmp_path: Path, hashed: list[str]
) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"a" * 2_000)
    digests = Digests(tmp_path / "cache")
    digests.sha256(file)
    change(file)
    assert digests.sha256(file) == described("", file.read_bytes()).sha256
    assert hashed == ["large"] * 2


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path, hashed: list[str]) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "large").write_bytes(b"a" * 2_000)
    for _ in range(2):
        digest = Digests(tmp_path / "file" / "cache").sha256(tmp_path / "large")
        assert digest == described("", b"a" * 2_000).sha256
    assert hashed == ["large"] * 2


# The real data


@pytest.mark.skipif("ADAM_STUDIES_DATA" not in os.environ, reason="the real data lie nowhere")
def test_the_real_data_are_whole_and_looked_at_quickly(settings: Settings) -> None:
    first = data_status(settings)
    assert {one.state for one in first if one.folder is not None} == {"present"}
    began = time.perf_counter()
    assert data_status(settings) == first
    assert time.perf_counter() - began < 0.5
