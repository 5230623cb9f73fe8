import re
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from adam_core.models.examples import DenseExamples
from adam_core.models.mlp import MLP
from adam_core.models.module import ModuleModel
from adam_core.models.stacked_model import Batch, Draw
from adam_core.randomness import Purpose, stream
from tests.adam_core.model_lanes import Lane, assert_same_at_every_place, block, gradients, noise, random_lane
from tests.adam_core.model_training import assert_trains_as_torch_adam

CPU = torch.device("cpu")
F, H, C = 20, 16, 7
Factory = Callable[[], nn.Module]


def _losses(outputs: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(outputs, labels, reduction="none")


def _errors(outputs: Tensor, labels: Tensor) -> Tensor:
    return outputs.argmax(1).ne(labels)


def _mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(F, H), nn.ReLU(), nn.Linear(H, C))


def _dropout() -> nn.Module:
    return nn.Sequential(nn.Linear(F, H), nn.Tanh(), nn.Dropout(0.5), nn.Linear(H, C))


def _convolutional() -> nn.Module:
    convolution = nn.Conv2d(1, 6, 3, padding=1)
    return nn.Sequential(
        nn.Unflatten(1, (1, 4, 5)), convolution, nn.GroupNorm(2, 6), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24, C)
    )


class _Unusual(nn.Module):
    """A parameter without dimensions, one without gradient, one that stands in two places, and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.constant = nn.Parameter(torch.randn(F), requires_grad=False)
        self.first = nn.Linear(F, F)
        self.second = nn.Linear(F, F)
        self.second.weight = self.first.weight
        self.register_buffer("projection", torch.randn(F, C))

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = torch.tanh(self.first(inputs + self.constant))
        outputs: Tensor = self.scale * self.second(hidden) @ self.projection
        return outputs


def _model(factory: Factory, width: int, dtype: torch.dtype = torch.float64) -> ModuleModel:
    return ModuleModel(factory, _losses, width, CPU, dtype, error=_errors)


def _examples(n: int, dtype: torch.dtype = torch.float64) -> DenseExamples:
    random = torch.Generator().manual_seed(n)
    inputs = torch.rand(n, F, generator=random, dtype=torch.float64).to(dtype)
    return DenseExamples(inputs, torch.randint(0, C, (n,), generator=random))


def _weights(replicate: int) -> Draw:
    return lambda layer: stream(0, replicate, Purpose.INITIAL_WEIGHTS, layer=layer)


def _lane(model: ModuleModel, replicate: int) -> Lane:
    return [torch.from_numpy(theta) for theta in model.initial(_weights(replicate))]


def _twin(factory: Factory, lane: Lane) -> nn.Module:
    """A module of its own with a lane's parameters, and the model's constants."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = factory().double()
    named = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter, values in zip(named, lane, strict=True):
        parameter.data = values.view_as(parameter).clone()
    return module


@pytest.mark.parametrize("n", [1, 29])
@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("factory", [_mlp, _dropout, _convolutional, _Unusual])
def test_each_lane_equals_a_module_of_its_own(factory: Factory, width: int, n: int) -> None:
    """Float64, within 1e-12: losses, errors and gradients, dropout under the same torch seed."""
    model = _model(factory, width)
    lanes = [_lane(model, replicate) for replicate in range(width)]
    theta = block(model, lanes)
    batch = model.prepare(_examples(n), noise(1), training=True)
    losses, errors = model.losses(theta, batch)
    handed = gradients(model, theta, batch)
    inputs, labels, seed = batch
    for place, lane in enumerate(lanes):
        twin = _twin(factory, lane)
        with torch.random.fork_rng():
            torch.manual_seed(int(seed))
            outputs = twin(inputs)
        loss = cross_entropy(outputs, labels)
        torch.autograd.backward(loss)
        torch.testing.assert_close(losses[place] / n, loss.detach(), rtol=1e-12, atol=0)
        assert errors[place] == _errors(outputs, labels).sum()
        expected = [parameter.grad for parameter in twin.parameters() if parameter.requires_grad]
        for gradient, wanted in zip(handed, expected, strict=True):
            assert wanted is not None
            torch.testing.assert_close(gradient[place].view_as(wanted), wanted, rtol=0, atol=1e-12)


def test_equals_the_model_written_out() -> None:
    """Float64, within 1e-12: an MLP of the same weights, its layers' biases apart from the weights."""
    written_out = MLP(F, (H,), C, 0.0, 2, CPU, torch.float64)
    model, examples = _model(_mlp, 2), _examples(29)
    lanes = [random_lane(written_out.shapes, seed) for seed in range(2)]
    apart = [[part for theta in lane for part in (theta[:-1].t(), theta[-1])] for lane in lanes]
    theta, theta_apart = block(written_out, lanes), block(model, apart)
    batch = written_out.prepare(examples, noise(1), training=True)
    batch_apart = model.prepare(examples, noise(1), training=True)
    torch.testing.assert_close(
        model.losses(theta_apart, batch_apart), written_out.losses(theta, batch), rtol=1e-12, atol=0
    )
    handed = gradients(model, theta_apart, batch_apart)
    for layer, gradient in enumerate(gradients(written_out, theta, batch)):
        weights, biases = handed[2 * layer : 2 * layer + 2]
        torch.testing.assert_close(torch.cat([weights.mT, biases[:, None]], 1), gradient, rtol=0, atol=1e-12)


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("factory", [_mlp, _dropout])
def test_a_lane_computes_the_same_bits_at_every_place(factory: Factory, width: int) -> None:
    """With 17 hidden units it would not: MKL's products of odd sizes depend on where matrices lie in memory."""
    model = _model(factory, width, torch.float32)
    batch = model.prepare(_examples(29, torch.float32), noise(1), training=True)
    assert_same_at_every_place(model, batch)


