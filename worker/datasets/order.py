"""A fixed order of examples that keeps the classes' shares everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SEED = 0


def stratified_order(labels: NDArray[Any]) -> NDArray[np.intp]:
    """A fixed order of the examples in which every stretch has about the classes' shares of the whole.

    Each example is placed at its rank, in a random order of its class, divided by the class's size.

    Args:
        labels: [n]
    """
    random = np.random.RandomState(_SEED)  # its stream is frozen: the same order under every numpy
    places = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        places[members] = (random.permutation(len(members)) + random.random_sample(len(members))) / len(members)
    return np.argsort(places)
