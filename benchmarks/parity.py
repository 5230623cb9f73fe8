"""One lane of a trial array against a plain PyTorch training script: the twin and `torch.optim.Adam`.

Both have the same initial weights, batches, dropout masks and latent noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from adam_core.arrays.trial_array import TrialArray
from adam_core.models.examples import Examples
from adam_core.models.stacked_model import Draw
from adam_core.randomness import Purpose, epoch_order, stream
from benchmarks.inputs import densify
from benchmarks.twins import Twin
from studies.spec import StudySpec
from worker.array_plan import ArrayPlan, Lane, build_array
from worker.datasets.registry import Dataset
from worker.training import EVALUATION_CHUNK, ArrayTraining, EpochReport


@dataclass(frozen=True)
class Losses:
    """Of one lane at the end of an epoch."""

    train: float  #: over the training set, L2 term included
    test: float


@dataclass(frozen=True)
class Deviation:
    """The largest deviations over some steps in float64."""

    n_steps: int
    loss: float  #: of the batches' losses, relative
    parameters: float  #: of the last parameters, relative to the largest


@dataclass(frozen=True)
class Rounding:
    """The largest relative deviations of the batches' losses in float32 from the script's in float64."""

    n_steps: int
    ours: float
    script: float


def plan_of_default_adam(name: str, epochs: int) -> ArrayPlan:
    """One lane of Adam with the paper's defaults, and with the workload's batches and schedule."""
    spec = StudySpec(name="parity", workload=name, optimizer="adam", epochs=epochs)
    return ArrayPlan.of(spec, (Lane(0, 0, {}),), block_width=1)


def our_losses(plan: ArrayPlan, data: Dataset) -> Iterator[Losses]:
    """Of a trial array, epoch by epoch from 0 on."""
    for event in ArrayTraining(plan, data).run():
        if isinstance(event, EpochReport):
            (lane,) = event.lanes
            yield Losses(_number(lane.train_loss), _number(lane.test_loss))


def script_losses(plan: ArrayPlan, data: Dataset) -> Iterator[Losses]:
    """Of a plain PyTorch training script, epoch by epoch from 0 on."""
    script = Script(plan, data)
    yield script.evaluate()
    for epoch in range(1, plan.epochs + 1):
        for _ in script.train(epoch):
            pass
        yield script.evaluate()


def first_steps(plan: ArrayPlan, data: Dataset, n_steps: int) -> Deviation:
    """How far both are apart over the first steps.

    Args:
        plan: of one lane.
        data: in float64.
        n_steps: at most an epoch.
    """
    script, array = Script(plan, data), build_array(plan, data.device, data.dtype)
    worst = _worst(_batch_losses(plan, data, array), script.train(1), n_steps)
    parameters = script.twin.parameters_of([layer[0] for layer in array.parameters()])
    true = dict(script.twin.named_parameters())
    gaps = [(parameters[name] - true[name]).abs().max().item() for name in true]
    return Deviation(n_steps, worst, max(gaps) / max(tensor.abs().max().item() for tensor in true.values()))


def rounding(plan: ArrayPlan, single: Dataset, double: Dataset, n_steps: int) -> Rounding:
    """How far float32 takes both from float64 over the first steps, of which there are at most an epoch.

    Args:
        plan: of one lane.
        single: the data in float32.
        double: the same in float64.
        n_steps: at least 1.
    """
    exact = list(islice(Script(plan, double).train(1), n_steps))
    array = build_array(plan, single.device, single.dtype)
    return Rounding(
        n_steps=len(exact),
        ours=_worst(_batch_losses(plan, single, array), iter(exact), len(exact)),
        script=_worst(Script(plan, single).train(1), iter(exact), len(exact)),
    )


def _worst(losses: Iterator[float], exact: Iterator[float], n_steps: int) -> float:
    pairs = zip(islice(losses, n_steps), islice(exact, n_steps), strict=True)
    return max(abs(loss / true - 1) for loss, true in pairs)


def _batch_losses(plan: ArrayPlan, data: Dataset, array: TrialArray) -> Iterator[float]:
    """The first epoch's updates of an array of one lane, and the loss of each batch before its update."""
    order = torch.from_numpy(epoch_order(plan.seed, 0, 1, plan.n_train))
    for step, rows in enumerate(torch.split(order, plan.batch_size)):
        batch = array.prepare(data.train.gather(rows), _training_noise(plan, 1, step), training=True)
        loss = array.losses(batch)[0, 0].item() / len(rows) + array.penalty()[0].item()
        array.step(step + 1, {0: batch})
        yield loss


class Script:
    """What a user of PyTorch writes to train one lane of a plan, whose optimizer is Adam.

    Args:
        plan: of one lane.
        data: its data set.
    """

    def __init__(self, plan: ArrayPlan, data: Dataset) -> None:
        self._plan, self._data = plan, data
        self.twin = Twin(plan.workload, data.dtype)
        initial = [layer[0] for layer in build_array(plan, data.device, data.dtype).parameters()]
        self.twin.load_state_dict(self.twin.parameters_of(initial))
        setting = plan.lanes[0].hyperparameters
        betas = setting["beta1"], setting["beta2"]
        self._adam = torch.optim.Adam(self.twin.parameters(), lr=setting["alpha"], betas=betas, eps=setting["epsilon"])
        is_constant = plan.schedule.kind == "constant"
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._adam, lambda step: 1.0 if is_constant else 1 / math.sqrt(step + 1)
        )

    def train(self, epoch: int) -> Iterator[float]:
        """An epoch's updates, and the loss of each batch before its update."""
        self.twin.train()
        order = torch.from_numpy(epoch_order(self._plan.seed, 0, epoch, self._plan.n_train))
        for step, rows in enumerate(torch.split(order, self._plan.batch_size)):
            self._adam.zero_grad()
            batch = self._data.train.gather(rows)
            loss: Tensor = self.twin(*self._tensors(batch), _training_noise(self._plan, epoch, step))
            loss.backward()  # type: ignore[no-untyped-call]
            self._adam.step()
            self._schedule.step()
            yield loss.item()

    @torch.no_grad()
    def evaluate(self) -> Losses:
        """The losses over the training set, with the L2 term, and over the test set."""
        self.twin.eval()
        train, test = (self._mean_loss(part) for part in (self._data.train, self._data.test))
        return Losses(train + self.twin.penalty().item(), test)

    def _mean_loss(self, examples: Examples) -> float:
        total = 0.0
        for start in range(0, len(examples), EVALUATION_CHUNK):
            chunk = examples.part(start, start + EVALUATION_CHUNK)
            total += self.twin.data_loss(*self._tensors(chunk), _evaluation_noise(start)).item() * len(chunk)
        return total / len(examples)

    def _tensors(self, examples: Examples) -> tuple[Tensor, Tensor]:
        dense = densify(examples, self._plan.workload_entry.input_shape)
        return dense.inputs, dense.labels


def _training_noise(plan: ArrayPlan, epoch: int, step: int) -> Draw:
    return lambda layer: stream(plan.seed, 0, Purpose.TRAINING_NOISE, epoch=epoch, step=step, layer=layer)


def _evaluation_noise(start: int) -> Draw:
    return lambda layer: stream(0, 0, Purpose.EVALUATION_NOISE, step=start, layer=layer)


def _number(loss: float | None) -> float:
    return math.nan if loss is None else loss
