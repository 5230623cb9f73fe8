"""The surfaces: formulas, minima, gradients, noise, and that an epoch of their workloads is one update."""

import numpy as np
import pytest
import torch
from torch import Tensor

from adam_core.models.surface import SurfaceModel
from adam_core.randomness import Purpose, stream
from studies.surfaces import SURFACES, Surface
from studies.workloads import WORKLOADS
from tests.adam_core.model_lanes import noise
from worker.workloads.registry import build_model

CPU = torch.device("cpu")
HAZARDS = list(SURFACES)


class Plain(torch.nn.Module):
    """The plain twin: the formula under autograd."""

    def __init__(self, surface: Surface, x: float, y: float) -> None:
        super().__init__()
        self.surface = surface
        self.position = torch.nn.Parameter(torch.tensor([x, y], dtype=torch.float64))

    def forward(self) -> Tensor:
        value: Tensor = self.surface.value(torch, *self.position.unbind())
        return value


def _model(hazard: str, width: int) -> SurfaceModel:
    model = build_model(f"surface-{hazard}", width, CPU, torch.float64)
    assert isinstance(model, SurfaceModel)
    return model


def _points(surface: Surface, n: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Points within the windows: [2, n]."""
    random = np.random.default_rng(1)
    return np.stack([random.uniform(*window, n) for window in (surface.x_window, surface.y_window)])


@pytest.mark.parametrize("hazard", HAZARDS)
def test_values_and_gradients_are_those_of_the_plain_module(hazard: str) -> None:
    """Float64, within 1e-10 of the larger of 1 and the figure."""
    surface, width = SURFACES[hazard], 64
    points = _points(surface, width)
    model, theta = _model(hazard, width), torch.from_numpy(points)[:, None].clone()
    batch = model.prepare(None, noise(0), training=False)
    handed: list[Tensor] = []
    model.backward([theta], batch, lambda layer, gradient: handed.append(gradient.clone()))
    values, errors = model.losses([theta], batch)
    for lane in range(width):
        plain = Plain(surface, *points[:, lane])
        value = plain()
        torch.autograd.backward(value)
        torch.testing.assert_close(values[lane], value.detach(), rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(handed[0][:, 0, lane], plain.position.grad, rtol=1e-10, atol=1e-10)
    assert not errors.any() and not model.penalty([theta]).any()


@pytest.mark.parametrize("hazard", HAZARDS)
def test_numpy_and_torch_have_the_same_numbers(hazard: str) -> None:
    surface = SURFACES[hazard]
    x, y = _points(surface, 100)
    by_numpy = [surface.value(np, x, y), *surface.gradient(np, x, y)]
    x_tensor, y_tensor = torch.from_numpy(x), torch.from_numpy(y)
    by_torch = [surface.value(torch, x_tensor, y_tensor), *surface.gradient(torch, x_tensor, y_tensor)]
    for one, other in zip(by_numpy, by_torch, strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("hazard", HAZARDS)
def test_the_minimum_is_0_where_it_is_said_to_be(hazard: str) -> None:
    surface = SURFACES[hazard]
    for x, y in surface.minima:
        assert surface.x_window[0] < x < surface.x_window[1] and surface.y_window[0] < y < surface.y_window[1]
        assert float(surface.value(np, np.float64(x), np.float64(y))) == pytest.approx(0.0, abs=1e-15)
        assert [float(slope) for slope in surface.gradient(np, np.float64(x), np.float64(y))] == pytest.approx(
            [0, 0], abs=1e-10
        )
    x_grid, y_grid = np.meshgrid(np.linspace(*surface.x_window, 201), np.linspace(*surface.y_window, 201))
    assert surface.value(np, x_grid, y_grid).min() >= 0.0
    start = float(surface.value(np, *map(np.float64, surface.start)))
    assert start > 0.05, "a start with something to gain"


def test_each_has_its_hazard() -> None:
    """What each surface is there for, told by its own numbers."""
    cliff = SURFACES["cliff"]
    x, y = np.meshgrid(np.linspace(4.5, 6.5, 400), np.linspace(-3.0, -2.0, 400))
    slopes = np.hypot(*cliff.gradient(np, x, y))
    assert slopes.max() > 1e4 * np.median(slopes)
    plateau = SURFACES["plateau"]
    start, middle = (np.hypot(*plateau.gradient(np, *map(np.float64, at))) for at in (plateau.start, (0.0, 1.0)))
    assert start < 0.1 * middle
    saddle = SURFACES["saddle"].gradient(np, np.float64(0), np.float64(0))
    assert saddle == (0.0, 0.0)
    x, y = np.array([1.0, 1.0 + 1e-6, 1.0]), np.array([1.0, 1.0, 1.0 + 1e-6])
    hessian = np.stack(SURFACES["ravine"].gradient(np, x, y))[:, 1:] / 1e-6
    curvatures = np.linalg.eigvalsh(hessian)
    assert curvatures[1] / curvatures[0] > 1_000


def _drawn(hazard: str, replicate: int, step: int) -> list[list[float]]:
    def draw(layer: int) -> np.random.Generator:
        return stream(5, replicate, Purpose.TRAINING_NOISE, epoch=step, layer=layer)

    return [tensor.flatten().tolist() for tensor in _model(hazard, 2).prepare(None, draw, training=True)]


def test_sparse_gradients_are_right_on_average() -> None:
    factors = np.array([_drawn("sparse-gradients", 0, step)[0] for step in range(2_000)])
    assert set(factors.ravel()) == {0.0, 10.0}
    assert factors.mean(0) == pytest.approx([1.0, 1.0], abs=0.3)  # standard error 0.07
    assert np.corrcoef(factors.T)[0, 1] == pytest.approx(0.0, abs=0.1)


def test_noise_is_normal_with_its_deviation_and_a_function_of_seed_and_step() -> None:
    draws = [_drawn("noisy-gradients", 0, step) for step in range(2_000)]
    assert {tuple(factors) for factors, _ in draws} == {(1.0, 1.0)}
    assert np.std([shifts for _, shifts in draws]) == pytest.approx(SURFACES["noisy-gradients"].noise, rel=0.06)
    assert _drawn("noisy-gradients", 0, 3) == draws[3] != _drawn("noisy-gradients", 1, 3)


@pytest.mark.parametrize("hazard", [hazard for hazard in HAZARDS if "gradients" not in hazard])
def test_the_other_surfaces_are_exact(hazard: str) -> None:
    assert _drawn(hazard, 0, 1) == [[1.0, 1.0], [0.0, 0.0]]


def test_evaluation_is_exact_on_every_surface() -> None:
    for hazard in HAZARDS:
        factors, shifts = _model(hazard, 2).prepare(None, noise(0), training=False)
        assert factors.flatten().tolist() == [1, 1] and shifts.flatten().tolist() == [0, 0]


def test_every_surface_is_a_workload_whose_epoch_is_one_update() -> None:
    named = {name for name in WORKLOADS if name.startswith("surface-")}
    assert named == {f"surface-{hazard}" for hazard in SURFACES}
    for name in named:
        entry = WORKLOADS[name]
        assert (entry.n_train, entry.batch_size, entry.n_validation, entry.n_test) == (1, 1, 0, 0)
        assert (entry.epochs, entry.schedule, entry.n_coordinates) == (200, "constant", 2)


def test_seeds_start_near_the_same_point() -> None:
    for hazard, surface in SURFACES.items():
        model = _model(hazard, 1)
        starts = np.array(
            [model.initial([stream(0, seed, Purpose.INITIAL_WEIGHTS)].__getitem__)[0].ravel() for seed in range(200)]
        )
        assert starts.mean(0) == pytest.approx(surface.start, abs=6 * surface.jitter / 200**0.5)
        assert starts.std(0) == pytest.approx([surface.jitter] * 2, rel=0.3)
