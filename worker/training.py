"""The training of one trial array: a generator without database or Celery."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adam_core.models.examples import Examples
from adam_core.models.stacked_model import Batch, Draw
from adam_core.randomness import Purpose, epoch_order, stream
from worker.array_plan import ArrayPlan, Lane, build_array
from worker.datasets.registry import Dataset
from worker.device import use_one_thread
from worker.regret import Regret
from worker.reports import EpochReport, LaneMetrics, Tick

__all__ = ["ArrayPlan", "ArrayTraining", "EpochReport", "Lane", "LaneMetrics", "Tick"]

#: A yield follows within this time and one step: far below the 2 seconds allowed, since machines get loaded.
TICK_SECONDS = 0.5

#: Steps that a block makes before the next one's turn, at most so many and for such a share of a tick's time: enough to
#: find its state in the caches, few enough for batches to take little memory.
_STEPS_TOGETHER = 8
_TICK_SHARE = 0.1

#: Of snapshots; one of another format is of no use.
SNAPSHOT_FORMAT = 3

#: Examples in a chunk of an evaluation: fixed, since sums depend on it; few enough for a CPU's cache.
EVALUATION_CHUNK = 1024


_Event = TypeVar("_Event", Tick, EpochReport)
_Reply = frozenset[int] | None
_Losses = dict[int, tuple[float, float]]  # by lane: data loss, share of errors


class ArrayTraining:
    """The training of an array, epoch by epoch, from the start or from a snapshot.

    Args:
        plan: what to train.
        data: the workload's data set, which says where and in which dtype to train.
        resume: a snapshot of an array of the same plan.

    Raises:
        NotFoundError: no workload has the plan's name.
        ValueError: an unknown optimizer, option or schedule, or a hyperparameter outside of its range.
    """

    def __init__(
        self,
        plan: ArrayPlan,
        data: Dataset,
        resume: Mapping[str, Any] | None = None,
    ) -> None:
        use_one_thread()
        self._plan = plan
        self._data = data
        self._entry = plan.workload_entry
        self._device = data.device
        self._n_steps = plan.steps_per_epoch
        self._array = build_array(plan, data.device, data.dtype)
        best_fixed_cost = data.best_fixed_cost
        self._regret = None if best_fixed_cost is None else Regret(len(plan.lanes), best_fixed_cost, data.device)
        self._epoch = 0
        self._step = 0
        self._seconds = 0.0
        self._leaving: set[int] = set()  # trials
        self._observed: dict[int, dict[str, float]] = {}  # by lane, the diagnostics of this epoch's last update
        self._diverged: set[int] = set()  # lanes that are frozen in their places until the next boundary
        self._last_yield = time.monotonic()
        if resume is not None:
            self._array.load_state_dict(resume["array"])
            self._epoch, self._step, self._seconds = resume["epoch"], resume["step"], resume["seconds"]
            self._leaving.update(resume["leaving"])
            self._observed = resume["observed"]
            if self._regret is not None:
                self._regret.costs.copy_(resume["costs"])

    def run(self) -> Generator[Tick | EpochReport, _Reply, None]:
        """Train, yielding an `EpochReport` per epoch, epoch 0 first, and a `Tick` twice a second or so.

        Send a frozenset of trial numbers to take these trials' lanes out at the next epoch boundary.
        """
        yield from self._tick()
        while self._epoch <= self._plan.epochs:
            if self._step == 0:
                self._remove_leaving()
            if not self._array.lanes:
                return
            if self._epoch > 0:
                yield from self._train(self._data.train.part(0, self._plan.n_train))
            yield from self._report()

    def snapshot(self) -> dict[str, Any]:
        """Where the training stands, for `resume`; loads with `torch.load(weights_only=True)`. Call it at a yield."""
        return {
            "format": SNAPSHOT_FORMAT,
            "epoch": self._epoch,
            "step": self._step,
            "seconds": self._seconds,
            "leaving": sorted(self._leaving),
            "observed": self._observed,
            "costs": None if self._regret is None else self._regret.costs.to("cpu", copy=True),
            "array": self._array.state_dict(),
        }

    def _train(self, train: Examples) -> Generator[Tick, _Reply, None]:
        """The rest of this epoch's updates."""
        orders = {seed: self._order(seed, len(train)) for seed in self._array.seeds}
        chosen = {
            seed: torch.split(torch.from_numpy(order).to(self._device), self._plan.batch_size)
            for seed, order in orders.items()
        }
        together, started = 1, time.perf_counter()
        while self._step < self._n_steps:
            before = time.perf_counter()
            n_steps = self._update(train, chosen, together)
            self._step += n_steps
            together = steps_together((time.perf_counter() - before) / n_steps)
            if self._is_due():
                self._seconds += time.perf_counter() - started
                yield from self._tick()
                started = time.perf_counter()
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self._seconds += time.perf_counter() - started

    def _update(self, train: Examples, chosen: Mapping[int, Sequence[Tensor]], together: int) -> int:
        """Make at most so many updates, on the examples chosen for each seed's steps, and count them."""
        first = (self._epoch - 1) * self._n_steps + self._step + 1
        n_unobserved = self._n_steps - self._step - int(self._plan.diagnostics)
        n_steps = 1 if self._regret is not None else max(1, min(together, n_unobserved))
        batches = [
            {
                seed: self._array.prepare(train.gather(rows[step]), self._noise(seed, step), training=True)
                for seed, rows in chosen.items()
            }
            for step in range(self._step, self._step + n_steps)
        ]
        if self._regret is not None:  # in the same order, the batches of all seeds are equal
            places = self._regret.places(self._array.slots)
            self._regret.add(places, self._array.losses(next(iter(batches[0].values())))[0])
        if n_unobserved:
            self._array.steps(first, batches)
        else:
            self._observe(first, batches[0])
        return n_steps

    def _order(self, seed: int, n_examples: int) -> NDArray[np.int64]:
        """The order of the examples in this epoch: their own, where costs come one after the other."""
        if self._entry.online:
            return np.arange(n_examples)
        return epoch_order(self._plan.seed, seed, self._epoch, n_examples)

    def _observe(self, number: int, batches: Mapping[int, Batch]) -> None:
        """Make a step and keep what it looked like."""
        diagnostics = self._array.observed_step(number, batches)
        figures = {field.name: getattr(diagnostics, field.name).tolist() for field in fields(diagnostics)}
        self._observed = {
            lane: {name: values[slot] for name, values in figures.items()}
            for slot, lane in enumerate(self._array.slots)
            if lane is not None
        }

    def _noise(self, seed: int, step: int) -> Draw:
        """The noise of a step of this epoch of the lanes of a seed."""
        study, epoch = self._plan.seed, self._epoch
        return lambda layer: stream(study, seed, Purpose.TRAINING_NOISE, epoch=epoch, step=step, layer=layer)

    def _report(self) -> Generator[Tick | EpochReport, _Reply, None]:
        """Evaluate the lanes and report; from then on the next epoch is the current one."""
        data, entry = self._data, self._entry
        train = yield from self._train_losses()
        validation: _Losses = {}
        if self._plan.holdout:
            validation = yield from self._evaluate(data.train.part(self._plan.n_train, entry.n_train))
        test: _Losses = {}
        if entry.n_test:
            test = yield from self._evaluate(data.test)
        positions = self._positions() if entry.n_coordinates else {}
        lanes = sorted(self._array.lanes)
        metrics = {
            lane: self._metrics(lane, train[lane], validation.get(lane), test.get(lane), positions.get(lane))
            for lane in lanes
        }
        self._diverged.update(lane for lane in lanes if metrics[lane].diverged)
        self._array.freeze(self._diverged)
        steps, seconds = self._epoch * self._n_steps, self._seconds / len(lanes)
        report = EpochReport(self._epoch, steps, seconds, tuple(metrics.values()))
        self._epoch, self._step, self._seconds = self._epoch + 1, 0, 0.0
        yield from self._send(report)

    def _train_losses(self) -> Generator[Tick, _Reply, dict[int, float]]:
        """Every lane's train_loss; at epoch 0 the regret per step of staying at the start."""
        if self._regret is not None and self._epoch > 0:
            per_step = self._regret.per_step(self._epoch * self._n_steps)
            return {lane: per_step[lane] for lane in self._array.lanes}
        losses = yield from self._evaluate(self._data.train.part(0, self._plan.n_train))
        penalty = dict(zip(self._array.slots, self._array.penalty().tolist(), strict=True))
        best = self._data.best_fixed_cost or 0.0
        return {lane: loss + penalty[lane] - best for lane, (loss, _) in losses.items()}

    def _positions(self) -> dict[int, tuple[float, ...]]:
        """Every lane's parameters."""
        by_slot = zip(self._array.slots, self._array.evaluated().tolist(), strict=True)
        return {lane: tuple(position) for lane, position in by_slot if lane is not None}

    def _evaluate(self, examples: Examples) -> Generator[Tick, _Reply, _Losses]:
        """Every lane's mean loss and share of errors, summed in float64 over fixed chunks."""
        sums = torch.zeros(2, len(self._array.slots), dtype=torch.float64, device=self._device)
        for start in range(0, len(examples), EVALUATION_CHUNK):
            chunk = examples.part(start, start + EVALUATION_CHUNK)
            batch = self._array.prepare(chunk, _evaluation_noise(start), training=False)
            parts = []
            for part in self._array.losses_of_blocks(batch):
                parts.append(part)
                if self._is_due():
                    yield from self._tick()
            sums += torch.cat(parts, dim=1)
        losses, errors = (sums / len(examples)).tolist()
        by_slot = zip(self._array.slots, losses, errors, strict=True)
        return {lane: (loss, error) for lane, loss, error in by_slot if lane is not None}

    def _metrics(
        self,
        lane: int,
        train_loss: float,
        validation: tuple[float, float] | None,
        test: tuple[float, float] | None,
        position: tuple[float, ...] | None,
    ) -> LaneMetrics:
        trial, replicate = self._plan.lanes[lane].trial, self._plan.lanes[lane].replicate
        if not all(map(math.isfinite, (train_loss, *(validation or ()), *(test or ()), *(position or ())))):
            return LaneMetrics(trial, replicate, diverged=True)
        validation_loss, validation_error = validation or (None, None)
        test_loss, test_error = test or (None, None)
        counts_errors = self._entry.metric is not None
        return LaneMetrics(
            trial,
            replicate,
            train_loss,
            validation_loss,
            validation_error if counts_errors else None,
            test_loss,
            test_error if counts_errors else None,
            diagnostics=self._observed.get(lane),
            position=position,
        )

    def _remove_leaving(self) -> None:
        """At an epoch boundary: take out the lanes that diverged and those of the trials that were asked for."""
        leaving = {lane for lane in self._array.lanes if self._plan.lanes[lane].trial in self._leaving}
        if leaving | self._diverged:
            self._array.remove(leaving)
        self._diverged.clear()

    def _is_due(self) -> bool:
        return time.monotonic() - self._last_yield > TICK_SECONDS

    def _tick(self) -> Generator[Tick, _Reply, None]:
        yield from self._send(Tick(self._epoch, self._step, self._n_steps))

    def _send(self, event: _Event) -> Generator[_Event, _Reply, None]:
        reply = yield event
        self._last_yield = time.monotonic()
        self._leaving.update(reply or ())


def steps_together(seconds: float) -> int:
    """How many steps that take so long each block of an array makes before the next block's turn."""
    return max(1, min(_STEPS_TOGETHER, int(_TICK_SHARE * TICK_SECONDS / seconds)))


def _evaluation_noise(start: int) -> Draw:
    """The noise of the evaluation of a chunk: the same for every lane, epoch and study."""
    return lambda layer: stream(0, 0, Purpose.EVALUATION_NOISE, step=start, layer=layer)
