import re
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, cross_entropy, linear, max_pool2d

from adam_core.models.cnn import CNN
from adam_core.models.examples import DenseExamples
from adam_core.models.stacked_model import Batch
from tests.adam_core.model_lanes import (
    Lane,
    assert_buffers_carry_nothing_over,
    assert_initial_weights,
    assert_same_at_every_place,
    block,
    gradients,
    noise,
    random_lane,
)
from tests.adam_core.model_training import assert_trains_as_torch_adam

CPU = torch.device("cpu")
L2, C = 0.03, 7
DIGITS, ODD, CIFAR = (1, 8, 8), (2, 13, 10), (3, 32, 32)


def _model(
    width: int, image_shape: tuple[int, int, int] = DIGITS, dtype: torch.dtype = torch.float64, **dropout: Any
) -> CNN:
    return CNN(image_shape, (5, 6, 8), 23, C, L2, width, CPU, dtype, **dropout)


def _examples(n: int, image_shape: tuple[int, int, int] = DIGITS, dtype: torch.dtype = torch.float64) -> DenseExamples:
    random = torch.Generator().manual_seed(n)
    inputs = torch.rand(n, *image_shape, generator=random, dtype=torch.float64).to(dtype)
    return DenseExamples(inputs.flatten(1), torch.randint(0, C, (n,), generator=random))


def _logits(lane: Sequence[Tensor], images: Tensor, masks: Sequence[Tensor]) -> Tensor:
    """The same network of one lane, of images [n, height, width, channels], as anyone would write it."""
    *convolutions, theta_hidden, theta_logits = lane
    images = images.permute(0, 3, 1, 2)
    for theta in convolutions:
        weights = theta[:-1].view(5, 5, images.shape[1], -1).permute(3, 2, 0, 1)
        images = max_pool2d(torch.relu(conv2d(images, weights, theta[-1], padding=2)), 3, 2, ceil_mode=True)
    features = images.permute(0, 2, 3, 1).flatten(1)
    hidden = torch.relu(linear(features, theta_hidden[:-1].t(), theta_hidden[-1]))
    for mask in masks:
        hidden = hidden * mask
    return linear(hidden, theta_logits[:-1].t(), theta_logits[-1])


def _twin(lane: Lane, images: Tensor, labels: Tensor, *masks: Tensor) -> tuple[Tensor, Tensor, Sequence[Tensor]]:
    """Mean cross-entropy, L2 term and gradients by autograd."""
    leaves = [theta.clone().requires_grad_() for theta in lane]
    logits = _logits(leaves, images[:, 2:-2, 2:-2], masks)
    data_loss = cross_entropy(logits, labels)
    penalty = L2 / 2 * torch.stack([theta[:-1].square().sum() for theta in leaves]).sum()
    return data_loss.detach(), penalty.detach(), torch.autograd.grad(data_loss + penalty, leaves)


@pytest.mark.parametrize("n", [1, 29])
@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("image_shape", [DIGITS, ODD])
@pytest.mark.parametrize("dropout", [{}, {"dropout": 0.5, "input_dropout": 0.125}], ids=str)
def test_each_lane_equals_plain_torch_with_autograd(
    n: int, width: int, image_shape: tuple[int, int, int], dropout: dict[str, Any]
) -> None:
    """Float64, within 1e-12: data loss, L2 term and gradients, given the same masks."""
    model = _model(width, image_shape, **dropout)
    lanes = [random_lane(model.shapes, seed) for seed in range(width)]
    theta = block(model, lanes)
    batch = model.prepare(_examples(n, image_shape), noise(1), training=True)
    data_losses, penalties = model.losses(theta, batch)[0] / n, model.penalty(theta)
    handed = gradients(model, theta, batch)
    for place, lane in enumerate(lanes):
        data_loss, penalty, expected = _twin(lane, *batch)
        torch.testing.assert_close(data_losses[place], data_loss, rtol=1e-12, atol=0)
        torch.testing.assert_close(penalties[place], penalty, rtol=1e-12, atol=0)
        for layer, gradient in enumerate(expected):
            torch.testing.assert_close(handed[layer][place], gradient, rtol=0, atol=1e-12)


def test_errors_are_the_examples_whose_likeliest_class_is_another() -> None:
    """Also where an evaluation takes the batch in several parts."""
    model, examples = _model(2), _examples(300)
    lanes = [random_lane(model.shapes, seed) for seed in range(2)]
    batch = model.prepare(examples, noise(1), training=False)
    losses, errors = model.losses(block(model, lanes), batch)
    for place, lane in enumerate(lanes):
        logits = _logits(lane, examples.inputs.view(-1, *DIGITS).permute(0, 2, 3, 1), ())
        expected = int((logits.argmax(1) != examples.labels).sum())
        assert 0 < expected == int(errors[place])
        torch.testing.assert_close(losses[place], cross_entropy(logits, examples.labels, reduction="sum"))


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("n", [1, 29, 128])
@pytest.mark.parametrize("image_shape", [DIGITS, ODD])
def test_a_lane_computes_the_same_bits_at_every_place(image_shape: tuple[int, int, int], n: int, width: int) -> None:
    model = CNN(image_shape, (16, 16, 32), 50, C, L2, width, CPU, torch.float32, dropout=0.5)
    assert_same_at_every_place(model, model.prepare(_examples(n, image_shape, torch.float32), noise(1), training=True))


