"""What the readers of data sets return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RawDataset:
    """A data set as it lies on disk; features are numbers from 0 to `scale`.

    Validation examples, where a study holds some out, are the last of the training examples.
    """

    train_inputs: NDArray[Any]  #: [n_train, F]
    train_labels: NDArray[np.integer[Any]]  #: [n_train]
    test_inputs: NDArray[Any]  #: [n_test, F]
    test_labels: NDArray[np.integer[Any]]  #: [n_test]
    scale: float  #: the value that becomes 1
    best_fixed_cost: float | None = None  #: of an online problem: the mean cost of the best fixed point in hindsight


@dataclass(frozen=True)
class RawReviews:
    """Texts and their labels, in the order of the files."""

    train_texts: list[str]  #: [n_train]
    train_labels: NDArray[np.integer[Any]]  #: [n_train]
    test_texts: list[str]  #: [n_test]
    test_labels: NDArray[np.integer[Any]]  #: [n_test]
