"""Trial arrays: many lanes of one model, trained together.

A lane's numbers depend on its seed, its hyperparameters and the block width alone, bit for bit: not on K, on its
mates, on its place or on when it was moved. Lanes stand in blocks of one seed and of one fixed width, so that every
operation sees the same shapes; the places left over are frozen lanes, which compute but never move.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from adam_core.lane_updates import FROZEN, TABLE_STEPS, LaneUpdates
from adam_core.layers import Examples, StackedModel

#: Of one lane, each layer's parameters and the tensors of its optimizer state (none: zeros), each of the layer's shape.
LaneTensors = Sequence[Sequence[Tensor]]


@dataclass
class _Block:
    """b places of one seed. Tensors are [*shape, b]; the update sees them with the last two axes merged."""

    seed: int
    places: list[int | None]  #: the lane at each place; None: frozen
    layers: list[tuple[Tensor, ...]]  #: each layer's theta and state
    tables: list[Tensor]  #: each layer's coefficients, [TABLE_STEPS, C, merged axes]
    table_start: int  #: the step of the tables' first row; 0: none yet

    @property
    def theta(self) -> list[Tensor]:
        return [theta for theta, *_ in self.layers]


class TrialArray:
    """K lanes of one model, each with its own hyperparameters and seed; a lane's id is its index in these sequences.

    Args:
        model: the model, which sets the block width, the device and the dtype.
        updates: what the lanes' updates share.
        hyperparameters: [K] mappings of alpha, beta1, beta2 and epsilon.
        seeds: [K], the replicate index of each lane.
        generator: the random numbers of the initial weights, by (seed, layer).

    Raises:
        ValueError: an unknown optimizer, option or schedule, or a hyperparameter outside of its range.
    """

    def __init__(
        self,
        model: StackedModel,
        updates: LaneUpdates,
        hyperparameters: Sequence[Mapping[str, float]],
        seeds: Sequence[int],
        generator: Callable[[int, int], np.random.Generator],
    ) -> None:
        self._model = model
        self._updates = updates
        self._hyperparameters = tuple(hyperparameters)
        self._seeds = tuple(seeds)
        self._rule = updates.rule(FROZEN)
        for values in self._hyperparameters:
            updates.rule(values)
        initial: dict[int, LaneTensors] = {}
        for seed in dict.fromkeys(self._seeds):
            initial[seed] = [(torch.from_numpy(theta),) for theta in model.initial(partial(generator, seed))]
        self._blocks = self._pack({lane: initial[seed] for lane, seed in enumerate(self._seeds)})

    @property
    def slots(self) -> tuple[int | None, ...]:
        """The lane at each place of each block, None where frozen: the order of `losses` and `penalty`."""
        return tuple(lane for block in self._blocks for lane in block.places)

    @property
    def lanes(self) -> tuple[int, ...]:
        """The lanes that train, in the order of their slots."""
        return tuple(lane for lane in self.slots if lane is not None)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the lanes that train, each once."""
        return tuple(dict.fromkeys(self._seeds[lane] for lane in self.lanes))

    def step(self, number: int, batches: Mapping[int, Examples]) -> None:
        """One update of every lane.

        Args:
            number: the step's number t, from 1.
            batches: by seed, the batch that all lanes of this seed see.
        """
        row = (number - 1) % TABLE_STEPS
        for block in self._blocks:
            if block.table_start != number - row:
                self._fill_tables(block, number - row)
            self._model.backward(block.theta, batches[block.seed], partial(self._update, block, row))

    def losses(self, batch: Examples) -> Tensor:
        """Sums over a batch of each slot's data loss and errors: [2, slots] float64."""
        return torch.cat([self._model.losses(block.theta, batch) for block in self._blocks], dim=1)

    def penalty(self) -> Tensor:
        """Each slot's L2 term of the loss: [slots] float64."""
        return torch.cat([self._model.penalty(block.theta) for block in self._blocks])

    def parameters(self) -> list[Tensor]:
        """Copies of each layer's parameters: [K, *shape], K the lanes that train."""
        return [layer[0] for layer in self.state_dict()["layers"]]

    def freeze(self, lanes: Collection[int]) -> None:
        """Zero the parameters and the state of these lanes and stop them where they stand."""
        for block in self._blocks:
            for place, lane in enumerate(block.places):
                if lane in lanes:
                    block.places[place] = None
                    block.table_start = 0
                    for tensors in block.layers:
                        for tensor in tensors:
                            tensor[..., place].zero_()

    def remove(self, lanes: Collection[int]) -> None:
        """Take these lanes out, and the frozen ones, and pack the others into as few blocks as they fill."""
        self._blocks = self._pack({lane: tensors for lane, tensors in self._lane_tensors() if lane not in lanes})

    def state_dict(self) -> dict[str, Any]:
        """The lanes that train, and of each layer its parameters and state, [K, *shape] each, on the CPU."""
        lanes = dict(self._lane_tensors())
        per_layer = [zip(*layer, strict=True) for layer in zip(*lanes.values(), strict=True)]
        return {
            "lanes": list(lanes),
            "layers": [[torch.stack(tensors).cpu() for tensors in kinds] for kinds in per_layer],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict` of an array of the same arguments; lanes that it lacks are removed."""
        lanes = enumerate(state["lanes"])
        self._blocks = self._pack(
            {lane: [[kind[index] for kind in kinds] for kinds in state["layers"]] for index, lane in lanes}
        )

    def _update(self, block: _Block, row: int, layer: int, grad: Tensor) -> None:
        theta, *state = (tensor.flatten(-2) for tensor in block.layers[layer])
        self._rule.update_(theta, grad.flatten(-2), tuple(state), block.tables[layer][row].unbind())

    def _fill_tables(self, block: _Block, first_step: int) -> None:
        values = [FROZEN if lane is None else self._hyperparameters[lane] for lane in block.places]
        table = self._updates.table(values, first_step, self._model.dtype).to(self._model.device)
        block.table_start = first_step
        if self._model.width == 1:
            block.tables = [table for _ in block.layers]  # a scalar broadcasts along the whole layer
            return
        # Repeated along the axis merged with the lanes': long runs make the broadcast as fast as a scalar's.
        block.tables = [table.repeat(1, 1, theta.shape[-2]) for theta in block.theta]

    def _pack(self, lanes: Mapping[int, LaneTensors]) -> list[_Block]:
        """Blocks of these lanes, in the order of their ids, the last block of each seed filled with frozen lanes."""
        blocks = []
        for seed in dict.fromkeys(self._seeds[lane] for lane in sorted(lanes)):
            mine = [lane for lane in sorted(lanes) if self._seeds[lane] == seed]
            for start in range(0, len(mine), self._model.width):
                block = self._empty_block(seed)
                for place, lane in enumerate(mine[start : start + self._model.width]):
                    block.places[place] = lane
                    for tensors, values in zip(block.layers, lanes[lane], strict=True):
                        for tensor, value in zip(tensors, values, strict=False):
                            tensor[..., place].copy_(value)
                blocks.append(block)
        return blocks

    def _empty_block(self, seed: int) -> _Block:
        width = self._model.width
        layers = []
        for shape in self._model.shapes:
            theta = torch.zeros(*shape, width, dtype=self._model.dtype, device=self._model.device)
            layers.append((theta, *self._rule.init(theta)))
        return _Block(seed=seed, places=[None] * width, layers=layers, tables=[], table_start=0)

    def _lane_tensors(self) -> Iterator[tuple[int, LaneTensors]]:
        """Each lane that trains, with views of its tensors."""
        for block in self._blocks:
            for place, lane in enumerate(block.places):
                if lane is not None:
                    yield lane, [[tensor[..., place] for tensor in tensors] for tensors in block.layers]