def test_float32_is_as_exact_as_direct_convolutions() -> None:
    """The paper's sizes: gradients deviate from those in float64 by at most 3e-6 of their largest, as autograd's do."""
    model = CNN(CIFAR, (64, 64, 128), 1000, C, L2, 1, CPU, torch.float32)
    lane = random_lane(model.shapes, 0)
    images, labels = model.prepare(_examples(8, CIFAR, torch.float32), noise(1), training=False)
    handed = gradients(model, block(model, [lane]), (images, labels))
    exact = _twin(lane, images.double(), labels)[2]
    direct = _twin([theta.float() for theta in lane], images, labels)[2]
    for wanted, *found in zip(exact, (layer[0] for layer in handed), direct, strict=True):
        for gradient in found:
            assert (gradient - wanted).abs().max() < 3e-6 * wanted.abs().max()


def test_taps_that_see_no_pixel_have_gradient_0() -> None:
    """Of images of 2 x 2 pixels, the third stage's: rounding errors would make Adam move these weights."""
    model = _model(1, dtype=torch.float32)
    lane = random_lane(model.shapes, 0)
    batch = model.prepare(_examples(29, dtype=torch.float32), noise(1), training=False)
    model.l2 = 0.0
    taps = gradients(model, block(model, [lane]), batch)[2][0, :-1].view(5, 5, -1)
    exact = (_twin(lane, batch[0].double(), batch[1])[2][2] - L2 * lane[2])[:-1].view(5, 5, -1)
    seen = taps.abs().amax(2) > 0
    assert torch.equal(seen, exact.abs().amax(2) > 1e-15)
    assert int(seen.sum()) == int(seen[1:4, 1:4].sum()) > 6


def test_weights_of_dead_units_and_dark_places_have_gradient_0() -> None:
    """Half of the second stage's inputs are dead, the others end above the lower half: as autograd's zeros."""
    model = CNN((1, 16, 16), (6, 8), 23, C, 0.0, 2, CPU, torch.float32)
    lane = random_lane(model.shapes, 0)
    lane[0][-1] = -torch.tensor([100.0, 100.0, 100.0, 0.0, 0.0, 0.0])
    lane[1][-1, :3] = -100.0
    examples = _examples(1, (1, 16, 16), torch.float32)
    examples.inputs.view(-1, 16, 16)[:, 6:] = 0
    images, labels = model.prepare(examples, noise(1), training=False)
    found = gradients(model, block(model, [lane] * 2), (images, labels))[1]
    exact = _twin(lane, images.double(), labels)[2][1] - L2 * lane[1]
    is_zero = exact[:-1].abs() < 1e-15
    assert 0.5 < is_zero.double().mean() < 0.9
    assert torch.equal(found[:, :-1] == 0, is_zero.expand(2, -1, -1))


def test_buffers_carry_nothing_over() -> None:
    model = _model(2, dtype=torch.float32, dropout=0.25)
    batches = [model.prepare(_examples(n, dtype=torch.float32), noise(n), training=n > 20) for n in (29, 1, 20, 300)]
    assert_buffers_carry_nothing_over(model, batches)


def test_initial_weights() -> None:
    model = CNN(CIFAR, (64, 64, 128), 1000, 10, L2, 1, CPU, torch.float32)
    assert model.shapes == ((76, 64), (1601, 64), (1601, 128), (2049, 1000), (1001, 10))
    assert_initial_weights(model, (2 / 75, 2 / 1600, 2 / 1600, 2 / 2048, 1 / 1000))


def test_drops_inputs_and_fully_connected_units_by_their_own_streams() -> None:
    """Masks are a function of the step and the layer; an evaluation drops nothing, and inputs stay as they were."""
    model, examples = _model(1, dropout=0.5, input_dropout=0.5), _examples(64)
    before = examples.inputs.clone()
    images, _, mask = model.prepare(examples, noise(1), training=True)
    again, _, same_mask = model.prepare(examples, noise(1), training=True)
    _, _, other_mask = model.prepare(examples, noise(2), training=True)
    whole, *rest = model.prepare(examples, noise(1), training=False)
    assert torch.equal(examples.inputs, before)
    assert torch.equal(images, again)
    assert torch.equal(mask, same_mask)
    assert not torch.equal(mask, other_mask)
    assert torch.equal(whole[:, 2:-2, 2:-2, 0].flatten(1), before)
    assert not whole[:, :2].any()
    assert len(rest) == 1
    kept = images[images > 0] / whole[images > 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 2.0))
    assert kept.numel() / before.numel() == pytest.approx(0.5, abs=6 * 0.5 / before.numel() ** 0.5)
    assert mask.mean() == pytest.approx(1.0, abs=6 / mask.numel() ** 0.5)


def test_trains_as_torch_optim() -> None:
    model = _model(2, ODD, dropout=0.5)

    def loss(leaves: Sequence[Tensor], batch: Batch) -> Tensor:
        images, labels, *masks = batch
        squares = torch.stack([theta[:-1].square().sum() for theta in leaves])
        return cross_entropy(_logits(leaves, images[:, 2:-2, 2:-2], masks), labels) + L2 / 2 * squares.sum()

    batches = [model.prepare(_examples(n, ODD), noise(n), training=True) for n in (29, 29, 5, 29)]
    assert_trains_as_torch_adam(model, batches, loss)


def test_refuses_images_too_small_for_the_stages() -> None:
    with pytest.raises(ValueError, match=re.escape("image_shape must be at least 8 high and wide, got (1, 8, 7)")):
        _model(1, (1, 8, 7))
