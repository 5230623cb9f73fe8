"""Examples of which most inputs are 0: bags of words."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SparseExamples:
    """Examples of F inputs, most of them 0, and their labels; `from_csr` checks and makes them.

    The entries of example i, its inputs that are stored, are starts[i] ... ends[i] - 1. Parts and batches share the
    entries of the whole data set.
    """

    n_features: int  #: F
    longest: int  #: no example has more entries
    starts: Tensor  #: [n] int64, of each example, its first entry
    ends: Tensor  #: [n] int64, the entry after its last
    features: Tensor  #: [entries] int32, ascending within an example
    values: Tensor  #: [entries], in the model's dtype
    labels: Tensor  #: [n] int64, 0 or 1

    @classmethod
    def from_csr(
        cls, row_starts: Tensor, features: Tensor, values: Tensor, labels: Tensor, n_features: int
    ) -> SparseExamples:
        """Examples from a matrix [n, F] in compressed sparse row format.

        Args:
            row_starts: [n + 1] int64, from 0 to the number of entries; row i ends where row i + 1 starts.
            features: [entries] int32, the columns, ascending within a row.
            values: [entries], in the model's dtype.
            labels: [n] int64, 0 or 1.
            n_features: F.

        Raises:
            ValueError: they are not such a matrix.
        """
        _check_types(row_starts, features, values, labels)
        _check_rows(row_starts, len(labels), len(features))
        _check_features(row_starts, features, n_features)
        _check_labels(labels)
        starts, ends = row_starts[:-1], row_starts[1:]
        longest = int((ends - starts).max()) if len(labels) else 0
        return cls(n_features, longest, starts, ends, features, values, labels)

    def __len__(self) -> int:
        """n, the number of examples."""
        return self.labels.shape[0]

    @property
    def device(self) -> torch.device:
        """Where they lie."""
        return self.values.device

    @property
    def dtype(self) -> torch.dtype:
        """Of the inputs."""
        return self.values.dtype

    def part(self, start: int, stop: int) -> SparseExamples:
        """The examples start ... stop - 1, or up to the last one, not copied."""
        return self._of(self.starts[start:stop], self.ends[start:stop], self.labels[start:stop])

    def gather(self, rows: Tensor) -> SparseExamples:
        """The examples of these indices; their entries are not copied."""
        return self._of(*(tensor.index_select(0, rows) for tensor in (self.starts, self.ends, self.labels)))

    def _of(self, starts: Tensor, ends: Tensor, labels: Tensor) -> SparseExamples:
        return SparseExamples(self.n_features, self.longest, starts, ends, self.features, self.values, labels)


def _check_types(row_starts: Tensor, features: Tensor, values: Tensor, labels: Tensor) -> None:
    wanted = {"row_starts": torch.int64, "features": torch.int32, "labels": torch.int64}
    for (name, dtype), tensor in zip(wanted.items(), (row_starts, features, labels), strict=True):
        if tensor.dtype != dtype or tensor.ndim != 1:
            raise ValueError(f"{name} must be {dtype} of one axis, got {tensor.dtype} of shape {tuple(tensor.shape)}")
    if not values.is_floating_point() or values.shape != features.shape:
        raise ValueError(
            f"values must be a floating point number for each of the {len(features)} features, "
            f"got {values.dtype} of shape {tuple(values.shape)}"
        )


def _check_rows(row_starts: Tensor, n: int, n_entries: int) -> None:
    if len(row_starts) != n + 1:
        raise ValueError(f"row_starts must have one number more than the {n} labels, got {len(row_starts)}")
    first, last = int(row_starts[0]), int(row_starts[-1])
    if (first, last) != (0, n_entries):
        raise ValueError(f"row_starts must run from 0 to {n_entries}, the number of features, got {first} to {last}")
    falls = (row_starts.diff() < 0).nonzero()
    if len(falls):
        row = int(falls[0])
        raise ValueError(f"row_starts must not fall, got {row_starts[row : row + 2].tolist()} at row {row}")


def _check_features(row_starts: Tensor, features: Tensor, n_features: int) -> None:
    outside = features[(features < 0) | (features >= n_features)]
    if len(outside):
        raise ValueError(f"features must be in [0, {n_features}), got {int(outside[0])}")
    ascends = features.diff() > 0
    inner = row_starts[(row_starts > 0) & (row_starts < len(features))]
    ascends[inner - 1] = True  # from one row's last to the next one's first
    falls = (~ascends).nonzero()
    if len(falls):
        entry = int(falls[0])
        raise ValueError(f"features of a row must ascend, got {features[entry : entry + 2].tolist()} at entry {entry}")


def _check_labels(labels: Tensor) -> None:
    others = labels[(labels != 0) & (labels != 1)]
    if len(others):
        raise ValueError(f"labels must be 0 or 1, got {int(others[0])}")
