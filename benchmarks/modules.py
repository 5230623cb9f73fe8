"""The paper's models as a user of PyTorch writes them, and their losses of a batch (inputs ..., labels)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def softmax_regression(n_features: int, n_classes: int) -> nn.Module:
    """Logits of the classes."""
    return nn.Sequential(nn.Linear(n_features, n_classes))


def multilayer_perceptron(sizes: Sequence[int], input_dropout: float, dropout: float) -> nn.Module:
    """Layers of these sizes, inputs and classes included, ReLU, dropout of the inputs and of the hidden units."""
    layers = _dropout(input_dropout)
    for n_in, n_out in pairwise(sizes[:-1]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU(), *_dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def convolutional_network(
    image_shape: tuple[int, int, int],
    channels: Sequence[int],
    hidden: int,
    n_classes: int,
    input_dropout: float,
    dropout: float,
) -> nn.Module:
    """Stages of 5x5 convolution, ReLU, 3x3 max pooling of stride 2; then ReLU units; dropout of inputs and units.

    Pooling windows begin at the images' edge and are cut off at the other one; sides must be even.
    """
    n_in, height, width = image_shape
    layers = _dropout(input_dropout)
    for n_out in channels:
        layers += [nn.Conv2d(n_in, n_out, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2, ceil_mode=True)]
        n_in, height, width = n_out, height // 2, width // 2
    layers += [nn.Flatten(), nn.Linear(n_in * height * width, hidden), nn.ReLU(), *_dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(hidden, n_classes))


class VariationalAutoencoder(nn.Module):
    """Softplus units, Gaussian latent, Bernoulli inputs; gives the negative evidence lower bound.

    Args:
        n_features: inputs of an image.
        hidden: units of the encoder and of the decoder.
        latent: dimensions of the latent.
    """

    def __init__(self, n_features: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(n_features, hidden), nn.Softplus())
        self.mean, self.log_variance = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.Softplus(), nn.Linear(hidden, n_features))

    def forward(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Minus the evidence lower bound, summed over the images; the latent's noise is drawn unless it is given."""
        hidden = self.encoder(images)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        noise = torch.randn_like(mean) if noise is None else noise
        latent = mean + noise * torch.exp(0.5 * log_variance)
        reconstruction = F.binary_cross_entropy_with_logits(self.decoder(latent), images, reduction="sum")
        divergence = -0.5 * torch.sum(1 + log_variance - mean.square() - log_variance.exp())
        return reconstruction + divergence


class SparseLogistic(nn.Module):
    """Logistic regression on bags of words: sums of the weights of each review's words, and a bias.

    Args:
        n_words: size of the vocabulary.
        dropout: rate of the inputs'.
    """

    def __init__(self, n_words: int, dropout: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_words, 1))
        self.bias = nn.Parameter(torch.zeros(1))
        self.dropout = dropout


class EmbeddingBagLogistic(SparseLogistic):
    """As an embedding bag."""

    def forward(self, words: Tensor, starts: Tensor, lengths: Tensor) -> Tensor:
        """The logits of reviews, given all their words and where each begins."""
        values = F.dropout(torch.ones(len(words)), self.dropout) if self.dropout else None
        sums = F.embedding_bag(words, self.weight, starts, mode="sum", per_sample_weights=values)
        return sums.squeeze(1) + self.bias


class CsrLogistic(SparseLogistic):
    """As the product with a sparse CSR matrix."""

    def __init__(self, n_words: int, dropout: float) -> None:
        super().__init__(n_words, dropout)
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state")

    def forward(self, words: Tensor, starts: Tensor, lengths: Tensor) -> Tensor:
        """The logits of reviews, given all their words and where each begins."""
        values = F.dropout(torch.ones(len(words)), self.dropout)
        rows = torch.cat([starts, torch.tensor([len(words)])])
        shape = (len(lengths), len(self.weight))
        inputs = torch.sparse_csr_tensor(rows, words, values, shape, check_invariants=False)
        return (inputs @ self.weight).squeeze(1) + self.bias


class SegmentLogistic(SparseLogistic):
    """As sums of segments of the picked weights: not what a tutorial shows, but PyTorch's fastest way."""

    def forward(self, words: Tensor, starts: Tensor, lengths: Tensor) -> Tensor:
        """The logits of reviews, given all their words and where each begins."""
        picked = F.dropout(self.weight.view(-1).index_select(0, words), self.dropout)
        sums: Tensor = torch.segment_reduce(picked, "sum", lengths=lengths)
        return sums + self.bias


def dense_logistic(n_words: int, dropout: float) -> nn.Module:
    """Logistic regression on rows of the whole vocabulary."""
    return nn.Sequential(*_dropout(dropout), nn.Linear(n_words, 1), nn.Flatten(0))


def cross_entropy(module: nn.Module, batch: Sequence[Tensor]) -> Tensor:
    """Of classes."""
    return F.cross_entropy(module(batch[0]), batch[-1])


def binary_cross_entropy(module: nn.Module, batch: Sequence[Tensor]) -> Tensor:
    """Of labels 0 and 1."""
    return F.binary_cross_entropy_with_logits(module(*batch[:-1]), batch[-1])


def negative_bound(module: nn.Module, batch: Sequence[Tensor]) -> Tensor:
    """Of an autoencoder, which ignores the labels."""
    loss: Tensor = module(*batch[:-1]) / len(batch[0])
    return loss


def _dropout(rate: float) -> list[nn.Module]:
    return [nn.Dropout(rate)] if rate else []
