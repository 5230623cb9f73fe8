from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn import Linear
from torch.nn.functional import binary_cross_entropy_with_logits

from adam_core.models import dense, softplus
from adam_core.models.examples import DenseExamples
from adam_core.models.stacked_model import Batch
from adam_core.models.vae import LATENT, VAE
from tests.adam_core.model_lanes import (
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
F, H, Z = 20, 18, 5


def _model(width: int, sizes: tuple[int, int, int] = (F, H, Z), dtype: torch.dtype = torch.float64) -> VAE:
    return VAE(*sizes, width, CPU, dtype)


def _batch(model: VAE, n: int, n_features: int = F) -> Batch:
    """Inputs in [0, 1], 0 and 1 among them."""
    inputs = torch.rand(n, n_features, generator=torch.Generator().manual_seed(n), dtype=torch.float64)
    inputs = (inputs * 1.5 - 0.25).clamp(0, 1).to(model.dtype)
    if n > 1:  # then the first layer leaves inputs out
        inputs[:, ::3] = 0.0
    return model.prepare(DenseExamples(inputs, torch.zeros(n, dtype=torch.int64)), noise(1), training=True)


def _outputs(layers: Sequence[Linear], inputs: Tensor, sample: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Latent mean, log variance and logits of the same network of one lane as anyone would write it."""
    encoder, latent, decoder, last = layers
    zero = torch.zeros((), dtype=torch.float64)  # torch's own softplus is x beyond x = 20, 2e-9 off
    mean, log_variance = latent(torch.logaddexp(encoder(inputs), zero)).chunk(2, dim=1)
    z = mean + torch.exp(log_variance / 2) * sample
    return mean, log_variance, last(torch.logaddexp(decoder(z), zero))


@pytest.mark.parametrize("n", [1, 29])
@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("sizes", [(F, H, Z), (7, 30, 20)])
def test_each_lane_equals_a_module_with_autograd(n: int, width: int, sizes: tuple[int, int, int]) -> None:
    """Float64, within 1e-12: loss and gradients, given the same noise."""
    model = _model(width, sizes)
    lanes = [random_lane(model.shapes, seed) for seed in range(width)]
    theta, batch = block(model, lanes), _batch(model, n, sizes[0])
    losses = model.losses(theta, batch)[0] / n
    handed = gradients(model, theta, batch)
    for place, lane in enumerate(lanes):
        layers = linear_layers(lane)
        mean, log_variance, logits = _outputs(layers, *batch[2:])
        reconstruction = binary_cross_entropy_with_logits(logits, batch[2], reduction="sum")
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
        loss = (reconstruction + divergence) / n
        torch.testing.assert_close(losses[place], loss.detach(), rtol=1e-12, atol=0)
        for layer, expected in enumerate(autograd(loss, layers)):
            torch.testing.assert_close(handed[layer][place], expected, rtol=0, atol=1e-12)


def test_losses_are_the_elbo_of_torchs_distributions_and_its_reconstruction_term() -> None:
    model = _model(2)
    lanes = [random_lane(model.shapes, seed) for seed in range(2)]
    batch = _batch(model, 29)
    inputs, sample = batch[2:]
    losses = model.losses(block(model, lanes), batch)
    for place, lane in enumerate(lanes):
        with torch.no_grad():
            mean, log_variance, logits = _outputs(linear_layers(lane), inputs, sample)
        pixels: Any = Bernoulli(logits=logits, validate_args=False)
        likelihood = pixels.log_prob(inputs).sum()
        posterior = Normal(mean, (log_variance / 2).exp())
        divergence = kl_divergence(posterior, Normal(0.0, 1.0)).sum()
        torch.testing.assert_close(losses[0, place], divergence - likelihood, rtol=1e-12, atol=0)
        torch.testing.assert_close(losses[1, place], -likelihood, rtol=1e-12, atol=0)


@pytest.mark.parametrize("compiled", [True, False])
def test_float32_is_float64_rounded(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses within 1e-6, gradients within 1e-5 of the largest, by compiled kernels and oneDNN, and without them."""
    if not compiled:
        monkeypatch.setattr(softplus, "kernels", None)
        monkeypatch.setattr(dense, "_onednn", None)
    single, double = _model(2, (784, 100, 20), torch.float32), _model(2, (784, 100, 20))
    lanes = [random_lane(single.shapes, seed) for seed in range(2)]
    batch = _batch(single, 64, 784)
    exact = tuple(tensor.double() if tensor.is_floating_point() else tensor for tensor in batch)
    losses, expected = single.losses(block(single, lanes), batch), double.losses(block(double, lanes), exact)
    torch.testing.assert_close(losses, expected, rtol=1e-6, atol=0)
    for own, true in zip(
        gradients(single, block(single, lanes), batch), gradients(double, block(double, lanes), exact), strict=True
    ):
        torch.testing.assert_close(own.double(), true, rtol=0, atol=1e-5 * true.abs().max().item())


@pytest.mark.parametrize("log_variance", [-500.0, -80.0, 60.0])
@pytest.mark.parametrize("logit", [-1e4, 1e4])
def test_extreme_log_variances_and_logits_have_finite_losses_and_gradients(log_variance: float, logit: float) -> None:
    model = _model(1, dtype=torch.float32)
    lane = [torch.zeros(shape, dtype=torch.float64) for shape in model.shapes]
    lane[1][-1, Z:] = log_variance
    lane[3][-1] = logit
    batch = _batch(model, 16)
    loss, reconstruction = model.losses(block(model, [lane]), batch)[:, 0]
    expected = (max(logit, 0.0) - logit * batch[2]).double().sum()
    torch.testing.assert_close(reconstruction, expected, rtol=1e-6, atol=0)
    divergence = 16 * Z / 2 * (torch.tensor(log_variance, dtype=torch.float64).exp() - 1 - log_variance)
    torch.testing.assert_close(loss - reconstruction, divergence, rtol=1e-6, atol=1e-6 * expected.item())
    for gradient in gradients(model, block(model, [lane]), batch):
        assert gradient.isfinite().all()


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize(
    ("sizes", "n"), [((30, 33, 5), 29), ((30, 33, 5), 1), ((784, 250, 50), 3), ((784, 250, 50), 128)]
)
@pytest.mark.parametrize("compiled", [True, False])
def test_a_lane_computes_the_same_bits_at_every_place(
    sizes: tuple[int, int, int], n: int, width: int, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        monkeypatch.setattr(softplus, "kernels", None)
    model = _model(width, sizes, torch.float32)
    assert_same_at_every_place(model, _batch(model, n, sizes[0]))


def test_buffers_carry_nothing_over() -> None:
    model = _model(2, dtype=torch.float32)
    assert_buffers_carry_nothing_over(model, [_batch(model, n) for n in (29, 1, 20, 29, 128)])


def test_initial_weights() -> None:
    assert_initial_weights(_model(1, (784, 300, 50)), (1 / 784, 1 / 300, 1 / 50, 1 / 300))


def test_noise_is_standard_normal_and_the_same_in_every_dtype_and_in_evaluation() -> None:
    examples = DenseExamples(torch.zeros(2000, F, dtype=torch.float64), torch.zeros(2000, dtype=torch.int64))
    sample = _model(1).prepare(examples, noise(1), training=True)[3]
    assert sample.shape == (2000, Z)
    # standard errors of 10,000 numbers: 0.01 of the mean, 0.014 of the variance
    assert sample.mean().item() == pytest.approx(0.0, abs=0.05)
    assert sample.var().item() == pytest.approx(1.0, abs=0.07)
    assert np.array_equal(sample, noise(1)(LATENT).standard_normal((2000, Z)))
    assert torch.equal(_model(4).prepare(examples, noise(1), training=False)[3], sample)
    assert torch.equal(_model(1, dtype=torch.float32).prepare(examples, noise(1), training=True)[3], sample.float())
    assert not torch.equal(_model(1).prepare(examples, noise(2), training=True)[3], sample)


def test_there_is_no_penalty_and_sums_are_float64() -> None:
    model = _model(2, dtype=torch.float32)
    theta = block(model, [random_lane(model.shapes, 0)] * 2)
    assert model.losses(theta, _batch(model, 9)).dtype is torch.float64
    assert torch.equal(model.penalty(theta), torch.zeros(2, dtype=torch.float64))
