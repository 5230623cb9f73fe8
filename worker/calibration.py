"""The width of a study's blocks and the lanes of a worker's arrays, by short measurements on the device at hand."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

import torch
from torch import Tensor

from adam_core.arrays.trial_array import TrialArray
from adam_core.models.stacked_model import Batch
from adam_core.randomness import Purpose, epoch_order, stream
from studies.spec import StudySpec
from worker.array_plan import build_array
from worker.datasets.registry import Dataset
from worker.device import device_kind, lanes_in_memory, use_one_thread
from worker.lane_identity import keeps_lanes_identical, plan_of_one_block
from worker.workloads.own import source_digest

#: Beyond these a block's numbers leave a CPU's caches, and fill a GPU.
_WIDEST = {"cpu": 64, "cuda": 1024}

_N_TIMINGS = 5  #: the fastest counts, since noise only ever adds time
_TIMING_SECONDS = 0.01  #: a timing takes at least so long
_ENOUGH_SECONDS = 0.5  #: no further timing once they have taken so long

#: Widths that take at most this much longer than the fastest count as equal; then the narrowest is taken, since arrays
#: of few lanes (small shares, pruned trials) fill narrow blocks better.
_FAST_ENOUGH = 1.02

#: Share of an array's time that may go to what all its lanes share: gathering a batch, recording an epoch.
_SHARED = 0.01
_RECORDING_SECONDS = 0.01  #: what recording an epoch takes
_STEP_SECONDS = 0.5  #: a step of the whole array, the grain of every reaction, takes at most so long


def choose_block_width(spec: StudySpec, data: Dataset) -> int:
    """The width of blocks with which a study trains fastest, of those that keep its lanes bit-identical.

    Takes some seconds at most. Widths are doubled until two in a row are no faster than the best.

    Args:
        spec: the study.
        data: the workload's data set, where it trains.

    Returns:
        A power of two, less than twice the number of trials, each of which has one lane per seed.
    """
    use_one_thread()
    seconds: dict[int, float] = {}
    for width in _widths(spec, data.device):
        try:
            seconds[width] = _block_seconds(spec, data, width) * -(-spec.n_trials // width)
        except (MemoryError, RuntimeError, ValueError):  # too wide for the memory, or for what the model can stack
            if not seconds:
                raise
            break
        if list(seconds).index(min(seconds, key=seconds.__getitem__)) < len(seconds) - 2:
            break
    enough = min(seconds.values()) * _FAST_ENOUGH
    by_choice = sorted(seconds, key=lambda width: (max(seconds[width], enough), width))
    return next(width for width in by_choice if _can_be_taken(spec, data, width))


def _can_be_taken(spec: StudySpec, data: Dataset, width: int) -> bool:
    """Whether blocks of this width keep their lanes identical; some models cannot be evaluated in wide ones (LSTM)."""
    try:
        return keeps_lanes_identical(spec, data, width) or width == 1
    except (MemoryError, RuntimeError, ValueError):
        if width == 1:
            raise
        return False


def choose_lanes(spec: StudySpec, data: Dataset, width: int) -> int:
    """K, the lanes of an array: as few as make what they share cheap, and as many as memory and a step's time allow.

    Takes a fraction of a second.

    Args:
        spec: the study.
        data: the workload's data set, where it trains.
        width: of the study's blocks.

    Returns:
        Whole blocks of each seed.
    """
    use_one_thread()
    block_seconds = _block_seconds(spec, data, width)
    n_steps = math.ceil(spec.n_train / spec.batch_size)
    per_batch = _batch_seconds(spec, data) / block_seconds
    per_epoch = _RECORDING_SECONDS / (n_steps * spec.n_seeds * block_seconds)
    wanted = math.ceil(max(per_batch, per_epoch) / _SHARED)
    in_time = int(_STEP_SECONDS / (spec.n_seeds * block_seconds))
    in_memory = lanes_in_memory(spec.workload, data.device) // (spec.n_seeds * width)
    in_study = -(-spec.n_trials // width)
    return max(1, min(wanted, in_time, in_memory, in_study)) * width * spec.n_seeds


def calibration_kind(spec: StudySpec, device: torch.device) -> str:
    """Name what a measurement holds for: studies of one kind share their block width, and so their bits."""
    entry = spec.workload_entry
    trained = spec.workload if entry.implementation is None else f"own workload {source_digest(entry)}"
    return (
        f"{trained}, {spec.data} data, {spec.optimizer} {list(spec.options.values())}, {spec.n_train} examples, "
        f"batch {spec.batch_size}, blocks up to {_widths(spec, device)[-1]}, {device_kind(device)}, "
        f"torch {torch.__version__}, numba {version('numba')}"
    )


def _widths(spec: StudySpec, device: torch.device) -> list[int]:
    powers = range(_WIDEST[device.type].bit_length())
    return [2**power for power in powers if 2**power < 2 * spec.n_trials]


def _block_seconds(spec: StudySpec, data: Dataset, width: int) -> float:
    """The time of a step of one block: forward, backward and update."""
    plan = plan_of_one_block(spec, [{**spec.optimizer_entry.defaults, "alpha": 0.01}] * width)
    array = build_array(plan, data.device, data.dtype)
    batches = {0: _batch(data, array, _rows(spec, data.device))}

    def step() -> None:
        array.step(1, batches)

    for _ in range(3):  # compiles kernels, captures graphs
        step()
    return _seconds(step, data.device)


def _batch_seconds(spec: StudySpec, data: Dataset) -> float:
    """The time of gathering a batch and drawing its noise."""
    array = build_array(plan_of_one_block(spec, [spec.optimizer_entry.defaults]), data.device, data.dtype)
    rows = _rows(spec, data.device)
    _batch(data, array, rows)
    return _seconds(partial(_batch, data, array, rows), data.device)


def _rows(spec: StudySpec, device: torch.device) -> Tensor:
    return torch.from_numpy(epoch_order(0, 0, 1, spec.n_train)[: spec.batch_size]).to(device)


def _batch(data: Dataset, array: TrialArray, rows: Tensor) -> Batch:
    examples = data.train.gather(rows)
    return array.prepare(examples, lambda layer: stream(0, 0, Purpose.TRAINING_NOISE, layer=layer), training=True)


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """The time that some work takes."""
    fastest, spent = math.inf, 0.0
    for _ in range(_N_TIMINGS):
        _wait_for(device)
        started, n_times, seconds = time.perf_counter(), 0, 0.0
        while seconds < _TIMING_SECONDS:
            work()
            n_times += 1
            _wait_for(device)
            seconds = time.perf_counter() - started
        fastest, spent = min(fastest, seconds / n_times), spent + seconds
        if spent > _ENOUGH_SECONDS:
            break
    return fastest


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
