from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import Linear
from torch.nn.functional import cross_entropy

from adam_core.models import dense
from adam_core.models.examples import DenseExamples
from adam_core.models.mlp import MLP
from tests.adam_core.model_lanes import (
    all_inputs,
    assert_buffers_carry_nothing_over,
    assert_initial_weights,
    assert_same_at_every_place,
    autograd,
    block,
    gradients,
    linear_layers,
    noise,
    random_lane,
)

CPU = torch.device("cpu")
F, L2 = 20, 0.03


def _model(
    width: int,
    hidden: Sequence[int] = (23, 17),
    n_classes: int = 7,
    dtype: torch.dtype = torch.float64,
    dropout: float = 0.0,
    input_dropout: float = 0.0,
) -> MLP:
    return MLP(F, hidden, n_classes, L2, width, CPU, dtype, dropout=dropout, input_dropout=input_dropout)


def _examples(n: int, n_features: int = F, n_classes: int = 7, dtype: torch.dtype = torch.float64) -> DenseExamples:
    random = torch.Generator().manual_seed(n)
    inputs = torch.rand(n, n_features, generator=random, dtype=torch.float64).to(dtype)
    if n > 1:  # then the first layer leaves inputs out
        inputs[:, ::3] = 0.0
    return DenseExamples(inputs, torch.randint(0, n_classes, (n,), generator=random))


def _logits(layers: Sequence[Linear], inputs: Tensor, masks: Sequence[Tensor] = ()) -> Tensor:
    """The same network of one lane as anyone would write it."""
    *hidden, last = layers
    for layer, linear in enumerate(hidden):
        inputs = torch.relu(linear(inputs))
        if masks:
            inputs = inputs * masks[layer]
    return torch.as_tensor(last(inputs))


