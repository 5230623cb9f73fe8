"""Training one trial at a time with PyTorch alone: the usual way, and every way to make it faster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.inputs import load_inputs
from benchmarks.machine import n_cores
from benchmarks.processes import Step, Way
from benchmarks.shapes import BATCH_SIZE, CHANNELS_LAST, DENSE, SHAPES, Shape

USUAL = "usual way"

_ADAM: Mapping[str, Mapping[str, bool]] = {"loop": {}, "foreach": {"foreach": True}, "fused": {"fused": True}}


@dataclass(frozen=True)
class Rival:
    """A way to write the training of one trial.

    Args:
        data: a shuffling DataLoader, or index gathers from tensors in memory.
        adam: the implementation of torch.optim.Adam; "loop", over the parameters, is its default on a CPU.
        form: of the model, one of the shape's.
    """

    data: Literal["DataLoader", "gathers"]
    adam: str
    form: str

    def __str__(self) -> str:
        """What the table calls it."""
        return f"{self.data}, {self.adam}, {self.form}"


def rival_ways(shape: Shape, folder: Path, device: torch.device) -> list[Way]:
    """The usual way, first, and the others.

    On a CPU one process has a thread for each core, or each core has a process. Forms other than the usual one are
    taken with the fused Adam, which is the fastest. On a GPU one process trains, from data on the device, and the usual
    way is what is fast there: gathers and the fused Adam.

    Args:
        shape: what to train.
        folder: of the data.
        device: where to train.
    """
    form, *others = shape.forms
    if device.type == "cuda":
        splits = [(1, 1)]
        usual = Rival("gathers", "fused", form)
        rivals = [Rival("gathers", "foreach", form)]
        rivals += [Rival("gathers", "fused", other) for other in others if other == CHANNELS_LAST]
    else:
        splits = [(1, n_cores()), (n_cores(), 1)]
        usual = Rival("DataLoader", "loop", form)
        rivals = [Rival("gathers", adam, form) for adam in ("foreach", "fused")]
        rivals += [Rival("gathers", "fused", other) for other in others]
    ways = [(f"{USUAL}: {usual}", usual, splits[0])]
    ways += [(str(rival), rival, split) for rival in rivals for split in splits]
    return [
        Way(f"{name}, {split[0]} x {split[1]}", *split, partial(rival_step, shape.name, rival, folder, device))
        for name, rival, split in ways
    ]


def rival_step(shape_name: str, rival: Rival, folder: Path, device: torch.device) -> Step:
    """A step of one trial: batch, forward, backward and update; loss values stay where they are."""
    shape = SHAPES[shape_name]
    torch.manual_seed(0)
    module = shape.forms[rival.form]().to(device)
    if rival.form == CHANNELS_LAST:
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    adam = torch.optim.Adam(module.parameters(), lr=1e-3, weight_decay=shape.l2, **_ADAM[rival.adam])  # type: ignore[arg-type]
    batches = _batches(rival, load_inputs(shape.dataset, folder), device)

    def step() -> float:
        batch = next(batches)
        adam.zero_grad()
        shape.loss(module, batch).backward()  # type: ignore[no-untyped-call]
        adam.step()
        return 1

    return step


def _batches(rival: Rival, data: Mapping[str, Tensor], device: torch.device) -> Iterator[tuple[Tensor, ...]]:
    labels = data["labels"].float() if "words" in data else data["labels"]
    if rival.data == "DataLoader":
        return _loaded(data["inputs"], labels)
    if rival.form in (DENSE, CHANNELS_LAST):
        return _gathered(data["inputs"].to(device), labels.to(device), rival.form == CHANNELS_LAST)
    return _gathered_reviews(data["words"], data["starts"], labels)


def _loaded(inputs: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Epoch after epoch of a DataLoader, as a user writes it."""
    loader = DataLoader(TensorDataset(inputs, labels), batch_size=BATCH_SIZE, shuffle=True)
    while True:
        yield from loader


def _gathered(inputs: Tensor, labels: Tensor, channels_last: bool) -> Iterator[tuple[Tensor, ...]]:
    """Epoch after epoch of index gathers, into the same memory: fresh memory for large batches costs page faults."""
    if channels_last:
        inputs = inputs.permute(0, 2, 3, 1).contiguous()
    buffer = torch.empty_like(inputs[:BATCH_SIZE])
    while True:
        for rows in _shuffled(labels):
            batch = torch.index_select(inputs, 0, rows, out=buffer[: len(rows)])
            yield batch.permute(0, 3, 1, 2) if channels_last else batch, labels.index_select(0, rows)


def _gathered_reviews(words: Tensor, starts: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Epoch after epoch of batches (words, starts, lengths, labels)."""
    lengths = starts.diff()
    reviews = torch.split(words, lengths.tolist())
    while True:
        for rows in _shuffled(labels):
            batch_lengths = lengths.index_select(0, rows)
            batch = torch.cat([reviews[row] for row in rows.tolist()])
            yield batch, batch_lengths.cumsum(0) - batch_lengths, batch_lengths, labels.index_select(0, rows)


def _shuffled(labels: Tensor) -> Sequence[Tensor]:
    return torch.split(torch.randperm(len(labels), device=labels.device), BATCH_SIZE)
