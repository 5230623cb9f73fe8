"""The Large Movie Review Dataset v1.0 (Maas et al. 2011), from its archive or its unpacked folder aclImdb."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from studies.data_files import DATA_FILES, DataTree
from studies.errors import DataError
from worker.datasets.originals import read_originals
from worker.datasets.raw import RawReviews

_POSITIVE = 1


def read_imdb(data_dir: Path) -> RawReviews:
    """25,000 training and 25,000 test reviews, half of each positive (label 1) and half negative (0), by their numbers.

    Args:
        data_dir: the data folder.

    Raises:
        DataError: a file is missing, unreadable, or not the original.
    """
    dataset = DATA_FILES["imdb"]
    tree = dataset.tree
    assert tree is not None, "the data set may lie in a folder"
    root = dataset.tree_root(data_dir)
    if root is not None:
        return _reviews(tree, dict(_from_folder(root, tree)))
    ((name, archive),) = read_originals(data_dir, "imdb").items()
    return _reviews(tree, dict(_from_archive(name, archive, tree)))


def _from_folder(root: Path, tree: DataTree) -> Iterator[tuple[tuple[str, int], str]]:
    """The reviews by folder and number."""
    problem = tree.problem(root)
    if problem is not None:
        raise DataError(f"{root} is not the whole data set: {problem}")
    for folder in tree.folders:
        digests = {}
        for number, path in tree.files(root, folder).items():
            try:
                content = path.read_bytes()
            except OSError as error:
                raise DataError(f"{path} cannot be read: {error.strerror}; expected is a review") from None
            digests[number] = hashlib.sha256(content).digest()
            yield (folder, number), _text(content, str(path))
        found = hashlib.sha256(b"".join(digests[number] for number in sorted(digests))).hexdigest()
        if found != tree.digests[folder]:
            raise DataError(
                f"{root / folder} does not hold the original reviews: the digest of its files is {found}; "
                f"expected is {tree.digests[folder]}; unpack the archive anew"
            )


def _from_archive(name: str, archive: bytes, tree: DataTree) -> Iterator[tuple[tuple[str, int], str]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            folder, _, file_name = member.name.removeprefix(f"{tree.name}/").rpartition("/")
            match = re.fullmatch(tree.folders.get(folder, ""), file_name)
            file = tar.extractfile(member)
            if folder in tree.folders and match and file is not None:
                yield (folder, int(match[1])), _text(file.read(), f"{name}:{member.name}")


def _text(content: bytes, where: str) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not UTF-8: {error.reason} at byte {error.start}") from None
    if not text.strip():
        raise DataError(f"{where} is empty; expected is a review")
    return text


def _reviews(tree: DataTree, texts: dict[tuple[str, int], str]) -> RawReviews:
    def half(name: str) -> list[str]:
        return [texts[f"{name}/{side}", number] for side in ("pos", "neg") for number in range(tree.n_files)]

    labels = np.repeat(np.array([_POSITIVE, 1 - _POSITIVE]), tree.n_files)
    return RawReviews(train_texts=half("train"), train_labels=labels, test_texts=half("test"), test_labels=labels)
