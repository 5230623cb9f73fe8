"""What a data set's reader returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RawDataset:
    """A data set as it lies on disk; features are integers from 0 to `scale`.

    Validation examples, where a study holds some out, are the last of the training examples.
    """

    train_inputs: NDArray[Any]  #: [n_train, F]
    train_labels: NDArray[np.integer[Any]]  #: [n_train]
    test_inputs: NDArray[Any]  #: [n_test, F]
    test_labels: NDArray[np.integer[Any]]  #: [n_test]
    scale: float  #: the value that becomes 1
