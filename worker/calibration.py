"""The width of a study's blocks: measured once, on the device at hand, by the study's first claim."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from studies.spec import StudySpec
from worker.array_plan import ArrayPlan, Lane, build_array
from worker.datasets.registry import Dataset
from worker.device import device_kind, use_one_thread
from worker.training import EVALUATION_CHUNK

_WIDEST = 64
_N_TIMINGS = 5  #: of each width; the fastest counts, since noise only ever adds time
_TIMING_SECONDS = 0.01  #: a timing takes at least so long

#: Widths that take at most this much longer than the fastest count as equal; then the narrowest is taken, since arrays
#: of few lanes (small shares, pruned trials) fill narrow blocks better.
_FAST_ENOUGH = 1.1

_MATE = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
_DIVERGING = {**_MATE, "alpha": 1e38}  #: overflows at once


def choose_block_width(spec: StudySpec, data: Dataset) -> int:
    """The width of blocks with which a study trains fastest, of those that keep its lanes bit-identical.

    Takes about a second.

    Args:
        spec: the study.
        data: the workload's data set, where it trains.

    Returns:
        A power of two, at most 64 and less than twice the number of trials, each of which has one lane per seed.
    """
    use_one_thread()
    widths = _widths(spec)
    seconds = {width: _block_seconds(spec, data, width) * -(-spec.n_trials // width) for width in widths}
    enough = min(seconds.values()) * _FAST_ENOUGH
    by_choice = sorted(widths, key=lambda width: (max(seconds[width], enough), width))
    return next(width for width in by_choice if width == 1 or keeps_lanes_identical(spec, data, width))


def calibration_kind(spec: StudySpec, device: torch.device) -> str:
    """Name what a measurement holds for: studies of one kind share their block width, and so their bits."""
    return (
        f"{spec.workload}, {spec.optimizer} {sorted(spec.options.values())}, {spec.n_train} examples, "
        f"batch {spec.batch_size}, blocks up to {_widths(spec)[-1]}, {device_kind(device)}, torch {torch.__version__}"
    )


def keeps_lanes_identical(spec: StudySpec, data: Dataset, width: int) -> bool:
    """Whether a lane's numbers in blocks of this width are the same, bit for bit, at each place and with any mates.

    They might not be: a library may treat the edges of a product or the tail of a vector differently. The check trains
    some steps and evaluates, with all sizes of batches that the study meets: first with the same lane at all places,
    then at some places with other mates, one of which diverges.
    """
    lane = {**_MATE, "alpha": 0.01}
    everywhere = _numbers(spec, data, [lane] * width)
    expected = everywhere[:, 0]
    if not torch.equal(everywhere, expected[:, None].expand_as(everywhere)):
        return False
    for place in {0, width // 2, width - 1}:
        lanes: list[Mapping[str, float]] = [{**_MATE, "alpha": 0.02 + 0.01 * mate} for mate in range(width)]
        lanes[place - 1] = _DIVERGING
        lanes[place] = lane
        if not torch.equal(_numbers(spec, data, lanes)[:, place], expected):
            return False
    return True


def _widths(spec: StudySpec) -> list[int]:
    return [width for width in (1, 2, 4, 8, 16, 32, _WIDEST) if width < 2 * spec.n_trials]


def _numbers(spec: StudySpec, data: Dataset, lanes: Sequence[Mapping[str, float]]) -> Tensor:
    """Losses, errors and parameters of one block after some steps: [numbers, width]."""
    plan = _plan(spec, lanes)
    n_train, size = plan.n_train, plan.batch_size
    parts = [data.train.part(0, n_train), data.train.part(n_train, plan.workload_entry.n_train), data.test]
    array = build_array(plan, data.device, data.dtype)
    first, last = data.train.part(0, size), data.train.part(n_train - (n_train % size or size), n_train)
    for number, batch in enumerate((first, last, first), start=1):
        array.step(number, {0: batch})
    sizes = {min(EVALUATION_CHUNK, len(part)) for part in parts} | {len(part) % EVALUATION_CHUNK for part in parts}
    losses = [array.losses(data.train.part(0, n)) for n in sorted(sizes - {0})]
    parameters = [layer.flatten(1).t() for layer in array.parameters()]
    return torch.cat([*(sums.cpu() for sums in losses), array.penalty().cpu()[None], *parameters])


def _block_seconds(spec: StudySpec, data: Dataset, width: int) -> float:
    """The time of a step of one block."""
    plan = _plan(spec, [{**_MATE, "alpha": 0.01}] * width)
    array = build_array(plan, data.device, data.dtype)
    batches = {0: data.train.part(0, plan.batch_size)}
    array.step(1, batches)
    timings = []
    for _ in range(_N_TIMINGS):
        _wait_for(data.device)
        started, n_steps, seconds = time.perf_counter(), 0, 0.0
        while seconds < _TIMING_SECONDS:
            array.step(n_steps % plan.steps_per_epoch + 1, batches)
            n_steps += 1
            _wait_for(data.device)
            seconds = time.perf_counter() - started
        timings.append(seconds / n_steps)
    return min(timings)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _plan(spec: StudySpec, lanes: Sequence[Mapping[str, float]]) -> ArrayPlan:
    """A plan of one block."""
    block = tuple(Lane(trial, 0, hyperparameters) for trial, hyperparameters in enumerate(lanes))
    return ArrayPlan.of(spec, block, block_width=len(block))
