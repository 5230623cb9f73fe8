"""Synthetic data are as sparse as the real ones, the same everywhere, and can be learned."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from worker.datasets.cache import Arrays
from worker.datasets.synthetic import draw_reviews, synthetic_cifar_10, synthetic_imdb, synthetic_mnist
from worker.datasets.words import N_WORDS


def test_synthetic_reviews_are_as_sparse_as_imdb() -> None:
    """The real training reviews hold 129 distinct words of the 10,000 on average, 107 in the median."""
    words, starts = draw_reviews(np.random.default_rng(0), 25_000)
    lengths = np.diff(starts)
    assert starts[0] == 0 and starts[-1] == len(words) and lengths.min() > 0
    assert lengths.mean() == pytest.approx(129, rel=0.05)
    assert np.median(lengths) == pytest.approx(107, rel=0.15)
    assert all(np.diff(words[starts[review] : starts[review + 1]]).min() > 0 for review in range(100))
    assert np.array_equal(draw_reviews(np.random.default_rng(0), 25_000)[0], words)


def test_synthetic_mnist_is_as_sparse_as_mnist() -> None:
    """Of the real training pixels 19 % are not 0, and the mean is 0.13."""
    arrays = synthetic_mnist()
    inputs = arrays["train_inputs"]
    assert (inputs.min(), inputs.max()) == (0.0, 1.0) and inputs.dtype == np.float32
    assert (inputs != 0).mean() == pytest.approx(0.19, abs=0.02) and inputs.mean() == pytest.approx(0.13, abs=0.02)
    assert np.bincount(arrays["train_labels"]).min() > 1_000
    assert held_out_error(arrays["train_inputs"], arrays["train_labels"]) < 0.6  # chance: 0.9


def test_synthetic_imdb_can_be_learned() -> None:
    arrays = synthetic_imdb()
    assert np.bincount(arrays["train_labels"]).tolist() == np.bincount(arrays["test_labels"]).tolist() == [12_500] * 2
    bags = np.zeros((4_000, N_WORDS), np.float32)
    starts = arrays["train_starts"][:4_001]
    bags[np.repeat(np.arange(4_000), np.diff(starts)), arrays["train_words"][: starts[-1]]] = 1
    assert held_out_error(bags[:, :1_000], arrays["train_labels"]) < 0.4  # chance: 0.5


@pytest.mark.slow
def test_synthetic_cifar10_is_as_large_as_the_whitened_one() -> None:
    arrays: Arrays = synthetic_cifar_10()
    assert arrays["train_inputs"].std() == pytest.approx(0.52, abs=0.01)
    assert np.bincount(arrays["train_labels"]).min() > 1_000
    assert held_out_error(arrays["train_inputs"], arrays["train_labels"]) < 0.6  # chance: 0.9


def held_out_error(images: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The share of 1,000 examples that 50 steps of softmax regression on 3,000 others leave wrong."""
    inputs, targets = torch.from_numpy(images[:4_000]), torch.from_numpy(labels[:4_000])
    weights = torch.zeros(inputs.shape[1], 10, requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=0.01)
    for _ in range(50):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(inputs[:3_000] @ weights, targets[:3_000]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return float(((inputs[3_000:] @ weights).argmax(dim=1) != targets[3_000:]).float().mean())
