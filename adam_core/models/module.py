"""Any `torch.nn.Module` as a model of stacked lanes, through torch.func."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from adam_core.models.examples import DenseExamples
from adam_core.models.stacked_model import Batch, Draw

#: A number for each example, [n], of outputs [n, ...] and labels [n].
PerExample = Callable[[Tensor, Tensor], Tensor]

#: A function of a lane's parameters, of inputs and of labels.
_OfLane = Callable[[tuple[Tensor, ...], Tensor, Tensor], tuple[Tensor, ...]]

_CPU = torch.device("cpu")


class ModuleModel:
    """A module as it is: each of its parameters is a layer; the loss is the mean of a loss of each example.

    Buffers, and parameters without gradient, are constants that all lanes share.

    Args:
        factory: makes the module; torch's random numbers alone decide on its initial weights.
        loss: of each example.
        width: b, lanes in a block.
        device: where blocks lie.
        dtype: of parameters and of inputs.
        error: what an evaluation counts as errors, 0 or 1 of each example; None counts none.

    Raises:
        ValueError: a part of the module keeps running statistics of its batches; or later, when it is called: it
            changes a buffer, `vmap` cannot stack it, or loss or error have another shape.
    """

    lanes_last = False

    def __init__(
        self,
        factory: Callable[[], nn.Module],
        loss: PerExample,
        width: int,
        device: torch.device,
        dtype: torch.dtype,
        *,
        error: PerExample | None = None,
    ) -> None:
        self.width = width
        self.device = device
        self.dtype = dtype
        self._factory = factory
        self._loss = loss
        self._error = error
        with _torch_seed(0, _CPU):
            self._module = factory().to(device, dtype)
        for module in self._module.modules():
            if getattr(module, "track_running_stats", False):
                raise ValueError(
                    f"track_running_stats must be False, got True in {self._name(module)}: lanes share buffers"
                )
        trained = {name: parameter for name, parameter in self._module.named_parameters() if parameter.requires_grad}
        self._shapes = {name: parameter.shape for name, parameter in trained.items()}
        self.shapes = tuple(tuple(shape) or (1,) for shape in self._shapes.values())

    def initial(self, draw: Draw) -> tuple[NDArray[np.float64], ...]:
        """The parameters of one lane before step 1, as the factory makes them under a seed from layer 0's stream."""
        with _torch_seed(_seed(draw), _CPU):
            parameters = dict(self._factory().named_parameters())
        return tuple(
            parameters[name].detach().to(_CPU, torch.float64).numpy().reshape(shape)
            for name, shape in zip(self._shapes, self.shapes, strict=True)
        )

    def prepare(self, examples: DenseExamples, draw: Draw, *, training: bool) -> Batch:
        """The inputs, the labels and, in training, the seed of the module's random numbers, [1] on the CPU."""
        seed = (torch.tensor([_seed(draw)]),) if training else ()
        return examples.inputs, examples.labels, *seed

    def backward(self, theta: Sequence[Tensor], batch: Batch, update: Callable[[int, Tensor], None]) -> None:
        """Hand each parameter's gradient [b, *shape] to `update`, the last parameter's first."""
        gradients = list(self._of_lanes(grad(self._mean_loss), theta, batch))
        for layer in reversed(range(len(theta))):
            update(layer, gradients.pop().contiguous().view_as(theta[layer]))

    def losses(self, theta: Sequence[Tensor], batch: Batch) -> Tensor:
        """Sums over the batch of each lane's loss and of its errors: [2, b] float64."""
        return torch.stack(self._of_lanes(self._sums, theta, batch))

    def penalty(self, theta: Sequence[Tensor]) -> Tensor:
        """Zeros [b] float64: there is no L2 term."""
        return torch.zeros(self.width, dtype=torch.float64, device=self.device)

    def _of_lanes(self, function: _OfLane, theta: Sequence[Tensor], batch: Batch) -> tuple[Tensor, ...]:
        """What the function gives for each lane, stacked; in training mode if the batch has a seed."""
        inputs, labels, *seed = batch
        if seed and self.device.type == "cuda" and torch.cuda.is_current_stream_capturing():
            raise RuntimeError("a CUDA graph cannot hold the seed of a module's random numbers")
        shapes = self._shapes.values()
        parameters = tuple(layer.view(-1, *shape) for layer, shape in zip(theta, shapes, strict=True))
        self._module.train(bool(seed))
        buffers = self._buffers()
        with _torch_seed(int(seed[0]), self.device) if seed else nullcontext(), self._failure_named():
            if self.width == 1:  # up to 1.4 times as fast without vmap
                results = function(tuple(layer[0] for layer in parameters), inputs, labels)
                results = tuple(result[None] for result in results)
            else:
                results = vmap(function, in_dims=(0, None, None), randomness="same")(parameters, inputs, labels)
        if changed := [name for name, state in self._buffers().items() if buffers.get(name) != state]:
            raise ValueError(f"buffers must be constant, got a change of {changed[0]!r}: lanes share buffers")
        return results

    def _mean_loss(self, parameters: tuple[Tensor, ...], inputs: Tensor, labels: Tensor) -> Tensor:
        return _checked("loss", self._loss(self._outputs(parameters, inputs), labels), labels).mean()

    def _sums(self, parameters: tuple[Tensor, ...], inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        outputs = self._outputs(parameters, inputs)
        losses = _checked("loss", self._loss(outputs, labels), labels).double()
        errors = _checked("error", self._error(outputs, labels), labels) if self._error else torch.zeros_like(losses)
        return losses.sum(), errors.sum(dtype=torch.float64)

    def _outputs(self, parameters: tuple[Tensor, ...], inputs: Tensor) -> Tensor:
        outputs: Tensor = functional_call(self._module, dict(zip(self._shapes, parameters, strict=True)), (inputs,))
        return outputs

    def _buffers(self) -> dict[str, tuple[int, int]]:
        """Of each buffer, which tensor it is and how often that was written to."""
        return {name: (id(buffer), buffer._version) for name, buffer in self._module.named_buffers()}

    @contextmanager
    def _failure_named(self) -> Iterator[None]:
        """Say in one line which part of the module failed, and why."""
        try:
            yield
        except RuntimeError as error:
            module, trace = self._module, error.__traceback__
            while trace is not None:
                part = trace.tb_frame.f_locals.get("self")
                module = part if isinstance(part, nn.Module) else module
                trace = trace.tb_next
            cause = str(error).partition("\n")[0]
            raise ValueError(f"{self._name(module)} fails in an array of {self.width} lanes: {cause}") from error

    def _name(self, module: nn.Module) -> str:
        """The class of a part of the module and, in quotes, its name there."""
        names = {id(part): name for name, part in self._module.named_modules()}
        return f"{type(module).__name__} {names.get(id(module), '')!r}"


def _checked(name: str, numbers: Tensor, labels: Tensor) -> Tensor:
    if numbers.shape != labels.shape[:1]:
        raise ValueError(f"{name} must have shape {tuple(labels.shape[:1])}, got {tuple(numbers.shape)}")
    return numbers


def _seed(draw: Draw) -> int:
    """A seed of torch from layer 0's stream."""
    return int(draw(0).integers(2**63))


@contextmanager
def _torch_seed(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's random numbers on the CPU and on this device start from this seed; afterwards they go on as before."""
    cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if cuda else []):
        torch.default_generator.manual_seed(seed)
        if cuda:
            torch.cuda.manual_seed(seed)
        yield
