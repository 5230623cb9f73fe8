import re

import pytest
import torch
from torch import Tensor

from adam_core.models.sparse_examples import SparseExamples

F = 7
DENSE = torch.tensor(
    [
        [0, 0, 0, 0, 0, 0, 0],
        [1, 0, 2, 0, 0, 0, 3],
        [0, 0, 0, 4, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [5, 6, 7, 8, 9, 10, 11],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    dtype=torch.float32,
)
LABELS = torch.tensor([0, 1, 1, 0, 1, 0])
CSR = {
    "row_starts": torch.tensor([0, 0, 3, 4, 4, 11, 11]),
    "features": torch.tensor([0, 2, 6, 3, 0, 1, 2, 3, 4, 5, 6], dtype=torch.int32),
    "values": torch.arange(1.0, 12.0),
    "labels": LABELS,
}


def _dense(examples: SparseExamples) -> Tensor:
    rows = torch.zeros(len(examples), F, dtype=examples.dtype)
    for row, start, end in zip(rows, examples.starts.tolist(), examples.ends.tolist(), strict=True):
        row[examples.features[start:end].long()] = examples.values[start:end]
    return rows


def test_examples_are_the_rows_of_the_matrix() -> None:
    examples = SparseExamples.from_csr(**CSR, n_features=F)
    assert torch.equal(_dense(examples), DENSE)
    assert (len(examples), examples.longest, examples.dtype) == (6, 7, torch.float32)
    assert examples.device == torch.device("cpu")


@pytest.mark.parametrize("rows", [[4, 1, 1, 0], [2], [5, 4, 3, 2, 1, 0], []])
def test_gather_is_indexing(rows: list[int]) -> None:
    batch = SparseExamples.from_csr(**CSR, n_features=F).gather(torch.tensor(rows, dtype=torch.int64))
    assert torch.equal(_dense(batch), DENSE[rows])
    assert torch.equal(batch.labels, LABELS[rows])


def test_part_is_slicing_and_shares_memory() -> None:
    examples = SparseExamples.from_csr(**CSR, n_features=F)
    part = examples.part(1, 5)
    assert torch.equal(_dense(part), DENSE[1:5]) and torch.equal(part.labels, LABELS[1:5])
    assert part.values.data_ptr() == examples.values.data_ptr()
    assert len(examples.part(4, 9)) == 2
    assert torch.equal(_dense(part.gather(torch.tensor([3, 0]))), DENSE[[4, 1]])


def test_a_matrix_without_entries_is_one() -> None:
    nothing = torch.zeros(0)
    examples = SparseExamples.from_csr(torch.zeros(3, dtype=torch.int64), nothing.int(), nothing, LABELS[:2], F)
    assert torch.equal(_dense(examples), torch.zeros(2, F))


REFUSALS = {
    "one_start_too_few": (
        {"row_starts": CSR["row_starts"][:-1]},
        "row_starts must have one number more than the 6 labels, got 6",
    ),
    "entries_left_over": (
        {"row_starts": torch.tensor([0, 0, 3, 4, 4, 9, 9])},
        "row_starts must run from 0 to 11, the number of features, got 0 to 9",
    ),
    "falling": (
        {"row_starts": torch.tensor([0, 3, 0, 4, 4, 11, 11])},
        "row_starts must not fall, got [3, 0] at row 1",
    ),
    "outside": (
        {"features": torch.tensor([0, 2, 7, 3, 0, 1, 2, 3, 4, 5, 6], dtype=torch.int32)},
        "features must be in [0, 7), got 7",
    ),
    "negative": (
        {"features": torch.tensor([-1, 2, 6, 3, 0, 1, 2, 3, 4, 5, 6], dtype=torch.int32)},
        "features must be in [0, 7), got -1",
    ),
    "twice": (
        {"features": torch.tensor([0, 2, 2, 3, 0, 1, 2, 3, 4, 5, 6], dtype=torch.int32)},
        "features of a row must ascend, got [2, 2] at entry 1",
    ),
    "label": (
        {"labels": torch.tensor([0, 1, 2, 0, 1, 0])},
        "labels must be 0 or 1, got 2",
    ),
    "wide_starts": (
        {"row_starts": CSR["row_starts"].int()},
        "row_starts must be torch.int64 of one axis, got torch.int32 of shape (7,)",
    ),
    "wide_features": (
        {"features": CSR["features"].long()},
        "features must be torch.int32 of one axis, got torch.int64 of shape (11,)",
    ),
    "values": (
        {"values": torch.arange(1.0, 11.0)},
        "values must be a floating point number for each of the 11 features, got torch.float32 of shape (10,)",
    ),
    "counts": (
        {"values": torch.arange(1, 12)},
        "values must be a floating point number for each of the 11 features, got torch.int64 of shape (11,)",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_no_such_matrix_is_refused(case: str) -> None:
    wrong, message = REFUSALS[case]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        SparseExamples.from_csr(**{**CSR, **wrong}, n_features=F)
