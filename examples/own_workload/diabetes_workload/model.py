"""What a worker trains: the module, its loss and its data."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from torch import Tensor, nn

from worker.workloads.own import Implementation, TrainTest

WIDTH = 32


class Block(nn.Module):
    """A residual block."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the hidden units [n, WIDTH] with what the block adds to them."""
        added: Tensor = self.inner(hidden)
        return hidden + added


def module() -> nn.Module:
    """Return the network with new weights."""
    return nn.Sequential(nn.Linear(10, WIDTH), Block(), Block(), nn.Linear(WIDTH, 1), nn.Flatten(0))


def loss(outputs: Tensor, labels: Tensor) -> Tensor:
    """Return the squared error of each example, [n]."""
    return (outputs - labels).square()


def data(data_dir: Path) -> TrainTest:
    """Return 342 training and 100 test examples, standardised by the training ones."""
    inputs, labels = load_diabetes(return_X_y=True, scaled=False)
    order = np.random.RandomState(0).permutation(len(labels))
    train, test = order[:342], order[342:]
    inputs = (inputs - inputs[train].mean(0)) / inputs[train].std(0)
    labels = (labels - labels[train].mean()) / labels[train].std()
    return TrainTest(inputs[train], labels[train], inputs[test], labels[test])


IMPLEMENTATION = Implementation(module=module, loss=loss, data=data)
