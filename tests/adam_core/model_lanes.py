"""What holds for every model whose lane axis is first: what a lane computes, and that it is the same at every place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import Linear

from adam_core.models.stacked_model import Batch, Draw, StackedModel
from adam_core.randomness import Purpose, stream

Lane = Sequence[Tensor]  #: each layer's parameters of one lane, float64


def noise(step: int) -> Draw:
    """The streams of a step's noise."""
    return lambda layer: stream(3, 1, Purpose.TRAINING_NOISE, epoch=1, step=step, layer=layer)


def random_lane(shapes: Sequence[tuple[int, ...]], seed: int) -> Lane:
    """Weights of a size that keeps activations near 1, and biases that are not 0."""
    source = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=source, dtype=torch.float64) / (shape[0] - 1) ** 0.5 for shape in shapes]


def linear_layers(lane: Lane) -> list[Linear]:
    """A lane's layers as torch's own."""
    layers = [Linear(theta.shape[0] - 1, theta.shape[1], dtype=torch.float64) for theta in lane]
    for linear, theta in zip(layers, lane, strict=True):
        linear.load_state_dict({"weight": theta[:-1].t(), "bias": theta[-1]})
    return layers


def autograd(loss: Tensor, layers: Sequence[Linear]) -> list[Tensor]:
    """Each layer's gradient of a loss, in the shape of a lane's parameters."""
    flat = torch.autograd.grad(loss, [parameter for linear in layers for parameter in (linear.weight, linear.bias)])
    return [torch.cat([weight.t(), bias[None]]) for weight, bias in zip(flat[::2], flat[1::2], strict=True)]


def all_inputs(batch: Sequence[Tensor], n_features: int) -> Tensor:
    """The inputs [n, F] of a prepared batch, of which the first layer takes those that its rows say."""
    inputs, rows = batch[:2]
    if not len(rows):
        return inputs[:, :-1]
    return torch.zeros(len(inputs), n_features + 1, dtype=inputs.dtype).index_copy(1, rows, inputs)[:, :-1]


def block(model: StackedModel, lanes: Sequence[Lane]) -> list[Tensor]:
    """The parameters [b, *shape] of a block of these lanes."""
    return [torch.stack(layers).to(model.dtype) for layers in zip(*lanes, strict=True)]


def gradients(model: StackedModel, theta: list[Tensor], batch: Batch) -> list[Tensor]:
    """Each layer's gradient, [b, *shape]; what was handed over is destroyed, and so are the parameters it is of."""
    handed: dict[int, Tensor] = {}

    def update(layer: int, gradient: Tensor) -> None:
        assert gradient.is_contiguous()
        handed[layer] = gradient.clone()
        gradient.fill_(torch.nan)
        theta[layer].fill_(torch.nan)

    model.backward(theta, batch, update)
    assert list(handed) == list(reversed(range(len(theta))))
    return [handed[layer] for layer in range(len(theta))]


def numbers(model: StackedModel, lanes: Sequence[Lane], batch: Batch) -> Tensor:
    """All that each lane computes of a batch, [b, numbers]: losses, penalty and gradients."""
    theta = block(model, lanes)
    figures = torch.cat([model.losses(theta, batch), model.penalty(theta)[None]])
    return torch.cat([figures.t(), *(layer.flatten(1).double() for layer in gradients(model, theta, batch))], dim=1)


@contextmanager
def one_thread() -> Iterator[None]:
    """As workers train: where threads share a product, its numbers may depend on how."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@one_thread()
def assert_same_at_every_place(model: StackedModel, batch: Batch) -> None:
    """A lane computes the same bits at every place of its block, beside copies of itself, others, NaN and infinity."""
    width = model.width
    lane, *others = (random_lane(model.shapes, seed) for seed in range(width))
    poisoned = [[layer * factor for layer in lane] for factor in (torch.nan, 1e30)]
    mates: list[Sequence[Lane]] = [others, *([mate] * (width - 1) for mate in poisoned)]
    everywhere = numbers(model, [lane] * width, batch)
    expected = everywhere[0]
    assert expected.isfinite().all()
    for place in range(width):
        assert torch.equal(everywhere[place], expected)
        for neighbours in mates:
            lanes = [*neighbours[:place], lane, *neighbours[place:]]
            assert torch.equal(numbers(model, lanes, batch)[place], expected)


def assert_buffers_carry_nothing_over(model: StackedModel, batches: Sequence[Batch]) -> None:
    """Numbers are the same however batches of several sizes and lanes follow one another."""
    lane, other = (random_lane(model.shapes, seed) for seed in (1, 2))
    expected = [numbers(model, [lane] * model.width, batch) for batch in batches]
    numbers(model, [other] * model.width, batches[0])
    for batch, before in reversed(list(zip(batches, expected, strict=True))):
        assert torch.equal(numbers(model, [lane] * model.width, batch), before)


def assert_initial_weights(model: StackedModel, variances: Sequence[float]) -> None:
    """Weights of these variances within 6 standard errors, biases 0, each layer from its own stream."""
    drawn: list[int] = []

    def draw(layer: int) -> np.random.Generator:
        drawn.append(layer)
        return stream(0, 0, Purpose.INITIAL_WEIGHTS, layer=layer)

    layers = model.initial(draw)
    assert drawn == list(range(len(layers)))
    for theta, shape, variance in zip(layers, model.shapes, variances, strict=True):
        assert theta.shape == shape
        assert not theta[-1].any()
        weights = theta[:-1]
        assert weights.var() == pytest.approx(variance, rel=6 * (2 / weights.size) ** 0.5)
        assert abs(weights.mean()) < 6 * (variance / weights.size) ** 0.5
