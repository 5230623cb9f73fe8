"""CIFAR-10 and IMDB are read from every form in which they may lie, and refused by one line unless whole."""

import hashlib
import lzma
import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from studies.errors import DataError
from tests.small_data import (
    BATCHES,
    N_IMAGES,
    N_PIXELS,
    N_REVIEWS,
    SIDES,
    flipped,
    reviews,
    use_small_cifar10,
    use_small_imdb,
    write_tree,
)
from worker.datasets.cifar10 import read_cifar10, unpickle
from worker.datasets.imdb import read_imdb

needs_data = pytest.mark.skipif("ADAM_STUDIES_DATA" not in os.environ, reason="the real data lie nowhere")

FORMS = {
    "plain": BATCHES,
    "xz": tuple(f"{name}.xz" for name in BATCHES),
    "mixed": ("data_batch_1", *(f"{name}.xz" for name in BATCHES[1:])),
    "archive": ("cifar-10-python.tar.gz",),
}
FOLDERS = ("cifar-10/cifar-10-batches-py", "cifar-10", "cifar-10-batches-py", ".")


def write(folder: Path, contents: Mapping[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def refusal(read: Callable[[Path], object], data_dir: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(data_dir)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("form", FORMS)
def test_cifar10_in_every_form(form: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = use_small_cifar10(monkeypatch)
    write(tmp_path / folder, {name: contents[name] for name in FORMS[form]})
    raw = read_cifar10(tmp_path)
    third = unpickle(contents["data_batch_3"])
    assert raw.train_inputs.shape == (5 * N_IMAGES, N_PIXELS) and raw.train_inputs.dtype == np.uint8
    assert np.array_equal(raw.train_inputs[2 * N_IMAGES : 3 * N_IMAGES], third[b"data"])
    assert raw.train_labels[2 * N_IMAGES : 3 * N_IMAGES].tolist() == third[b"labels"]
    assert np.array_equal(raw.test_inputs, unpickle(contents["test_batch"])[b"data"])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content, other: content[:100], "is truncated: 100 bytes of {n}; expected is sha256 {sha}"),
        (lambda content, other: flipped(content), "is corrupt or not the original: {n} bytes (of {n}), sha256 "),
        (lambda content, other: other, "holds what belongs into data_batch_4; expected is sha256 {sha}"),
        (lambda content, other: b"", "is truncated: 0 bytes of {n}; expected is sha256 {sha}"),
    ],
)
def test_a_damaged_batch_is_refused_by_name(
    damage: Callable[[bytes, bytes], bytes], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = use_small_cifar10(monkeypatch)
    folder = write(tmp_path / "cifar-10", {name: contents[name] for name in BATCHES})
    content = contents["data_batch_2"]
    write(folder, {"data_batch_2": damage(content, contents["data_batch_4"])})
    told = message.format(n=len(content), sha=hashlib.sha256(content).hexdigest())
    assert refusal(read_cifar10, tmp_path).startswith(f"{folder}/data_batch_2 {told}")


def test_a_missing_batch_is_named_with_the_command_that_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = use_small_cifar10(monkeypatch)
    write(tmp_path, {name: contents[name] for name in BATCHES if name != "test_batch"})
    told = refusal(read_cifar10, tmp_path)
    assert told.startswith(f"CIFAR-10's file test_batch is missing from {tmp_path}/cifar-10 and ")
    assert "run `adam-studies data fetch cifar-10`" in told


def test_the_archive_serves_where_single_batches_are_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = use_small_cifar10(monkeypatch)
    write(tmp_path, {name: flipped(contents[name]) for name in BATCHES})
    write(tmp_path / "cifar-10", {"cifar-10-python.tar.gz": contents["cifar-10-python.tar.gz"]})
    assert len(read_cifar10(tmp_path).train_labels) == 5 * N_IMAGES


def test_a_truncated_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = use_small_cifar10(monkeypatch)["cifar-10-python.tar.gz"]
    write(tmp_path, {"cifar-10-python.tar.gz": archive[:-10]})
    told = f"{tmp_path}/cifar-10-python.tar.gz is truncated: {len(archive) - 10} bytes of {len(archive)}; "
    assert refusal(read_cifar10, tmp_path).startswith(told)


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("evil",)


@pytest.mark.parametrize("content", [{b"data": _Evil()}, {b"data": np.array([_Evil()], dtype=object)}])
def test_a_batch_can_call_nothing(
    content: dict[bytes, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    packed = pickle.dumps(content, protocol=3).replace(b"numpy._core.", b"numpy.core.")
    with pytest.raises(DataError, match=r"^a CIFAR-10 batch must hold arrays only, got (posix|nt)\.mkdir$"):
        unpickle(packed)
    assert not list(tmp_path.iterdir())


def test_nothing_is_unpickled_before_its_checksum_matched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = use_small_cifar10(monkeypatch)
    write(tmp_path, {**{name: contents[name] for name in BATCHES}, "data_batch_5": pickle.dumps(_Evil())})
    monkeypatch.chdir(tmp_path)
    assert "data_batch_5 is truncated" in refusal(read_cifar10, tmp_path)
    assert not (tmp_path / "evil").exists()


@needs_data
def test_a_real_batch_is_the_published_one() -> None:
    """Its md5, as on Krizhevsky's page, is that of the plain file whose sha256 the table holds."""
    folder = Path(os.environ["ADAM_STUDIES_DATA"]) / "cifar-10" / "cifar-10-batches-py"
    content = lzma.decompress((folder / "test_batch.xz").read_bytes())
    assert hashlib.md5(content).hexdigest() == "40351d587109b95175f43aff81a1287e"
    assert hashlib.sha256(content).hexdigest() == "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831"
    batch = unpickle(content)
    assert batch[b"labels"][:5] == [3, 8, 8, 0, 6]  # cat, ship, ship, airplane, frog: as every reader shows them
    assert np.bincount(batch[b"labels"]).tolist() == [1000] * 10 and batch[b"data"].shape == (10_000, 3072)


# IMDB


def put_archive(data_dir: Path, archive: bytes) -> None:
    write(data_dir / "imdb", {"aclImdb_v1.tar.gz": archive})


@pytest.mark.parametrize("folder", ["imdb", "."])
def test_imdb_from_archive_and_folder_alike(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = use_small_imdb(monkeypatch)
    write(tmp_path / "packed" / folder, {"aclImdb_v1.tar.gz": archive})
    write_tree(tmp_path / "single" / folder / "aclImdb", reviews())
    packed, single = read_imdb(tmp_path / "packed"), read_imdb(tmp_path / "single")
    texts = [text for name, text in reviews().items() if name.startswith("train")]
    assert packed.train_texts == single.train_texts == texts
    assert packed.test_texts == single.test_texts
    assert packed.train_labels.tolist() == packed.test_labels.tolist() == [1] * N_REVIEWS + [0] * N_REVIEWS


def test_an_archive_goes_before_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = use_small_imdb(monkeypatch)
    write_tree(tmp_path / "aclImdb", reviews())
    put_archive(tmp_path, flipped(archive))
    told = f"{tmp_path}/imdb/aclImdb_v1.tar.gz is corrupt or not the original: {len(archive)} bytes"
    assert refusal(read_imdb, tmp_path).startswith(told)


def test_missing_imdb(tmp_path: Path) -> None:
    told = f"IMDB's file aclImdb_v1.tar.gz is missing from {tmp_path}/imdb and {tmp_path}: put the original files there"
    assert refusal(read_imdb, tmp_path).startswith(told)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda review: review.unlink(), "{root} is not the whole data set: test/neg holds 2 files of 3, number 1 is "),
        (lambda review: review.rename(review.with_name("7_2.txt")), "{root} is not the whole data set: test/neg holds"),
        (lambda review: review.with_name("3_2.txt").write_text("more"), "{root} is not the whole data set: test/neg "),
        (lambda review: review.with_name("1_9.txt").write_text("good"), "{root} is not the whole data set: test/neg "),
        (lambda review: review.rename(review.with_name("1_9.txt")), "{root} is not the whole data set: test/neg "),
        (lambda review: review.write_bytes(b""), "{root}/test/neg/1_2.txt is empty; expected is a review"),
        (lambda review: review.write_bytes(b" \n"), "{root}/test/neg/1_2.txt is empty; expected is a review"),
        (lambda review: review.write_bytes(b"na\xefve"), "{root}/test/neg/1_2.txt is not UTF-8: invalid continuation"),
        (lambda review: review.write_bytes(review.read_bytes()[:9]), "{root}/test/neg does not hold the original revi"),
        (
            lambda review: review.write_bytes(review.with_name("0_2.txt").read_bytes()),
            "{root}/test/neg does not hold the original reviews: the digest of its files is ",
        ),
        (lambda review: (review.unlink(), review.mkdir()), "{root}/test/neg/1_2.txt cannot be read: Is a directory"),
        (lambda review: review.parent.rename(review.parent.with_name("no")), "{root} is not the whole data set: test/"),
    ],
)
def test_a_damaged_folder_is_refused_by_name(
    damage: Callable[[Path], object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_small_imdb(monkeypatch)
    root = tmp_path / "imdb" / "aclImdb"
    write_tree(root, reviews())
    damage(root / "test" / "neg" / "1_2.txt")
    assert refusal(read_imdb, tmp_path).startswith(message.format(root=root))
    assert set(SIDES) == {name.rpartition("/")[0] for name in reviews()}