@pytest.mark.parametrize("n", [1, 29])
@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize(("hidden", "n_classes"), [((23, 17), 7), ((30,), 19), ((), 7), ((9, 8, 20), 2)])
@pytest.mark.parametrize("rates", [(0.0, 0.0), (0.5, 0.0), (0.25, 0.125)])
def test_each_lane_equals_a_module_with_autograd(
    n: int, width: int, hidden: tuple[int, ...], n_classes: int, rates: tuple[float, float]
) -> None:
    """Float64, within 1e-12: data loss, L2 term and gradients, given the same masks."""
    model = _model(width, hidden, n_classes, torch.float64, *rates)
    lanes = [random_lane(model.shapes, seed) for seed in range(width)]
    theta = block(model, lanes)
    batch = model.prepare(_examples(n, n_classes=n_classes), noise(1), training=True)
    labels, masks = batch[2], batch[3:]
    data_losses, penalties = model.losses(theta, batch)[0] / n, model.penalty(theta)
    handed = gradients(model, theta, batch)
    for place, lane in enumerate(lanes):
        layers = linear_layers(lane)
        data_loss = cross_entropy(_logits(layers, all_inputs(batch, F), masks), labels)
        penalty = L2 / 2 * torch.stack([linear.weight.square().sum() for linear in layers]).sum()
        torch.testing.assert_close(data_losses[place], data_loss.detach(), rtol=1e-12, atol=0)
        torch.testing.assert_close(penalties[place], penalty.detach(), rtol=1e-12, atol=0)
        for layer, expected in enumerate(autograd(data_loss + penalty, layers)):
            torch.testing.assert_close(handed[layer][place], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("products", ["oneDNN", "MKL"])
def test_float32_is_float64_rounded(products: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses within 1e-6, gradients within 1e-5 of the largest, by both libraries' products."""
    if products == "MKL":
        monkeypatch.setattr(dense, "_onednn", None)
    single, double = (MLP(784, (300, 200), 10, L2, 2, CPU, dtype) for dtype in (torch.float32, torch.float64))
    lanes = [random_lane(single.shapes, seed) for seed in range(2)]
    batch = single.prepare(_examples(128, 784, 10, torch.float32), noise(1), training=True)
    exact = (batch[0].double(), *batch[1:])
    losses, expected = single.losses(block(single, lanes), batch), double.losses(block(double, lanes), exact)
    torch.testing.assert_close(losses[0], expected[0], rtol=1e-6, atol=0)
    handed, true = gradients(single, block(single, lanes), batch), gradients(double, block(double, lanes), exact)
    for gradient, exact_gradient in zip(handed, true, strict=True):
        scale = exact_gradient.abs().max().item()
        torch.testing.assert_close(gradient.double(), exact_gradient, rtol=0, atol=1e-5 * scale)


def test_errors_are_the_examples_whose_likeliest_class_is_another() -> None:
    model, examples = _model(2), _examples(200)
    lanes = [random_lane(model.shapes, seed) for seed in range(2)]
    batch = model.prepare(examples, noise(1), training=False)
    errors = model.losses(block(model, lanes), batch)[1]
    expected = [(_logits(linear_layers(lane), examples.inputs).argmax(1) != examples.labels).sum() for lane in lanes]
    assert 0 < min(expected)
    assert errors.tolist() == expected


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize(
    ("sizes", "n"), [((30, 50, 33, 7), 29), ((30, 50, 33, 17), 1), ((784, 250, 100, 10), 128), ((784, 250, 10), 3)]
)
def test_a_lane_computes_the_same_bits_at_every_place(sizes: tuple[int, ...], n: int, width: int) -> None:
    n_features, *hidden, n_classes = sizes
    model = MLP(n_features, hidden, n_classes, L2, width, CPU, torch.float32, dropout=0.5)
    examples = _examples(n, n_features, n_classes, torch.float32)
    assert_same_at_every_place(model, model.prepare(examples, noise(1), training=True))


def test_buffers_carry_nothing_over() -> None:
    model = _model(2, dtype=torch.float32, dropout=0.25)
    batches = [
        model.prepare(_examples(n, dtype=torch.float32), noise(n), training=n > 20) for n in (29, 1, 20, 29, 128)
    ]
    assert_buffers_carry_nothing_over(model, batches)


def test_initial_weights() -> None:
    model = MLP(784, (300, 200), 10, L2, 4, CPU, torch.float32)
    assert_initial_weights(model, (2 / 784, 2 / 300, 1 / 200))


def test_evaluation_drops_nothing() -> None:
    model, examples = _model(1, dropout=0.5, input_dropout=0.25), _examples(9)
    *inputs, labels = model.prepare(examples, noise(1), training=False)
    assert torch.equal(all_inputs(inputs, F), examples.inputs)
    assert torch.equal(labels, examples.labels)


def test_training_drops_inputs_and_hidden_units_by_their_own_streams() -> None:
    """Masks are a function of the step and the layer; the inputs themselves are left as they were."""
    model, examples = _model(1, (F, F), dropout=0.5, input_dropout=0.5), _examples(64)
    examples.inputs.add_(1.0)
    before = examples.inputs.clone()
    batch, again, other = (model.prepare(examples, noise(step), training=True) for step in (1, 1, 2))
    assert all(map(torch.equal, batch, again))
    assert torch.equal(examples.inputs, before)
    all_masks = [*batch[3:], *other[3:], *(all_inputs(own, F) / examples.inputs for own in (batch, other))]
    assert len({tuple(mask.flatten().tolist()) for mask in all_masks}) == 6
    for mask in all_masks:
        assert mask.mean() == pytest.approx(1.0, abs=6 / mask.numel() ** 0.5)


@pytest.mark.parametrize(("dropout", "input_dropout"), [(0.3, 0.0), (0.0, 1.0)])
def test_refuses_a_rate_that_no_byte_decides(dropout: float, input_dropout: float) -> None:
    with pytest.raises(ValueError, match="dropout must be"):
        _model(1, dropout=dropout, input_dropout=input_dropout)


def test_sums_are_float64_whatever_the_parameters_are() -> None:
    model = _model(2, dtype=torch.float32)
    theta = block(model, [random_lane(model.shapes, 0)] * 2)
    batch = model.prepare(_examples(29, dtype=torch.float32), noise(1), training=False)
    assert model.losses(theta, batch).dtype == model.penalty(theta).dtype == torch.float64
