"""The shapes of workloads that are measured: model, data, and what an array of trials is required to reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import modules
from benchmarks.twins import RECIPES, Loss
from studies.workloads import find_workload

BATCH_SIZE = 128

#: Forms of a model whose inputs are dense.
DENSE, CHANNELS_LAST = "dense", "channels-last"


@dataclass(frozen=True)
class Shape:
    """A workload as the rivals see it.

    Args:
        name: of the workload.
        others: by name, other ways to write the model in PyTorch than the usual one.
        seconds: of one turn: several steps of the slowest way.
        required: the least ratios of our trial-steps per second to the best rival's and to the usual way's, on 2 cores.
        required_on_gpu: the least ratio to the usual way's on the same GPU; None: not stated.
    """

    name: str
    others: Mapping[str, Callable[[], nn.Module]]
    seconds: float
    required: tuple[float, float]
    required_on_gpu: float | None = None

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return find_workload(self.name).dataset

    @property
    def l2(self) -> float:
        """Strength of the penalty of the weights."""
        return find_workload(self.name).l2

    @property
    def forms(self) -> Mapping[str, Callable[[], nn.Module]]:
        """By name, the ways to write the model in PyTorch, the usual one first."""
        return {DENSE: RECIPES[self.name].module, **self.others}

    @property
    def loss(self) -> Loss:
        """Of a module and a batch (inputs ..., labels)."""
        return RECIPES[self.name].loss

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
        return RECIPES[self.name].module()


def _mnist_mlp(name: str, required: tuple[float, float], required_on_gpu: float | None) -> Shape:
    return Shape(name=name, others={}, seconds=0.6, required=required, required_on_gpu=required_on_gpu)


def _imdb_logistic(name: str) -> Shape:
    (n_words,), dropout = find_workload(name).input_shape, find_workload(name).input_dropout
    sparse = {
        "CSR": modules.CsrLogistic,
        "EmbeddingBag": modules.EmbeddingBagLogistic,
        "segments": modules.SegmentLogistic,
    }
    others = {form: partial(module, n_words, dropout) for form, module in sparse.items()}
    return Shape(name=name, others=others, seconds=0.3, required=(100, 1100))


def _cifar10_cnn(name: str, required_on_gpu: float | None) -> Shape:
    others = {CHANNELS_LAST: RECIPES[name].module}
    return Shape(name=name, others=others, seconds=1.0, required=(1.0, 1.2), required_on_gpu=required_on_gpu)


_ALL = (
    Shape(name="mnist-logistic", others={}, seconds=0.3, required=(8, 40), required_on_gpu=300),
    _imdb_logistic("imdb-logistic"),
    _imdb_logistic("imdb-logistic-dropout"),
    _mnist_mlp("mnist-mlp", required=(1.05, 1.6), required_on_gpu=20),
    _mnist_mlp("mnist-mlp-dropout", required=(1.3, 2.1), required_on_gpu=None),
    Shape(name="mnist-vae", others={}, seconds=0.6, required=(1.3, 2.2), required_on_gpu=40),
    _cifar10_cnn("cifar10-cnn", required_on_gpu=2),
    _cifar10_cnn("cifar10-cnn-dropout", required_on_gpu=None),
)

SHAPES = {shape.name: shape for shape in _ALL}
