"""Each workload's model computes what its twin, the plain PyTorch module of a user, gives through autograd."""

import pytest
import torch

from benchmarks.inputs import densify
from benchmarks.twins import RECIPES, Twin, module_gradients
from studies.workloads import WORKLOADS
from tests.adam_core.model_lanes import Lane, noise, random_lane
from tests.worker.workload_data import CPU, examples_of
from worker.workloads.registry import build_model

N = 5


def _loss_and_gradients(name: str, lane: Lane, training: bool) -> tuple[float, list[torch.Tensor]]:
    """Our mean loss of a batch, L2 term included, and, if it is trained on, gradients of it."""
    model = build_model(name, 1, CPU, torch.float64)
    batch = model.prepare(examples_of(WORKLOADS[name], N, torch.float64), noise(1), training=training)
    theta = [layer[..., None] if model.lanes_last else layer[None] for layer in lane]
    loss = model.losses(theta, batch)[0, 0] / N + model.penalty(theta)[0]
    handed: dict[int, torch.Tensor] = {}

    def update(layer: int, gradient: torch.Tensor) -> None:
        handed[layer] = gradient.clone().view(lane[layer].shape)

    if training:
        model.backward(theta, batch, update)
    return float(loss), [handed[layer] for layer in sorted(handed)]


def test_every_model_has_a_twin() -> None:
    """But those of online problems and surfaces, which are no networks."""
    assert set(RECIPES) == {w.name for w in WORKLOADS.values() if not w.online and not w.n_coordinates}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", RECIPES)
def test_loss_and_gradients_are_the_twins(name: str, training: bool) -> None:
    """Float64, within 1e-10 of the largest, with the same dropout masks and latent noise."""
    examples = densify(examples_of(WORKLOADS[name], N, torch.float64), WORKLOADS[name].input_shape)
    lane = random_lane(build_model(name, 1, CPU, torch.float64).shapes, seed=3)
    twin = Twin(name, torch.float64).train(training)
    expected_loss, expected = module_gradients(twin, lane, examples.inputs, examples.labels, noise(1))
    loss, gradients = _loss_and_gradients(name, lane, training)
    assert loss == pytest.approx(expected_loss.item(), rel=1e-10)
    for gradient, true in zip(gradients, expected if training else [], strict=True):
        assert true.abs().max() > 0
        torch.testing.assert_close(gradient, true, rtol=0, atol=1e-10 * true.abs().max().item())


@pytest.mark.parametrize("name", [name for name in RECIPES if WORKLOADS[name].input_dropout or WORKLOADS[name].dropout])
def test_dropout_is_in_training_alone(name: str) -> None:
    lane = random_lane(build_model(name, 1, CPU, torch.float64).shapes, seed=3)
    assert _loss_and_gradients(name, lane, training=True)[0] != _loss_and_gradients(name, lane, training=False)[0]
