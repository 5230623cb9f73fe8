"""From the files of a data set, or from nothing, to the arrays that workers train on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies.data_files import DATA_FILES
from worker.datasets.cache import Arrays, kept_arrays
from worker.datasets.cifar10 import read_cifar10
from worker.datasets.imdb import read_imdb
from worker.datasets.mnist import read_mnist
from worker.datasets.order import stratified_order
from worker.datasets.synthetic import synthetic_cifar_10, synthetic_imdb, synthetic_mnist
from worker.datasets.whitening import Whitening
from worker.datasets.words import N_WORDS, bags, vocabulary


@dataclass(frozen=True)
class Preparation:
    """How the arrays of a data set are made.

    For both parts, train and test: {part}_inputs [n, F] float32 or, of bags of words, {part}_starts [n + 1] int64 and
    {part}_words int32, each bag's in ascending order; and {part}_labels [n] int64.
    """

    version: int  #: to be raised with every change of the arrays, real or synthetic
    real: Callable[[Path], Arrays]  #: from the data folder
    synthetic: Callable[[], Arrays]


def prepared_arrays(name: str, source: str, data_dir: Path, cache_dir: Path) -> Arrays:
    """The arrays of a data set, prepared once per cache.

    Args:
        name: of the data set.
        source: real or synthetic.
        data_dir: where its files lie.
        cache_dir: where the arrays are kept.

    Raises:
        DataError: a file is missing, unreadable or not the original, or the arrays cannot be kept.
    """
    preparation = PREPARATIONS[name]
    folder = f"{name}-{source}-v{preparation.version}"
    if source == "synthetic":
        return kept_arrays(cache_dir / folder, preparation.synthetic)
    return kept_arrays(cache_dir / f"{folder}-{_made_from(name, data_dir)}", lambda: preparation.real(data_dir))


def _made_from(name: str, data_dir: Path) -> str:
    """What tells one content of the data set from another; files that are not yet prepared are still to be checked."""
    dataset = DATA_FILES[name]
    root, marks = dataset.tree_root(data_dir), [dataset.identity]
    if dataset.tree is not None and root is not None:
        for folder in dataset.tree.folders:
            if (root / folder).is_dir():
                found = ((path, path.stat()) for path in sorted(dataset.tree.files(root, folder).values()))
                marks += [f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in found]
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:16]


def prepare_mnist(data_dir: Path) -> Arrays:
    """MNIST with grey levels in [0, 1]."""
    raw = read_mnist(data_dir)
    return {
        "train_inputs": raw.train_inputs / np.float32(raw.scale),
        "train_labels": raw.train_labels.astype(np.int64),
        "test_inputs": raw.test_inputs / np.float32(raw.scale),
        "test_labels": raw.test_labels.astype(np.int64),
    }


def prepare_cifar_10(data_dir: Path) -> Arrays:
    """CIFAR-10, whitened by what its 50,000 training images say alone."""
    raw = read_cifar10(data_dir)
    whitening = Whitening.fit(raw.train_inputs)
    return {
        "train_inputs": whitening.apply(raw.train_inputs),
        "train_labels": raw.train_labels.astype(np.int64),
        "test_inputs": whitening.apply(raw.test_inputs),
        "test_labels": raw.test_labels.astype(np.int64),
    }


def prepare_imdb(data_dir: Path) -> Arrays:
    """IMDB as bags of the words that are most frequent in its training reviews, in a fixed order that mixes labels."""
    raw = read_imdb(data_dir)
    words = vocabulary(raw.train_texts, N_WORDS)
    arrays: dict[str, NDArray[Any]] = {}
    halves = {"train": (raw.train_texts, raw.train_labels), "test": (raw.test_texts, raw.test_labels)}
    for part, (texts, labels) in halves.items():
        order = stratified_order(labels)
        starts, found = bags([texts[index] for index in order], words)
        arrays |= {f"{part}_starts": starts, f"{part}_words": found, f"{part}_labels": labels[order].astype(np.int64)}
    return arrays


PREPARATIONS: Mapping[str, Preparation] = {
    "mnist": Preparation(1, prepare_mnist, synthetic_mnist),
    "cifar-10": Preparation(1, prepare_cifar_10, synthetic_cifar_10),
    "imdb": Preparation(1, prepare_imdb, synthetic_imdb),
}
