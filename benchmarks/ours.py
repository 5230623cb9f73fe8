"""Training trial arrays as a worker does: gather, prepare and step; evaluation and bookkeeping apart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import torch

from adam_core.arrays.trial_array import TrialArray
from adam_core.models.examples import DenseExamples, Examples
from adam_core.models.sparse_examples import SparseExamples
from adam_core.models.stacked_model import Batch, Draw
from adam_core.randomness import Purpose, epoch_order, stream
from benchmarks.inputs import load_inputs
from benchmarks.machine import n_cores
from benchmarks.processes import Step, Way
from benchmarks.shapes import BATCH_SIZE, SHAPES
from studies.spec import StudySpec
from worker.array_plan import ArrayPlan, Lane, build_array
from worker.calibration import choose_block_width, choose_lanes
from worker.datasets.registry import Dataset
from worker.datasets.words import N_WORDS
from worker.device import use_one_thread
from worker.training import steps_together

OURS = "ours"


def choose_array(shape_name: str, folder: Path, device: torch.device) -> tuple[int, int]:
    """The block width and the lanes K with which a worker would train a study of this workload, all else default."""
    data = _dataset(shape_name, folder, device)
    spec = _spec(shape_name)
    width = choose_block_width(spec, data)
    return width, choose_lanes(spec, data, width)


def our_way(shape_name: str, width: int, n_lanes: int, folder: Path, device: torch.device) -> Way:
    """One worker for each core of a CPU, or one for the GPU."""
    processes = 1 if device.type == "cuda" else n_cores()
    build = partial(our_step, shape_name, width, n_lanes, folder, device)
    return Way(f"{OURS}, {processes} x 1", processes, 1, build)


def our_step(shape_name: str, width: int, n_lanes: int, folder: Path, device: torch.device) -> Step:
    """A step of all lanes of an array, of as many seeds as a study has."""
    _, steps = training(shape_name, width, n_lanes, _spec(shape_name).n_seeds, folder, device)
    return lambda: n_lanes * next(steps)


def training(
    shape_name: str, width: int, n_lanes: int, n_seeds: int, folder: Path, device: torch.device
) -> tuple[TrialArray, Iterator[int]]:
    """An array, and its training: each item is some steps of all lanes, counted."""
    use_one_thread()
    spec, train = _spec(shape_name), _dataset(shape_name, folder, device).train
    lanes = tuple(Lane(lane // n_seeds, lane % n_seeds, {}) for lane in range(n_lanes))
    array = build_array(ArrayPlan.of(spec, lanes, width), device, torch.float32)
    return array, _steps(array, train)


def one_block(shape_name: str, width: int, folder: Path, device: torch.device) -> tuple[TrialArray, Batch]:
    """An array of one block of one seed, and a batch to train on."""
    use_one_thread()
    spec, train = _spec(shape_name), _dataset(shape_name, folder, device).train
    lanes = tuple(Lane(lane, 0, {}) for lane in range(width))
    array = build_array(ArrayPlan.of(spec, lanes, width), device, torch.float32)
    rows = torch.from_numpy(epoch_order(0, 0, 1, len(train))[:BATCH_SIZE]).to(device)
    return array, array.prepare(train.gather(rows), _noise(0, 1, 0), training=True)


def _steps(array: TrialArray, train: Examples) -> Iterator[int]:
    """What `worker.training` does between the ends of epochs."""
    number, together = 0, 1
    for epoch in count(1):
        orders = {seed: epoch_order(0, seed, epoch, len(train)) for seed in array.seeds}
        chosen = {
            seed: torch.split(torch.from_numpy(order).to(train.device), BATCH_SIZE) for seed, order in orders.items()
        }
        step, n_steps = 0, -(-len(train) // BATCH_SIZE)
        while step < n_steps:
            before, stop = time.perf_counter(), min(step + together, n_steps)
            batches = [
                {
                    seed: array.prepare(train.gather(rows[at]), _noise(seed, epoch, at), training=True)
                    for seed, rows in chosen.items()
                }
                for at in range(step, stop)
            ]
            array.steps(number + 1, batches)
            together = steps_together((time.perf_counter() - before) / (stop - step))
            number += stop - step
            yield stop - step
            step = stop


def _noise(seed: int, epoch: int, step: int) -> Draw:
    return lambda layer: stream(0, seed, Purpose.TRAINING_NOISE, epoch=epoch, step=step, layer=layer)


def _spec(shape_name: str) -> StudySpec:
    return StudySpec(name="benchmark", workload=shape_name, optimizer="adam", batch_size=BATCH_SIZE)


def _dataset(shape_name: str, folder: Path, device: torch.device) -> Dataset:
    arrays = {name: tensor.to(device) for name, tensor in load_inputs(SHAPES[shape_name].dataset, folder).items()}
    train: Examples
    if "words" in arrays:
        words = arrays["words"].int()
        values = torch.ones(len(words), device=device)
        train = SparseExamples.from_csr(arrays["starts"], words, values, arrays["labels"], N_WORDS)
    else:
        train = DenseExamples(arrays["inputs"], arrays["labels"])
    return Dataset(train=train, test=train.part(0, 10_000))
