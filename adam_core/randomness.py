"""Counter-based randomness: every draw is a function of what it is for, never of what was drawn before it.

So a replicate sees the same initial weights and the same order of examples in every trial, array, slice and restart.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_WORD = 2**64  #: Philox4x64 has a key of two such words and a counter of four


class Purpose(IntEnum):
    """What a stream is for. The numbers are part of every study's results: never change one."""

    INITIAL_WEIGHTS = 1
    ORDER = 2
    TRAINING_NOISE = 3
    EVALUATION_NOISE = 4


def stream(
    study_seed: int, replicate: int, purpose: Purpose, *, epoch: int = 0, step: int = 0, layer: int = 0
) -> np.random.Generator:
    """The stream of random numbers of one purpose at one place of one replicate.

    Philox is keyed by (study_seed, replicate) and its counter starts at (0, step, epoch, purpose and layer): draws
    advance the first word alone, so that no two streams overlap.

    Args:
        study_seed: the study's seed, in [0, 2**64).
        replicate: the replicate's index, from 0.
        purpose: what the numbers are for.
        epoch: pass over the data, from 1 (0: before the first).
        step: update within the epoch.
        layer: the layer's index.

    Raises:
        ValueError: one of them is outside of its range.
    """
    for name, value, end in (
        ("study_seed", study_seed, _WORD),
        ("replicate", replicate, _WORD),
        ("epoch", epoch, _WORD),
        ("step", step, _WORD),
        ("layer", layer, 2**32),
    ):
        if not 0 <= value < end:
            raise ValueError(f"{name} must be in [0, {end}), got {value}")
    counter = np.array([0, step, epoch, (int(purpose) << 32) | layer], dtype=np.uint64)
    key = np.array([study_seed, replicate], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(counter=counter, key=key))


def epoch_order(study_seed: int, replicate: int, epoch: int, n_examples: int) -> NDArray[np.int64]:
    """The order in which a replicate sees its training examples in an epoch: a permutation, [n_examples]."""
    return stream(study_seed, replicate, Purpose.ORDER, epoch=epoch).permutation(n_examples)
