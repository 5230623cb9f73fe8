from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from worker.datasets.words import N_WORDS

N_EXAMPLES = 200


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few examples of every data set, as `load_inputs` reads them."""
    folder = tmp_path_factory.mktemp("inputs")
    rng = np.random.default_rng(0)
    present = rng.random((N_EXAMPLES, N_WORDS)) < 0.01
    reviews, words = np.nonzero(present)
    arrays: dict[str, NDArray[Any]] = {
        "mnist-inputs": rng.random((N_EXAMPLES, 784), dtype=np.float32),
        "mnist-labels": rng.integers(0, 10, N_EXAMPLES),
        "cifar-10-inputs": rng.random((N_EXAMPLES, 3, 32, 32), dtype=np.float32),
        "cifar-10-labels": rng.integers(0, 10, N_EXAMPLES),
        "imdb-inputs": present.astype(np.float32),
        "imdb-labels": rng.integers(0, 2, N_EXAMPLES),
        "imdb-words": words,
        "imdb-starts": np.searchsorted(reviews, np.arange(N_EXAMPLES + 1)),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return folder
