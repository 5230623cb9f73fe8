"""Whether a lane's numbers are the same, bit for bit, at each place of a block and with any mates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from adam_core.randomness import Purpose, stream
from studies.spec import StudySpec
from worker.array_plan import ArrayPlan, Lane, build_array
from worker.datasets.registry import Dataset
from worker.training import EVALUATION_CHUNK


def keeps_lanes_identical(spec: StudySpec, data: Dataset, width: int) -> bool:
    """Whether a lane's numbers in blocks of this width are the same, bit for bit, at each place and with any mates.

    They might not be: a library may treat the edges of a product or the tail of a vector differently. The check trains
    some steps and evaluates, with all sizes of batches that the study meets: first with the same lane at all places,
    then at some places with other mates, one of which diverges.
    """
    defaults = spec.optimizer_entry.defaults
    lane = {**defaults, "alpha": 0.01}
    everywhere = _numbers(spec, data, [lane] * width)
    expected = everywhere[:, 0]
    if not torch.equal(everywhere, expected[:, None].expand_as(everywhere)):
        return False
    for place in {0, width // 2, width - 1}:
        lanes: list[Mapping[str, float]] = [{**defaults, "alpha": 0.02 + 0.01 * mate} for mate in range(width)]
        lanes[place - 1] = {**defaults, "alpha": 1e38}  # overflows at once
        lanes[place] = lane
        if not torch.equal(_numbers(spec, data, lanes)[:, place], expected):
            return False
    return True


def plan_of_one_block(spec: StudySpec, lanes: Sequence[Mapping[str, float]]) -> ArrayPlan:
    """A plan with one lane of the first seed for each of these hyperparameters."""
    block = tuple(Lane(trial, 0, hyperparameters) for trial, hyperparameters in enumerate(lanes))
    return ArrayPlan.of(spec, block, block_width=len(block))


def _numbers(spec: StudySpec, data: Dataset, lanes: Sequence[Mapping[str, float]]) -> Tensor:
    """Losses, errors and parameters of one block after some steps: [numbers, width]."""
    plan = plan_of_one_block(spec, lanes)
    n_train, size = plan.n_train, plan.batch_size
    parts = [data.train.part(0, n_train), data.train.part(n_train, plan.workload_entry.n_train), data.test]
    array = build_array(plan, data.device, data.dtype)
    first, last = data.train.part(0, size), data.train.part(n_train - (n_train % size or size), n_train)
    for number, examples in enumerate((first, last, first), start=1):
        array.step(number, {0: array.prepare(examples, _noise, training=True)})
    sizes = {min(EVALUATION_CHUNK, len(part)) for part in parts} | {len(part) % EVALUATION_CHUNK for part in parts}
    if plan.workload_entry.online:
        sizes.add(size)  # what is played is evaluated before every step
    chunks = [array.prepare(data.train.part(0, n), _noise, training=False) for n in sorted(sizes - {0})]
    losses = [array.losses(chunk) for chunk in chunks]
    parameters = [layer.flatten(1).t() for layer in array.parameters()]
    return torch.cat([*(sums.cpu() for sums in losses), array.penalty().cpu()[None], *parameters])


def _noise(layer: int) -> np.random.Generator:
    return stream(0, 0, Purpose.TRAINING_NOISE, layer=layer)
