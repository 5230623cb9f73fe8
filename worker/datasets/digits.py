"""The handwritten digits that scikit-learn carries (Alpaydin & Kaynak 1998, UCI): 1,797 images of 8 x 8 pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from worker.datasets.order import stratified_order
from worker.datasets.raw import RawDataset

N_TEST = 360
N_VALIDATION = 287


def read_digits(data_dir: Path) -> RawDataset:
    """1,437 training and 360 test images, [n, 64] from 0 to 16, in a fixed stratified split.

    The last 287 training images are stratified too, so that they can be held out for validation.

    Args:
        data_dir: not used: scikit-learn carries the data.
    """
    from sklearn.datasets import load_digits  # takes a second, which workers on other data need not wait

    inputs, labels = load_digits(return_X_y=True)
    test, validation, train = np.split(stratified_order(labels), [N_TEST, N_TEST + N_VALIDATION])
    train = np.concatenate([train, validation])
    return RawDataset(
        train_inputs=inputs[train],
        train_labels=labels[train],
        test_inputs=inputs[test],
        test_labels=labels[test],
        scale=16.0,
    )
