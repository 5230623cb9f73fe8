"""Small stand-ins for the data sets' files, in a table of files that holds their checksums."""

import gzip
import hashlib
import io
import lzma
import pickle
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from studies.data_files import DATA_FILES, DataFile, DatasetFiles

N_IMAGES = 4  #: of a batch
N_PIXELS = 48  #: of an image
BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
N_REVIEWS = 3  #: of each side of each half
SIDES = ("train/pos", "train/neg", "test/pos", "test/neg")


def described(name: str, content: bytes, *urls: str) -> DataFile:
    """Return the table's entry of a file of this content."""
    return DataFile(name, len(content), hashlib.sha256(content).hexdigest(), urls)


def put_into_table(monkeypatch: pytest.MonkeyPatch, name: str, **changes: Any) -> DatasetFiles:
    """Change a data set's entry of the table until the test ends."""
    entry = replace(DATA_FILES[name], **changes)
    monkeypatch.setitem(cast(dict[str, DatasetFiles], DATA_FILES), name, entry)
    return entry


def use_small_mnist(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Make files of as many images as MNIST's, all black, the originals; return the files' contents."""
    files = {}
    for part, n in (("train", 60_000), ("t10k", 10_000)):
        labels = (np.arange(n) % 10).astype(np.uint8)
        for name, values in ((f"{part}-images-idx3", np.zeros((n, 28, 28), np.uint8)), (f"{part}-labels-idx1", labels)):
            header = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
            files[f"{name}-ubyte.gz"] = gzip.compress(header + values.tobytes(), compresslevel=1, mtime=0)
    layout = tuple((described(name, content),) for name, content in files.items())
    put_into_table(monkeypatch, "mnist", layouts=(layout,))
    return files


def use_small_cifar10(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Make small batches the originals; return the files' contents: plain batches, packed ones and the archive."""
    random = np.random.RandomState(0)
    plain = {name: _batch(random) for name in BATCHES}
    packed = {f"{name}.xz": lzma.compress(content, preset=0) for name, content in plain.items()}
    archive = packed_tar("gz", {f"cifar-10-batches-py/{name}": content for name, content in plain.items()})
    parts = tuple((described(name, plain[name]), described(f"{name}.xz", packed[f"{name}.xz"])) for name in BATCHES)
    archive_file = described("cifar-10-python.tar.gz", archive)
    put_into_table(monkeypatch, "cifar-10", layouts=(((archive_file,),), parts))
    return {**plain, **packed, "cifar-10-python.tar.gz": archive}


def use_small_imdb(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Make an archive of 12 reviews the original, and such a folder whole; return the archive."""
    files = {f"aclImdb/{name}": text.encode() for name, text in reviews().items()}
    archive = packed_tar("gz", {"aclImdb/README": b"about", "aclImdb/train/unsup/0_0.txt": b"unused", **files})
    tree = DATA_FILES["imdb"].tree
    assert tree is not None
    put_into_table(
        monkeypatch,
        "imdb",
        layouts=(((described("aclImdb_v1.tar.gz", archive),),),),
        tree=replace(tree, n_files=N_REVIEWS, digests={side: _digest(side) for side in SIDES}),
    )
    return archive


def _digest(side: str) -> str:
    """The sha256 of the sha256 of one side's reviews, which stand in the order of their numbers."""
    texts = (text for name, text in reviews().items() if name.startswith(f"{side}/"))
    return hashlib.sha256(b"".join(hashlib.sha256(text.encode()).digest() for text in texts)).hexdigest()


def reviews() -> dict[str, str]:
    """Return the texts of 12 reviews by their paths."""
    return {
        f"{side}/{number}_{8 if side.endswith('pos') else 2}.txt": f"{side[-3:]} review {number}, <br />a naïve FILM's"
        for side in SIDES
        for number in range(N_REVIEWS)
    }


def write_tree(root: Path, texts: Mapping[str, str]) -> None:
    """Write files below a folder."""
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")


def packed_tar(compression: str, files: Mapping[str, bytes]) -> bytes:
    """Return a tar of files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=f"w:{compression}") as tar:  # type: ignore[call-overload]  # a mode it knows
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def flipped(content: bytes) -> bytes:
    """Return the same but for one bit in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _batch(random: np.random.RandomState) -> bytes:
    """A batch as numpy's first version pickled it."""
    images = random.randint(0, 256, (N_IMAGES, N_PIXELS)).astype(np.uint8)
    labels = random.randint(0, 10, N_IMAGES).tolist()
    return pickle.dumps({b"data": images, b"labels": labels}, protocol=3).replace(b"numpy._core.", b"numpy.core.")
