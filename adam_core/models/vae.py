"""The variational autoencoder of the paper's section 6.4."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adam_core.models import dense, input_layer
from adam_core.models.examples import DenseExamples
from adam_core.models.softplus import bernoulli_gradient, bernoulli_losses, softplus
from adam_core.models.stacked_model import Batch, Draw

#: Of the layers; layer 1 gives the latent means (its first half) and log variances.
ENCODER, LATENT, DECODER, LOGITS = range(4)


class _Activations(NamedTuple):
    """What a forward pass leaves, [b, n, ...] each."""

    encoded: Tensor  #: softplus units and ones, H + 1
    encoder_slope: Tensor  #: of the softplus, H
    latent: Tensor  #: means, then log variances, 2 Z
    deviation: Tensor  #: exp(log variance / 2), Z
    sample: Tensor  #: mean + deviation * noise, and ones, Z + 1
    decoded: Tensor  #: H + 1
    decoder_slope: Tensor  #: H
    logits: Tensor  #: F


class VAE:
    """Encoder F - H softplus - Gaussian of Z dimensions, decoder Z - H softplus - F Bernoulli logits.

    The loss is the mean over the batch of the negative evidence lower bound (ELBO), estimated by one latent sample:
    reconstruction, sum over the inputs of softplus(logit) - input * logit, plus Kullback-Leibler divergence from the
    standard normal. Inputs in [0, 1] are taken as the means of Bernoulli variables.

    A layer's parameters are [inputs + 1, outputs]: the weights, and the biases as the last row.

    Args:
        n_features: F.
        hidden: H, the softplus units of the encoder and of the decoder (the paper's: 500).
        latent: Z (the paper's: 50).
        width: b, lanes in a block.
        device: where blocks lie.
        dtype: of parameters and inputs.

    Source: Kingma & Ba 2015, section 6.4; Kingma & Welling 2014, appendix B and C. Initial weights are not stated; here
    normal of variance 1/inputs, biases 0.
    """

    lanes_last = False

    def __init__(
        self, n_features: int, hidden: int, latent: int, width: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.latent = latent
        self.width = width
        self.device = device
        self.dtype = dtype
        self.shapes = (
            (n_features + 1, hidden),
            (hidden + 1, 2 * latent),
            (latent + 1, hidden),
            (hidden + 1, n_features),
        )
        self._gradients = dense.gradient_buffers(self.shapes, width, device, dtype)

    def initial(self, draw: Draw) -> tuple[NDArray[np.float64], ...]:
        """The parameters of one lane before step 1."""
        return tuple(
            dense.initial(draw(layer), n_in - 1, n_out, variance=1 / (n_in - 1))
            for layer, (n_in, n_out) in enumerate(self.shapes)
        )

    def prepare(self, examples: DenseExamples, draw: Draw, *, training: bool) -> Batch:
        """Inputs and rows of `input_layer.needed_inputs`, all inputs [n, F] and standard normal noise [n, Z].

        The noise is that of stream 1, in training and in evaluation.
        """
        noise = torch.from_numpy(draw(LATENT).standard_normal((len(examples), self.latent)))
        return *input_layer.needed_inputs(examples.inputs), examples.inputs, noise.to(self.device, self.dtype)

    def backward(self, theta: Sequence[Tensor], batch: Batch, update: Callable[[int, Tensor], None]) -> None:
        """Hand each layer's gradient [b, inputs + 1, outputs] to `update`, the last layer's first."""
        inputs, rows, targets, noise = batch
        n = len(targets)
        encoded, encoder_slope, latent, deviation, sample, decoded, decoder_slope, logits = self._forward(theta, batch)

        def hand_over(layer: int, inputs: Tensor, delta: Tensor) -> None:
            dense.gradient(theta[layer], inputs, delta, out=self._gradients[layer])
            update(layer, self._gradients[layer])

        d_logits = bernoulli_gradient(logits, targets)
        d_decoded = dense.input_gradient(theta[LOGITS], d_logits).mul_(decoder_slope)
        hand_over(LOGITS, decoded, d_logits)
        d_sample = dense.input_gradient(theta[DECODER], d_decoded)
        hand_over(DECODER, sample, d_decoded)
        # The sample is mean + deviation * noise; the divergence (mean² + variance - log variance - 1)/2 per example.
        mean, _ = latent.chunk(2, dim=2)
        d_mean = d_sample + mean / n
        d_divergence = deviation.square().sub_(1).div_(n)
        d_log_variance = d_sample.mul_(noise).mul_(deviation).add_(d_divergence).div_(2)
        d_latent = torch.cat([d_mean, d_log_variance], dim=2)
        d_encoded = dense.input_gradient(theta[LATENT], d_latent).mul_(encoder_slope)
        hand_over(LATENT, encoded, d_latent)
        inputs = inputs.expand(self.width, -1, -1)
        input_layer.gradient(theta[ENCODER], inputs, rows, d_encoded, out=self._gradients[ENCODER])
        update(ENCODER, self._gradients[ENCODER])

    def losses(self, theta: Sequence[Tensor], batch: Batch) -> Tensor:
        """Sums over the batch of each lane's negative ELBO and of its reconstruction term: [2, b] float64."""
        activations = self._forward(theta, batch)
        reconstruction = bernoulli_losses(activations.logits, batch[2]).sum((1, 2), dtype=torch.float64)
        mean, log_variance = activations.latent.double().chunk(2, dim=2)
        divergence = (mean.square() + log_variance.exp() - log_variance - 1).sum((1, 2)) / 2
        return torch.stack([reconstruction + divergence, reconstruction])

    def penalty(self, theta: Sequence[Tensor]) -> Tensor:
        """Zeros [b] float64: there is no L2 term."""
        return torch.zeros(self.width, dtype=torch.float64, device=self.device)

    def _forward(self, theta: Sequence[Tensor], batch: Batch) -> _Activations:
        inputs, rows, _, noise = batch
        outputs = input_layer.outputs(theta[ENCODER], inputs.expand(self.width, -1, -1), rows)
        encoded, encoder_slope = _softplus(outputs)
        latent = dense.outputs(theta[LATENT], encoded)
        mean, log_variance = latent.chunk(2, dim=2)
        deviation = log_variance.mul(0.5).exp_()
        sample = dense.empty_inputs(deviation)
        torch.add(mean, deviation * noise, out=sample[..., :-1])
        decoded, decoder_slope = _softplus(dense.outputs(theta[DECODER], sample))
        logits = dense.outputs(theta[LOGITS], decoded)
        return _Activations(encoded, encoder_slope, latent, deviation, sample, decoded, decoder_slope, logits)


def _softplus(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """The next layer's inputs, and the slopes, in the memory of the outputs."""
    values = dense.empty_inputs(outputs)
    return values, softplus(outputs, values)