@pytest.mark.parametrize("factory", [_mlp, _convolutional])
def test_trains_as_torch_optim(factory: Factory) -> None:
    model = _model(factory, 2)
    module = factory().double()
    names = [name for name, _ in module.named_parameters()]

    def loss(leaves: Sequence[Tensor], batch: Batch) -> Tensor:
        inputs, labels, _ = batch
        return cross_entropy(functional_call(module, dict(zip(names, leaves, strict=True)), (inputs,)), labels)

    batches = [model.prepare(_examples(n), noise(n), training=True) for n in (29, 29, 5, 29)]
    assert_trains_as_torch_adam(model, batches, loss)


def test_initial_weights_are_the_modules_own_and_a_function_of_the_replicate() -> None:
    model = _model(_mlp, 4)
    before = torch.get_rng_state()
    first, again, other = (model.initial(_weights(replicate)) for replicate in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    for theta, same, different, shape in zip(first, again, other, model.shapes, strict=True):
        assert theta.shape == shape
        assert (theta == same).all()
        assert (theta != different).all()
    # nn.Linear's own: uniform up to 1/sqrt(inputs)
    assert 0.9 < abs(first[0]).max() * F**0.5 <= 1


def test_models_of_one_factory_have_the_same_constants() -> None:
    """Buffers and parameters without gradient do not depend on when a model is built."""
    model, examples = _model(_Unusual, 1), _examples(9)
    torch.rand(5)
    other = _model(_Unusual, 1)
    theta = block(model, [_lane(model, 0)])
    batch = model.prepare(examples, noise(1), training=False)
    assert torch.equal(model.losses(theta, batch), other.losses(theta, batch))


def test_dropout_is_of_the_step_and_not_of_the_evaluation() -> None:
    model, examples = _model(_dropout, 2), _examples(64)
    theta = block(model, [_lane(model, 0)] * 2)

    def loss(step: int, training: bool) -> Tensor:
        return model.losses(theta, model.prepare(examples, noise(step), training=training))[0]

    first = loss(1, True)
    assert first[0] == first[1]
    before = torch.get_rng_state()
    assert torch.equal(loss(1, True), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(loss(2, True), first)
    assert torch.equal(loss(1, False), loss(2, False))


class _Branching(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs if inputs.sum() > 0 else -inputs


class _Counting(nn.Module):
    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, inputs: Tensor) -> Tensor:
        self.calls += 1
        return inputs


def _refusal(part: Factory, width: int = 2) -> str:
    with pytest.raises(ValueError) as refusal:
        model = _model(lambda: nn.Sequential(nn.Linear(F, C), part()), width)
        model.losses(block(model, [_lane(model, 0)] * width), model.prepare(_examples(9), noise(1), training=True))
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_names_the_part_that_cannot_be_stacked_and_the_cause() -> None:
    assert re.match("_Branching '1' fails in an array of 2 lanes: .*data-dependent control flow", _refusal(_Branching))
    assert "shape" in _refusal(lambda: nn.Linear(C + 1, C), width=1)


def test_refuses_running_statistics_and_buffers_that_change() -> None:
    message = "track_running_stats must be False, got True in BatchNorm1d '1': lanes share buffers"
    assert _refusal(lambda: nn.BatchNorm1d(C)) == message
    assert _refusal(_Counting) == "buffers must be constant, got a change of '1.calls': lanes share buffers"


@pytest.mark.parametrize("width", [1, 2])
def test_refuses_a_loss_that_is_not_of_each_example(width: int) -> None:
    model = ModuleModel(_mlp, cross_entropy, width, CPU, torch.float64)
    batch = model.prepare(_examples(9), noise(1), training=True)
    with pytest.raises(ValueError, match=re.escape("loss must have shape (9,), got ()")):
        gradients(model, block(model, [_lane(model, 0)] * width), batch)


def test_counts_no_errors_unless_told_how() -> None:
    model = ModuleModel(_mlp, _losses, 2, CPU, torch.float32)
    theta = block(model, [_lane(model, 0)] * 2)
    sums = model.losses(theta, model.prepare(_examples(9, torch.float32), noise(1), training=False))
    assert sums.dtype == model.penalty(theta).dtype == torch.float64
    assert sums[1].tolist() == model.penalty(theta).tolist() == [0, 0]
