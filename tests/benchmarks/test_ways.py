"""The rivals and we train the same models on the same data."""

from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.inputs import load_inputs
from benchmarks.ours import training
from benchmarks.rivals import USUAL, Rival, rival_step, rival_ways
from benchmarks.shapes import DENSE, SHAPES
from tests.benchmarks.conftest import N_EXAMPLES
from worker.datasets.words import N_WORDS

CPU = torch.device("cpu")
FORMS = [(name, form) for name, shape in SHAPES.items() for form in shape.forms]


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_rival_steps(name: str, form: str, folder: Path) -> None:
    step = rival_step(name, Rival("gathers", "fused", form), folder, CPU)
    assert [step(), step(), step()] == [1, 1, 1]


@pytest.mark.parametrize("name", SHAPES)
def test_the_first_way_is_the_usual_one_and_names_are_unique(name: str, folder: Path) -> None:
    ways = rival_ways(SHAPES[name], folder, CPU)
    names = [way.name for way in ways]
    assert [way_name.startswith(USUAL) for way_name in names] == [True] + [False] * (len(names) - 1)
    assert len(set(names)) == len(names)
    assert ways[0].build()() == 1


@pytest.mark.parametrize("form", ["CSR", "EmbeddingBag", "segments"])
def test_sparse_forms_equal_the_dense_one(form: str, folder: Path) -> None:
    """Float32, sums of some 100 weights: losses and gradients to 1e-6."""
    shape, data = SHAPES["imdb-logistic"], load_inputs("imdb", folder)
    weights = torch.randn(N_WORDS, generator=torch.Generator().manual_seed(0))
    starts, labels = data["starts"], data["labels"].float()
    batches = {DENSE: (data["inputs"], labels), form: (data["words"], starts[:-1], starts.diff(), labels)}
    losses, gradients = [], []
    for name, batch in batches.items():
        module = shape.forms[name]()
        parameters = list(module.parameters())
        with torch.no_grad():
            for parameter, values in zip(parameters, (weights, torch.tensor(0.1)), strict=True):
                parameter.copy_(values.view(parameter.shape))
        loss: Tensor = shape.loss(module, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss)
        gradients.append(
            torch.cat([parameter.grad.flatten() for parameter in parameters if parameter.grad is not None])
        )
    assert torch.allclose(losses[0], losses[1], rtol=1e-6)
    assert torch.allclose(gradients[0], gradients[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", SHAPES)
def test_our_model_has_as_many_parameters_and_trains(name: str, folder: Path) -> None:
    array, steps = training(name, width=1, n_lanes=2, n_seeds=2, folder=folder, device=CPU)
    before = array.parameters()
    assert sum(layer[0].numel() for layer in before) == SHAPES[name].n_parameters
    n_steps = -(-N_EXAMPLES // 128) + 1  # one of the second epoch
    assert sum(islice(steps, n_steps)) >= n_steps
    after = array.parameters()
    assert all(torch.isfinite(layer).all() for layer in after)
    assert not any(torch.equal(old, new) for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("name", "mega"),
    [
        # Per example and pass: 784 x 10 (no gradient of the inputs); three passes but of the first layer.
        ("mnist-logistic", 128 * 2 * 2 * 7840 / 1e6),
        ("mnist-mlp", 128 * 2 * (2 * 784_000 + 3 * (1_000_000 + 10_000)) / 1e6),
        ("imdb-logistic", 128 * 4 * 100 / 1e6),
    ],
)
def test_counted_flops(name: str, mega: float, folder: Path) -> None:
    flops = SHAPES[name].flops(load_inputs(SHAPES[name].dataset, folder))
    assert flops / 1e6 == pytest.approx(mega, rel=0.02 if name == "imdb-logistic" else 1e-9)
