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

from adam_core.arrays.cuda_graph import StepGraphs
from adam_core.arrays.diagnostics import BlockObserver, StepDiagnostics
from adam_core.arrays.lane_updates import FROZEN, TABLE_STEPS, LaneSetting, LaneUpdates
from adam_core.models.stacked_model import Batch, Draw, StackedModel

#: Of one lane, each layer's parameters and the tensors of its optimizer state (none: zeros), each of the layer's shape.
LaneTensors = Sequence[Sequence[Tensor]]


@dataclass
class _Block:
    """b places of one seed, the lane's axis where the model wants it."""

    seed: int
    places: list[int | None]  #: the lane at each place; None: frozen
    layers: list[tuple[Tensor, ...]]  #: each layer's theta and state
    tables: list[Tensor]  #: each layer's coefficients, [TABLE_STEPS, C, ...], to broadcast against rows and columns
    table_start: int  #: the step of the tables' first row; 0: none yet
    evaluated: list[Tensor] | None = None  #: each layer's parameters that metrics are of, once they are asked for

    @property
    def theta(self) -> list[Tensor]:
        return [theta for theta, *_ in self.layers]


class TrialArray:
    """K lanes of one model, each with its own hyperparameters and seed; a lane's id is its index in these sequences.

    Args:
        model: the model, which sets the block width, the device and the dtype.
        updates: what the lanes' updates share.
        settings: [K], the hyperparameters and the schedule of each lane.
        seeds: [K], the replicate index of each lane.
        generator: the random numbers of the initial weights, by (seed, layer).

    Raises:
        ValueError: an unknown optimizer, option or schedule, or a hyperparameter outside of its range.
    """

    def __init__(
        self,
        model: StackedModel,
        updates: LaneUpdates,
        settings: Sequence[LaneSetting],
        seeds: Sequence[int],
        generator: Callable[[int, int], np.random.Generator],
    ) -> None:
        self._model = model
        self._updates = updates
        self._settings = tuple(settings)
        self._number = 0  # of the last step
        self._seeds = tuple(seeds)
        self._graphs = StepGraphs(model.device) if model.device.type == "cuda" else None
        self._rule = updates.rule(FROZEN.hyperparameters)
        for setting in self._settings:
            updates.rule(setting.hyperparameters)
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

    def prepare(self, examples: Any, draw: Draw, *, training: bool) -> Batch:
        """A batch with its noise, as `StackedModel.prepare` takes and gives it."""
        return self._model.prepare(examples, draw, training=training)

    def step(self, number: int, batches: Mapping[int, Batch]) -> None:
        """One update of every lane.

        Args:
            number: the step's number t, from 1.
            batches: by seed, the prepared batch that all lanes of this seed see.
        """
        self.steps(number, [batches])

    def steps(self, first: int, batches: Sequence[Mapping[int, Batch]]) -> None:
        """Some updates of every lane, to the bit as `step` makes them one by one.

        On a CPU each block makes all of them before the next block's turn: its parameters and state come from memory
        once, and from the caches after that.

        Args:
            first: the first step's number t, from 1.
            batches: of each step, by seed, the prepared batch that all lanes of this seed see.
        """
        if self._graphs is None:
            for block in self._blocks:
                for number, batch in enumerate(batches, start=first):
                    self._compute([block], batch, {0: self._coefficients(block, number)})
        else:
            for number, batch in enumerate(batches, start=first):
                coefficients = {index: self._coefficients(block, number) for index, block in enumerate(self._blocks)}
                self._graphs.run(partial(self._compute, self._blocks), batch, coefficients)
        for block in self._blocks:
            block.evaluated = None
        self._number = first + len(batches) - 1

    def observed_step(self, number: int, batches: Mapping[int, Batch]) -> StepDiagnostics:
        """One update of every lane, as `step` makes it, to the bit, and what it looked like; takes longer."""
        self._number = number
        observers = []
        for block in self._blocks:
            block.evaluated = None
            observer = BlockObserver(self._rule, self._alpha(block), lanes_last=self._model.lanes_last)
            observers.append(observer)
            update = partial(self._observed_update, block, self._coefficients(block, number), observer)
            self._model.backward(block.theta, batches[block.seed], update)
        return StepDiagnostics.of_blocks(observers)

    def losses(self, batch: Batch) -> Tensor:
        """Sums over a prepared batch of each slot's data loss and errors: [2, slots] float64."""
        return torch.cat(list(self.losses_of_blocks(batch)), dim=1)

    def losses_of_blocks(self, batch: Batch) -> Iterator[Tensor]:
        """The parts of `losses`, [2, b] each, as they are computed."""
        for block in self._blocks:
            yield self._model.losses(self._evaluated(block), batch)

    def penalty(self) -> Tensor:
        """Each slot's L2 term of the loss: [slots] float64."""
        return torch.cat([self._model.penalty(self._evaluated(block)) for block in self._blocks])

    def evaluated(self) -> Tensor:
        """Each slot's parameters that metrics are of, one layer's after the other's: [slots, parameters] float64."""
        blocks = []
        for block in self._blocks:
            layers = [self._matrix(theta) for theta in self._evaluated(block)]
            width = self._model.width
            rows = [layer.reshape(-1, width).t() if self._model.lanes_last else layer for layer in layers]
            blocks.append(torch.cat(rows, dim=1))
        return torch.cat(blocks).double()

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
                    block.evaluated = None
                    for tensors in block.layers:
                        for tensor in tensors:
                            self._at(tensor, place).zero_()

    def remove(self, lanes: Collection[int]) -> None:
        """Take these lanes out, and the frozen ones, and pack the others into as few blocks as they fill."""
        self._blocks = self._pack({lane: tensors for lane, tensors in self._lane_tensors() if lane not in lanes})

    def state_dict(self) -> dict[str, Any]:
        """The last step, the lanes that train, and each layer's parameters and state, [K, *shape] each, on the CPU."""
        lanes = dict(self._lane_tensors())
        per_layer = [zip(*layer, strict=True) for layer in zip(*lanes.values(), strict=True)]
        return {
            "step": self._number,
            "lanes": list(lanes),
            "layers": [[torch.stack(tensors).cpu() for tensors in kinds] for kinds in per_layer],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict` of an array of the same arguments; lanes that it lacks are removed."""
        self._number = state["step"]
        lanes = enumerate(state["lanes"])
        self._blocks = self._pack(
            {lane: [[kind[index] for kind in kinds] for kinds in state["layers"]] for index, lane in lanes}
        )

    def _compute(
        self, blocks: Sequence[_Block], batches: Mapping[int, Batch], coefficients: Mapping[int, tuple[Tensor, ...]]
    ) -> None:
        """Forward, backward and update of some blocks, with the coefficients of each block's layers."""
        for index, block in enumerate(blocks):
            update = partial(self._update, block, coefficients[index])
            self._model.backward(block.theta, batches[block.seed], update)

    def _update(self, block: _Block, coefficients: Sequence[Tensor], layer: int, grad: Tensor) -> None:
        theta, *state = (self._matrix(tensor) for tensor in block.layers[layer])
        self._rule.update_(theta, self._matrix(grad), tuple(state), coefficients[layer])

    def _observed_update(
        self, block: _Block, coefficients: Sequence[Tensor], observer: BlockObserver, layer: int, grad: Tensor
    ) -> None:
        theta, *state = (self._matrix(tensor) for tensor in block.layers[layer])
        before = theta.clone()
        self._update(block, coefficients, layer, grad)
        observer.add(before, theta, self._matrix(grad), tuple(state), coefficients[layer])

    def _alpha(self, block: _Block) -> Tensor:
        """Alpha of the last step at each place, its schedule applied: [b] float64."""
        return self._updates.alphas(self._block_settings(block), self._number, 1)[0].to(self._model.device)

    def _coefficients(self, block: _Block, number: int) -> tuple[Tensor, ...]:
        """Each layer's coefficients of a step: [C, ...]."""
        row = (number - 1) % TABLE_STEPS
        if block.table_start != number - row:
            self._fill_tables(block, number - row)
        return tuple(table[row] for table in block.tables)

    def _evaluated(self, block: _Block) -> list[Tensor]:
        """Each layer's parameters that metrics are of."""
        if self._number == 0:
            return block.theta
        if block.evaluated is None:
            block.evaluated = []
            for tensors, coefficients in zip(block.layers, self._coefficients(block, self._number), strict=True):
                theta, *state = (self._matrix(tensor) for tensor in tensors)
                evaluated = self._rule.evaluated(theta, tuple(state), coefficients)
                block.evaluated.append(evaluated.view(tensors[0].shape))
        return block.evaluated

    def _fill_tables(self, block: _Block, first_step: int) -> None:
        table = self._updates.table(self._block_settings(block), first_step, self._model.dtype).to(self._model.device)
        block.table_start = first_step
        if self._model.lanes_last:
            # Repeated along the axis merged with the lanes': long runs make the broadcast as fast as a scalar's.
            block.tables = [table.repeat(1, 1, theta.shape[-2])[:, :, None] for theta in block.theta]
        else:
            block.tables = [table[..., None] for _ in block.layers]

    def _block_settings(self, block: _Block) -> list[LaneSetting]:
        return [FROZEN if lane is None else self._settings[lane] for lane in block.places]

    def _matrix(self, tensor: Tensor) -> Tensor:
        """A block's tensor as the update takes it: a lane has its own columns, or, where its axis is first, a row."""
        return tensor.flatten(-2).flatten(0, -2) if self._model.lanes_last else tensor.flatten(1)

    def _at(self, tensor: Tensor, place: int) -> Tensor:
        """A view of the lane at this place."""
        return tensor[..., place] if self._model.lanes_last else tensor[place]

    def _pack(self, lanes: Mapping[int, LaneTensors]) -> list[_Block]:
        """Blocks of these lanes, in the order of their ids, the last block of each seed filled with frozen lanes."""
        if self._graphs is not None:
            self._graphs.reset()  # they hold the addresses of the old blocks
        blocks = []
        for seed in dict.fromkeys(self._seeds[lane] for lane in sorted(lanes)):
            mine = [lane for lane in sorted(lanes) if self._seeds[lane] == seed]
            for start in range(0, len(mine), self._model.width):
                block = self._empty_block(seed)
                for place, lane in enumerate(mine[start : start + self._model.width]):
                    block.places[place] = lane
                    for tensors, values in zip(block.layers, lanes[lane], strict=True):
                        for tensor, value in zip(tensors, values, strict=False):
                            self._at(tensor, place).copy_(value)
                blocks.append(block)
        return blocks

    def _empty_block(self, seed: int) -> _Block:
        width = self._model.width
        layers = []
        for shape in self._model.shapes:
            stacked = (*shape, width) if self._model.lanes_last else (width, *shape)
            theta = torch.zeros(stacked, dtype=self._model.dtype, device=self._model.device)
            layers.append((theta, *self._rule.init(theta)))
        return _Block(seed=seed, places=[None] * width, layers=layers, tables=[], table_start=0)

    def _lane_tensors(self) -> Iterator[tuple[int, LaneTensors]]:
        """Each lane that trains, with views of its tensors."""
        for block in self._blocks:
            for place, lane in enumerate(block.places):
                if lane is not None:
                    yield lane, [[self._at(tensor, place) for tensor in tensors] for tensors in block.layers]
