"""The shapes of workloads that are measured: model, data, and what an array of trials is required to reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import modules
from benchmarks.inputs import N_WORDS

BATCH_SIZE = 128

#: Forms of a model whose inputs are dense.
DENSE, CHANNELS_LAST = "dense", "channels-last"

#: Rates are multiples of 1/256, as our models want them.
INPUT_DROPOUT = 51 / 256
DROPOUT = 0.5


@dataclass(frozen=True)
class Shape:
    """A workload as the rivals see it.

    Args:
        name: of the workload.
        dataset: mnist, cifar-10 or imdb.
        forms: by name, the ways to write the model in PyTorch; the usual one first.
        loss: of a module and a batch (inputs ..., labels).
        seconds: of one turn: several steps of the slowest way.
        required: the least ratios of our trial-steps per second to the best rival's and to the usual way's, on 2 cores.
        required_on_gpu: the least ratio to the usual way's on the same GPU; None: not stated.
        l2: strength of the penalty of the weights.
    """

    name: str
    dataset: str
    forms: Mapping[str, Callable[[], nn.Module]]
    loss: Callable[[nn.Module, Sequence[Tensor]], Tensor]
    seconds: float
    required: tuple[float, float]
    required_on_gpu: float | None = None
    l2: float = 1e-4

    @property
    def n_parameters(self) -> int:
        """Of one trial."""
        return sum(parameter.numel() for parameter in self._usual_module().parameters())

    def flops(self, inputs: Mapping[str, Tensor]) -> float:
        """Floating-point operations of the products and convolutions of one trial-step, those with zeros left out."""
        if "words" in inputs:  # a product and a sum for each word, forward and backward
            return 4 * BATCH_SIZE * len(inputs["words"]) / len(inputs["labels"])
        batch = [inputs[name][:BATCH_SIZE].to("meta") for name in ("inputs", "labels")]
        with FlopCounterMode(display=False) as counter:
            self.loss(self._usual_module().to("meta"), batch).backward()  # type: ignore[no-untyped-call]
        return float(counter.get_total_flops())

    def _usual_module(self) -> nn.Module:
        return next(iter(self.forms.values()))()


def _mnist_mlp(dropout: bool) -> Shape:
    return Shape(
        name="mnist-mlp-dropout" if dropout else "mnist-mlp",
        dataset="mnist",
        forms={DENSE: partial(modules.multilayer_perceptron, *((INPUT_DROPOUT, DROPOUT) if dropout else (0, 0)))},
        loss=modules.cross_entropy,
        seconds=0.6,
        required=(1.3, 2.1) if dropout else (1.05, 1.6),
        required_on_gpu=None if dropout else 20,
    )


def _imdb_logistic(dropout: float) -> Shape:
    sparse = {
        "CSR": modules.CsrLogistic,
        "EmbeddingBag": modules.EmbeddingBagLogistic,
        "segments": modules.SegmentLogistic,
    }
    return Shape(
        name="imdb-logistic-dropout" if dropout else "imdb-logistic",
        dataset="imdb",
        forms={
            DENSE: partial(modules.dense_logistic, N_WORDS, dropout),
            **{name: partial(form, N_WORDS, dropout) for name, form in sparse.items()},
        },
        loss=modules.binary_cross_entropy,
        seconds=0.3,
        required=(100, 1100),
    )


def _cifar10_cnn(dropout: bool) -> Shape:
    network = partial(modules.convolutional_network, *((INPUT_DROPOUT, DROPOUT) if dropout else (0, 0)))
    return Shape(
        name="cifar10-cnn-dropout" if dropout else "cifar10-cnn",
        dataset="cifar-10",
        forms={DENSE: network, CHANNELS_LAST: network},
        loss=modules.cross_entropy,
        seconds=1.0,
        required=(1.0, 1.2),
        required_on_gpu=None if dropout else 2,
    )


_ALL = (
    Shape(
        name="mnist-logistic",
        dataset="mnist",
        forms={DENSE: modules.softmax_regression},
        loss=modules.cross_entropy,
        seconds=0.3,
        required=(8, 40),
        required_on_gpu=300,
    ),
    _imdb_logistic(0.0),
    _imdb_logistic(DROPOUT),
    _mnist_mlp(False),
    _mnist_mlp(True),
    Shape(
        name="mnist-vae",
        dataset="mnist",
        forms={DENSE: modules.VariationalAutoencoder},
        loss=modules.negative_bound,
        seconds=0.6,
        required=(1.3, 2.2),
        required_on_gpu=40,
        l2=0.0,
    ),
    _cifar10_cnn(False),
    _cifar10_cnn(True),
)

SHAPES = {shape.name: shape for shape in _ALL}
