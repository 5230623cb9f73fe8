"""Whitened images: contrast normalisation of each image, then zero-phase whitening fitted on the training images.

As the CIFAR-10 of pylearn2 (Goodfellow et al. 2013, `make_cifar10_gcn_whitened.py`), which Maxout networks
(Goodfellow et al. 2013, section 5.2) made the usual one; ZCA is that of Krizhevsky 2009, appendix A.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

_SCALE = 55.0  #: the norm of an image after contrast normalisation
_SQRT_BIAS = 10.0  #: added to the square of an image's norm, which a flat image's would otherwise be blown up from
_FILTER_BIAS = 0.1  #: added to the covariance's eigenvalues, so that the smallest are not blown up
_CHUNK = 5_000  #: images that are float64 at a time


@dataclass(frozen=True)
class Whitening:
    """What images are shifted and turned by."""

    mean: NDArray[np.float64]  #: [F]
    matrix: NDArray[np.float32]  #: [F, F], symmetric

    @classmethod
    def fit(cls, images: NDArray[Any]) -> Whitening:
        """What makes the covariance of these images, once their contrast is normalised, about the identity.

        An eigenvalue v of the covariance becomes v / (v + 0.1).

        Args:
            images: [n, F], the training images.
        """
        n, n_pixels = images.shape
        with threadpool_limits(1):  # sums never depend on the number of cores
            mean = sum(chunk.sum(axis=0) for chunk in _chunks(images)) / n
            covariance = np.zeros((n_pixels, n_pixels))
            for chunk in _chunks(images):
                chunk -= mean
                covariance += chunk.T @ chunk
            values, vectors = np.linalg.eigh(covariance / n)
            matrix = (vectors / np.sqrt(values + _FILTER_BIAS)) @ vectors.T
        return cls(mean, matrix.astype(np.float32))

    def apply(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """The whitened images.

        Args:
            images: [n, F], their values as they lie on disk.
        """
        with threadpool_limits(1):
            return np.concatenate([(chunk - self.mean).astype(np.float32) @ self.matrix for chunk in _chunks(images)])


def _chunks(images: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """The images in their order, some at a time, each less its mean and brought to about the same norm."""
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK].astype(np.float64)
        chunk -= chunk.mean(axis=1, keepdims=True)
        chunk *= _SCALE / np.sqrt(_SQRT_BIAS + np.square(chunk).sum(axis=1, keepdims=True))
        yield chunk
