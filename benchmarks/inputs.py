"""The data of the workloads: real where it is at hand, else synthetic arrays of the same shapes and sparsity."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from studies.errors import DataError
from studies.settings import Settings
from worker.datasets.registry import READERS

N_WORDS = 10_000  #: of IMDB's vocabulary

_N_REVIEWS = 25_000

#: Word r of the vocabulary is drawn in proportion to 1 / (4 + r), and lengths vary log-normally. So the real training
#: reviews' average, 129 distinct words, is met, and the shares of reviews that have a word about so.
_WORDS_PER_REVIEW, _FIRST_RANK, _SPREAD = 162, 4, 0.5


def write_inputs(dataset: str, folder: Path) -> bool:
    """Write the training examples as `load_inputs` reads them.

    Args:
        dataset: mnist, cifar-10 or imdb.
        folder: where to.

    Returns:
        Whether they are real.
    """
    arrays, real = _real(dataset), True
    if arrays is None:
        arrays, real = _SYNTHETIC[dataset](np.random.default_rng(0)), False
    for name, array in arrays.items():
        np.save(folder / f"{dataset}-{name}.npy", array)
    return real


def load_inputs(dataset: str, folder: Path) -> dict[str, Tensor]:
    """The training examples, in memory that all processes share.

    Returns:
        inputs [n, ...] float32 and labels [n] int64; of reviews also words, all reviews' distinct words, and starts,
        [n + 1], where each review's words begin, int64 both.
    """
    paths = {path.stem.removeprefix(f"{dataset}-"): path for path in folder.glob(f"{dataset}-*.npy")}
    tensors = {name: torch.from_numpy(np.load(path, mmap_mode="c")) for name, path in paths.items()}
    for tensor in tensors.values():
        tensor.sum()  # touches every page, so that none is missed while it is measured
    return tensors


def _real(dataset: str) -> Mapping[str, NDArray[np.generic]] | None:
    if dataset != "mnist":
        return None
    try:
        raw = READERS[dataset](Settings.from_environ().data_dir)
    except DataError:
        return None
    return {"inputs": (raw.train_inputs / np.float32(raw.scale)), "labels": raw.train_labels.astype(np.int64)}


def _mnist(rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    return _images(rng, 60_000, 784)


def _cifar_10(rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    return _images(rng, 50_000, 3, 32, 32)


def _images(rng: np.random.Generator, n: int, *shape: int) -> dict[str, NDArray[np.generic]]:
    return {"inputs": rng.random((n, *shape), dtype=np.float32), "labels": rng.integers(0, 10, n)}


def _imdb(rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    words, starts = draw_reviews(rng)
    inputs = np.zeros((_N_REVIEWS, N_WORDS), np.float32)
    inputs[np.repeat(np.arange(_N_REVIEWS), np.diff(starts)), words] = 1
    return {"inputs": inputs, "words": words, "starts": starts, "labels": rng.integers(0, 2, _N_REVIEWS)}


def draw_reviews(rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All reviews' distinct words, ascending in a review, and where each review's words begin, [n + 1]."""
    frequencies = 1 / (_FIRST_RANK + np.arange(N_WORDS))
    lengths = _WORDS_PER_REVIEW * rng.lognormal(-(_SPREAD**2) / 2, _SPREAD, _N_REVIEWS)
    reviews = np.repeat(np.arange(_N_REVIEWS), lengths.astype(np.int64) + 1)
    words = rng.choice(N_WORDS, len(reviews), p=frequencies / frequencies.sum())
    reviews, words = np.divmod(np.unique(reviews * N_WORDS + words), N_WORDS)
    return words, np.searchsorted(reviews, np.arange(_N_REVIEWS + 1))


_SYNTHETIC = {"mnist": _mnist, "cifar-10": _cifar_10, "imdb": _imdb}
