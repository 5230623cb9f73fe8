import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from adam_core.arrays.lane_updates import LaneSetting, LaneUpdates
from adam_core.arrays.trial_array import TrialArray
from adam_core.kernels import sparse_logistic as kernels
from adam_core.models.dropout import Dropout
from adam_core.models.sparse_examples import SparseExamples
from adam_core.models.sparse_logistic import SparseLogisticRegression
from adam_core.randomness import Purpose, stream
from adam_core.schedules import Schedule

KERNELS = "adam_core.models.sparse_logistic.kernels"
CPU = torch.device("cpu")
F64 = torch.float64
F, L2 = 50, 0.03
WIDTHS = [1, 2, 4, 8, 16, 32, 64]

each_width = pytest.mark.parametrize("width", WIDTHS)


def draw(layer: int) -> np.random.Generator:
    return stream(5, 0, Purpose.TRAINING_NOISE, epoch=1, step=2, layer=layer)


@pytest.fixture(params=["compiled", "plain"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test with the compiled kernels and as if Numba were not installed."""
    monkeypatch.setattr(KERNELS, kernels if request.param == "compiled" else None)


def _model(width: int, dropout: float = 0.0, dtype: torch.dtype = F64) -> SparseLogisticRegression:
    return SparseLogisticRegression(F, L2, dropout, width, CPU, dtype)


def _examples(n: int, dtype: torch.dtype = F64) -> SparseExamples:
    """Rows of 0 to 12 of 50 features, the first and the last row empty, except where there is one row."""
    random = np.random.default_rng(n)
    sizes = random.integers(1, 13, n)
    if n > 1:
        sizes[[0, -1]] = 0
    rows = [np.sort(random.choice(F, size, replace=False)) for size in sizes]
    return SparseExamples.from_csr(
        torch.tensor([0, *np.cumsum(sizes)]),
        torch.tensor(np.concatenate(rows), dtype=torch.int32),
        torch.tensor(random.uniform(0.5, 2.0, sizes.sum())).to(dtype),
        torch.tensor(random.integers(0, 2, n)),
        F,
    )


def _dense(examples: SparseExamples, mask: Tensor | None = None) -> Tensor:
    """The inputs [n, F], entries times their factor of the mask."""
    inputs = torch.zeros(len(examples), F, dtype=examples.dtype)
    seen = 0
    for row, start, end in zip(inputs, examples.starts.tolist(), examples.ends.tolist(), strict=True):
        factors = 1.0 if mask is None else mask[seen : seen + end - start]
        row[examples.features[start:end].long()] = examples.values[start:end] * factors
        seen += end - start
    return inputs


def _theta(width: int, dtype: torch.dtype = F64) -> Tensor:
    return torch.randn(F + 1, 1, width, generator=torch.Generator().manual_seed(width), dtype=F64).to(dtype)


def _twin(theta: Tensor, lane: int) -> nn.Linear:
    twin = nn.Linear(F, 1, dtype=theta.dtype)
    with torch.no_grad():
        twin.weight.copy_(theta[:-1, :, lane].t())
        twin.bias.copy_(theta[-1, :, lane])
    return twin


def _twins_loss(twin: nn.Linear, inputs: Tensor, labels: Tensor) -> Tensor:
    logits = twin(inputs)[:, 0]
    return binary_cross_entropy_with_logits(logits, labels.to(logits.dtype)) + L2 / 2 * twin.weight.square().sum()


def _gradient(model: SparseLogisticRegression, theta: Tensor, examples: SparseExamples) -> Tensor:
    gradients = []
    batch = model.prepare(examples, draw, training=True)
    model.backward([theta], batch, lambda layer, gradient: gradients.append((layer, gradient.clone())))
    ((layer, gradient),) = gradients
    assert layer == 0 and gradient.shape == theta.shape
    return gradient


@each_width
@pytest.mark.parametrize("n", [1, 29])
@pytest.mark.parametrize("dropout", [0.0, 0.25])
@pytest.mark.usefixtures("path")
def test_gradient_is_autograds_of_a_dense_twin(width: int, n: int, dropout: float) -> None:
    # A batch of a data set: its entries are neither the first nor in the data set's order.
    examples = _examples(40).gather(torch.randperm(40, generator=torch.Generator().manual_seed(n))[:n])
    theta = _theta(width)
    n_entries = int((examples.ends - examples.starts).sum())
    mask = Dropout(dropout).mask(draw(0), (n_entries,), CPU, F64)
    gradient = _gradient(_model(width, dropout), theta, examples)
    for lane in range(width):
        twin = _twin(theta, lane)
        torch.autograd.backward(_twins_loss(twin, _dense(examples, mask), examples.labels))
        assert twin.weight.grad is not None and twin.bias.grad is not None
        torch.testing.assert_close(gradient[:-1, :, lane].t(), twin.weight.grad, rtol=0, atol=1e-14)
        torch.testing.assert_close(gradient[-1, :, lane], twin.bias.grad, rtol=0, atol=1e-14)


@each_width
@pytest.mark.parametrize("n", [1, 29])
@pytest.mark.usefixtures("path")
def test_losses_and_penalty_are_the_twins_without_dropout(width: int, n: int) -> None:
    model, examples, theta = _model(width, dropout=0.5), _examples(n), _theta(width)
    losses, errors = model.losses([theta], model.prepare(examples, draw, training=False))
    total = losses / n + model.penalty([theta])
    for lane in range(width):
        twin, inputs = _twin(theta, lane), _dense(examples)
        expected = _twins_loss(twin, inputs, examples.labels)
        torch.testing.assert_close(total[lane], expected.detach(), rtol=1e-13, atol=0)
        assert errors[lane] == ((twin(inputs)[:, 0] > 0) != examples.labels.bool()).sum()


@each_width
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (F64, 1e-15)], ids=str)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_compiled_is_plain_to_rounding(
    monkeypatch: pytest.MonkeyPatch, width: int, dtype: torch.dtype, tolerance: float, dropout: float
) -> None:
    examples, theta = _examples(37, dtype), _theta(width, dtype)
    results = []
    for path in (kernels, None):
        monkeypatch.setattr(KERNELS, path)
        model = _model(width, dropout, dtype=dtype)
        batch = model.prepare(examples, draw, training=True)
        results.append((_gradient(model, theta, examples), model.losses([theta], batch)))
    compiled, plain = results
    torch.testing.assert_close(compiled[0], plain[0], rtol=0, atol=tolerance)
    torch.testing.assert_close(compiled[1], plain[1], rtol=20 * tolerance, atol=0)


@each_width
@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
@pytest.mark.parametrize("n", [1, 29, 128])
def test_a_lane_is_the_same_at_each_place_with_any_mates(width: int, dtype: torch.dtype, n: int) -> None:
    model, examples, theta = _model(width, dropout=0.5, dtype=dtype), _examples(n, dtype), _theta(width, dtype)
    lane = 3 * torch.randn(F + 1, 1, generator=torch.Generator().manual_seed(0), dtype=F64).to(dtype)
    training, evaluation = (model.prepare(examples, draw, training=training) for training in (True, False))

    def numbers(block: Tensor) -> Tensor:
        gradients: list[Tensor] = []
        model.backward([block], training, lambda _, gradient: gradients.append(gradient.clone()))
        losses, penalty = model.losses([block], evaluation), model.penalty([block])
        return torch.cat([gradients[0].flatten(0, 1).double(), losses, penalty[None]])

    everywhere = numbers(lane[..., None].repeat(1, 1, width))
    assert everywhere.isfinite().all()
    for place in range(width):
        block = theta.clone()
        block[..., place - 1] = math.nan
        block[..., (place + 1) % width] = 1e38
        block[..., place] = lane
        assert torch.equal(numbers(block)[:, place], everywhere[:, 0])
        assert torch.equal(everywhere[:, place], everywhere[:, 0])


@pytest.mark.usefixtures("path")
def test_a_lane_trains_as_a_dense_twin_with_torchs_adam() -> None:
    """100 steps on batches of changing sizes, float64 to 1e-10."""
    alphas = [0.01, 0.1]
    settings = [LaneSetting({"alpha": a, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}, Schedule()) for a in alphas]
    updates = LaneUpdates("adam", {}, steps_per_epoch=2)
    array = TrialArray(_model(2), updates, settings, [0, 0], lambda seed, layer: draw(layer))
    twins = [_twin(torch.zeros(F + 1, 1, 1), 0).to(F64) for _ in alphas]
    optimizers = [torch.optim.Adam(twin.parameters(), lr=a) for twin, a in zip(twins, alphas, strict=True)]
    examples = _examples(29)
    for step in range(1, 101):
        batch = examples.part(0, 20) if step % 2 else examples.part(20, 29)
        array.step(step, {0: array.prepare(batch, draw, training=True)})
        for twin, optimizer in zip(twins, optimizers, strict=True):
            optimizer.zero_grad()
            torch.autograd.backward(_twins_loss(twin, _dense(batch), batch.labels))
            optimizer.step()
    (theta,) = array.parameters()
    for lane, twin in enumerate(twins):
        expected = torch.cat([twin.weight.detach().t(), twin.bias.detach()[None]])
        torch.testing.assert_close(theta[lane], expected, rtol=0, atol=1e-10)


@pytest.mark.usefixtures("path")
def test_sure_predictions_stay_finite() -> None:
    """Logits of some 1e4, right and wrong: the exponential overflows float32."""
    model, examples = _model(2, dtype=torch.float32), _examples(29, torch.float32)
    theta = torch.full((F + 1, 1, 2), 1e3)
    theta[..., 1] *= -1
    losses = model.losses([theta], model.prepare(examples, draw, training=False))
    assert losses.isfinite().all() and (losses[0] > 1e3).all()
    assert _gradient(model, theta, examples).isfinite().all()


@pytest.mark.usefixtures("path")
def test_training_starts_undecided() -> None:
    model, examples = _model(4), _examples(29)
    (theta,) = model.initial(draw)
    assert theta.shape == model.shapes[0] == (F + 1, 1)
    block = torch.from_numpy(theta)[..., None].repeat(1, 1, 4)
    losses, errors = model.losses([block], model.prepare(examples, draw, training=False))
    torch.testing.assert_close(losses, torch.full((4,), 29 * math.log(2), dtype=F64), rtol=1e-14, atol=0)
    assert errors.tolist() == [examples.labels.sum()] * 4  # a logit of 0 is the label 0


@pytest.mark.usefixtures("path")
def test_dropout_leaves_the_examples_as_they_are() -> None:
    model, examples = _model(1, dropout=0.5), _examples(29)
    before = _dense(examples)
    model.prepare(examples, draw, training=True)
    assert torch.equal(_dense(examples), before)


@pytest.mark.usefixtures("path")
def test_an_empty_example_is_of_the_bias_alone() -> None:
    examples, theta = _examples(29).part(0, 1), _theta(2)
    gradient = _gradient(_model(2, dropout=0.5), theta, examples)
    torch.testing.assert_close(gradient[:-1], L2 * theta[:-1], rtol=0, atol=0)
    torch.testing.assert_close(gradient[-1], theta[-1].sigmoid() - examples.labels, rtol=0, atol=1e-15)


@pytest.mark.usefixtures("path")
def test_sums_are_float64_whatever_the_parameters_are() -> None:
    model, examples = _model(2, dtype=torch.float32), _examples(29, torch.float32)
    theta = [_theta(2, torch.float32)]
    batch = model.prepare(examples, draw, training=False)
    assert model.losses(theta, batch).dtype == model.penalty(theta).dtype == F64


def test_a_rate_that_no_byte_can_give_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^dropout must be a multiple of 1/256, got 0\.3"):
        _model(1, dropout=0.3)


@pytest.mark.usefixtures("path")
def test_examples_of_other_features_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^examples must have 49 features, got 50$"):
        SparseLogisticRegression(F - 1, L2, 0.0, 1, CPU, F64).prepare(_examples(3), draw, training=True)
