"""Synthetic data of the real sets' shapes, sizes and sparsity, made from a fixed seed; a fixed teacher labels them.

What a model learns of them is the teacher, so losses fall; how far and how fast says nothing about the real data.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.datasets.cache import Arrays
from worker.datasets.words import N_WORDS

_SEED = 0

_N_FACTORS = 16  #: of which an image is a mixture, and which the teacher looks at
_N_CLASSES = 10
_SIDE = 4  #: of the squares of equal pixels that a factor's pattern is made of

#: Word r of the vocabulary is drawn in proportion to 1 / (4 + r), and lengths vary log-normally. So the real training
#: reviews' average, 129 distinct words, is met, and the shares of reviews that have a word about so.
_WORDS_PER_REVIEW, _FIRST_RANK, _SPREAD = 162, 4, 0.5


def synthetic_mnist() -> Arrays:
    """60,000 and 10,000 images [n, 784] in [0, 1], a fifth of the pixels not 0."""
    images, labels = _images(70_000, 1, 28, noise=0.3)
    np.clip(2 * (images - 0.88), 0, 1, out=images)
    return _halves(images, labels, 60_000)


def synthetic_cifar_10() -> Arrays:
    """50,000 and 10,000 images [n, 3072] of mean 0 and standard deviation 0.52, as the whitened ones."""
    images, labels = _images(60_000, 3, 32, noise=0.8)
    images *= 0.52
    return _halves(images, labels, 50_000)


def synthetic_imdb() -> Arrays:
    """25,000 and 25,000 bags of the 10,000 words, as sparse as the real ones, half of each positive."""
    rng = np.random.default_rng(_SEED)
    teacher = rng.standard_normal(N_WORDS)
    arrays: dict[str, NDArray[np.generic]] = {}
    for part in ("train", "test"):
        words, starts = draw_reviews(rng, 25_000)
        scores = np.add.reduceat(teacher[words], starts[:-1])
        arrays[f"{part}_starts"], arrays[f"{part}_words"] = starts, words.astype(np.int32)
        arrays[f"{part}_labels"] = (scores > np.median(scores)).astype(np.int64)
    return arrays


def draw_reviews(rng: np.random.Generator, n_reviews: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All reviews' distinct words, ascending in a review, and where each review's words begin, [n + 1].

    Args:
        rng: what they are drawn from.
        n_reviews: n, each of one word at least.
    """
    frequencies = 1 / (_FIRST_RANK + np.arange(N_WORDS))
    lengths = _WORDS_PER_REVIEW * rng.lognormal(-(_SPREAD**2) / 2, _SPREAD, n_reviews)
    reviews = np.repeat(np.arange(n_reviews), lengths.astype(np.int64) + 1)
    words = rng.choice(N_WORDS, len(reviews), p=frequencies / frequencies.sum())
    pairs = np.sort(reviews * N_WORDS + words)  # np.unique takes ten times as long
    reviews, words = np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], N_WORDS)
    return words, np.searchsorted(reviews, np.arange(n_reviews + 1))


def _images(n: int, channels: int, size: int, noise: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Images [n, channels · size²] of pixels of mean 0 and variance 1, and their labels.

    Args:
        n: how many.
        channels: of an image.
        size: its height and width.
        noise: standard deviation of what no factor explains, in [0, 1).
    """
    rng = np.random.default_rng(_SEED)
    factors = rng.standard_normal((n, _N_FACTORS), dtype=np.float32)
    teacher = rng.standard_normal((_N_FACTORS, _N_CLASSES))
    labels = np.argmax(factors @ (teacher / np.linalg.norm(teacher, axis=0)), axis=1)
    coarse = rng.standard_normal((_N_FACTORS, channels, size // _SIDE, size // _SIDE), dtype=np.float32)
    patterns = np.kron(coarse, np.ones((1, 1, _SIDE, _SIDE), np.float32)).reshape(_N_FACTORS, -1)
    patterns *= np.sqrt((1 - noise**2) / np.square(patterns).sum(axis=0))
    images = rng.standard_normal((n, channels * size**2), dtype=np.float32)
    images *= np.float32(noise)
    images += factors @ patterns
    return images, labels


def _halves(images: NDArray[np.float32], labels: NDArray[np.int64], n_train: int) -> Arrays:
    return {
        "train_inputs": images[:n_train],
        "train_labels": labels[:n_train],
        "test_inputs": images[n_train:],
        "test_labels": labels[n_train:],
    }
