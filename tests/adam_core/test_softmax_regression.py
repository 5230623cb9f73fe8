import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from adam_core.models.examples import DenseExamples
from adam_core.models.softmax_regression import SoftmaxRegression
from adam_core.models.stacked_model import Batch
from adam_core.randomness import Purpose, stream

CPU = torch.device("cpu")
F, C, L2 = 20, 7, 0.03


def _model(width: int, dtype: torch.dtype = torch.float64) -> SoftmaxRegression:
    return SoftmaxRegression(F, C, L2, width, CPU, dtype)


def _examples(n: int, dtype: torch.dtype = torch.float64) -> DenseExamples:
    random = torch.Generator().manual_seed(n)
    inputs = torch.rand(n, F, generator=random, dtype=torch.float64).to(dtype)
    return DenseExamples(inputs, torch.randint(0, C, (n,), generator=random))


def _theta(width: int) -> Tensor:
    return torch.randn(F + 1, C, width, generator=torch.Generator().manual_seed(width), dtype=torch.float64)


def _sum_of_lane_losses(theta: Tensor, batch: DenseExamples) -> Tensor:
    losses = []
    for lane in range(theta.shape[-1]):
        weights, biases = theta[:-1, :, lane], theta[-1, :, lane]
        data_loss = cross_entropy(batch.inputs @ weights + biases, batch.labels)
        losses.append(data_loss + L2 / 2 * weights.square().sum())
    return torch.stack(losses).sum()


@pytest.mark.parametrize("width", [1, 3, 8])
@pytest.mark.parametrize("n", [1, 29])
def test_gradient_is_autograds_of_the_sum_over_lanes_of_their_mean_losses(width: int, n: int) -> None:
    model, examples, theta = _model(width), _examples(n), _theta(width)
    batch = (examples.inputs, examples.labels)
    leaf = theta.clone().requires_grad_()
    torch.autograd.backward(_sum_of_lane_losses(leaf, examples))
    gradients: dict[int, Tensor] = {}
    model.backward([theta], batch, lambda layer, gradient: gradients.update({layer: gradient.clone()}))
    assert gradients.keys() == {0}
    torch.testing.assert_close(gradients[0], leaf.grad, rtol=0, atol=1e-14)


def test_losses_and_penalty_are_the_loss_that_the_gradient_is_of() -> None:
    model, batch, theta = _model(4), _examples(29), _theta(4)
    total = model.losses([theta], (batch.inputs, batch.labels))[0].sum() / len(batch) + model.penalty([theta]).sum()
    torch.testing.assert_close(total, _sum_of_lane_losses(theta, batch), rtol=1e-13, atol=0)


def test_errors_are_the_examples_whose_likeliest_class_is_another() -> None:
    model, batch, theta = _model(4), _examples(200), _theta(4)
    logits = torch.einsum("nf,fck->nck", batch.inputs, theta[:-1]) + theta[-1]
    expected = (logits.argmax(1) != batch.labels[:, None]).sum(0)
    assert 0 < expected.min()
    assert model.losses([theta], (batch.inputs, batch.labels))[1].tolist() == expected.tolist()


def test_sums_are_float64_whatever_the_parameters_are() -> None:
    model, batch = _model(2, torch.float32), _examples(29, torch.float32)
    theta = [_theta(2).float()]
    assert model.losses(theta, (batch.inputs, batch.labels)).dtype == model.penalty(theta).dtype == torch.float64


def test_initial_weights_have_variance_one_over_inputs_and_biases_are_zero() -> None:
    model = SoftmaxRegression(784, 10, L2, 4, CPU, torch.float32)
    (theta,) = model.initial(lambda layer: stream(0, 0, Purpose.INITIAL_WEIGHTS, layer=layer))
    assert theta.shape == model.shapes[0] == (785, 10)
    assert not theta[-1].any()
    # 7,840 draws: the standard error of their variance is 1.6 % of it, of their mean 1.1 % of their deviation.
    assert np.var(theta[:-1]) * 784 == pytest.approx(1.0, rel=0.06)
    assert abs(np.mean(theta[:-1])) * 28 < 0.05


def _prepared(model: SoftmaxRegression, examples: DenseExamples) -> Batch:
    return model.prepare(examples, lambda layer: np.random.default_rng(layer), training=True)


def test_a_batch_is_the_gathered_examples_without_the_features_that_all_lack() -> None:
    examples = _examples(29)
    examples.inputs[:, [0, 7, 19]] = 0.0
    examples.inputs[3, 7] = -1.0
    inputs, labels, used = _prepared(_model(2), examples.gather(torch.tensor([28, 3, 3])))
    assert used.tolist() == [feature for feature in range(F) if feature not in (0, 19)]
    assert torch.equal(inputs, examples.inputs[[28, 3, 3]][:, used])
    assert torch.equal(labels, examples.labels[[28, 3, 3]])
    assert len(examples.part(20, 40)) == 9


@pytest.mark.parametrize("features", [[], [5], list(range(F))])
def test_features_that_a_batch_lacks_change_neither_losses_nor_gradients(features: list[int]) -> None:
    model, examples, theta = _model(4), _examples(29), _theta(4)
    examples.inputs[:, features] = 0.0
    whole = (examples.inputs, examples.labels)
    found: list[Tensor] = []
    for batch in (whole, _prepared(model, examples)):
        model.backward([theta], batch, lambda layer, gradient: found.append(gradient.clone()))
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-14)
    losses = [model.losses([theta], batch) for batch in (whole, _prepared(model, examples))]
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-13, atol=0)
