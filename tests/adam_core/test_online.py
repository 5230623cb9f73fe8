import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from adam_core.models.examples import DenseExamples
from adam_core.models.online import BoxProblem, OnlineLinear, OnlineLogistic
from adam_core.randomness import Purpose, stream
from tests.adam_core.model_lanes import noise

CPU = torch.device("cpu")
F, RADIUS = 6, 0.5


def _model(kind: type[BoxProblem], width: int, dtype: torch.dtype = torch.float64) -> BoxProblem:
    return kind(F, RADIUS, 0.1, width, CPU, dtype)


def _examples(n: int) -> DenseExamples:
    random = torch.Generator().manual_seed(n)
    inputs = torch.randn(n, F, generator=random, dtype=torch.float64)
    return DenseExamples(inputs, torch.randint(0, 2, (n,), generator=random))


def _theta(width: int) -> Tensor:
    random = torch.Generator().manual_seed(width)
    return (torch.rand(F, 1, width, generator=random, dtype=torch.float64) * 2 - 1) * RADIUS


class Logistic(torch.nn.Linear):
    """The plain twin."""

    def cost(self, examples: DenseExamples) -> Tensor:
        return binary_cross_entropy_with_logits(self(examples.inputs)[:, 0], examples.labels.double())


class Slope(torch.nn.Linear):
    """The plain twin."""

    def cost(self, examples: DenseExamples) -> Tensor:
        mean: Tensor = self(examples.inputs).mean()
        return mean


KINDS = [(OnlineLogistic, Logistic), (OnlineLinear, Slope)]


@pytest.mark.parametrize(("kind", "twin"), KINDS)
@pytest.mark.parametrize(("width", "n"), [(1, 1), (8, 1), (3, 5)])
def test_costs_and_gradients_are_those_of_the_plain_module(
    kind: type[BoxProblem], twin: type[Logistic | Slope], width: int, n: int
) -> None:
    """Float64, within 1e-14."""
    model, theta, examples = _model(kind, width), _theta(width), _examples(n)
    batch = model.prepare(examples, noise(0), training=True)
    costs, errors = model.losses([theta], batch)
    handed: list[Tensor] = []
    model.backward([theta.clone()], batch, lambda layer, gradient: handed.append(gradient.clone()))
    for lane in range(width):
        module = twin(F, 1, bias=False, dtype=torch.float64)
        module.load_state_dict({"weight": theta[:, :, lane].t()})
        cost = module.cost(examples)
        torch.autograd.backward(cost)
        assert module.weight.grad is not None
        torch.testing.assert_close(costs[lane] / n, cost.detach(), rtol=0, atol=1e-14)
        torch.testing.assert_close(handed[0][:, 0, lane], module.weight.grad[0], rtol=0, atol=1e-14)
        wrong = (module(examples.inputs)[:, 0] > 0) != examples.labels.bool()
        assert errors[lane] == (wrong.sum() if kind is OnlineLogistic else 0)
    assert not model.penalty([theta]).any()


@pytest.mark.parametrize("kind", [OnlineLogistic, OnlineLinear])
def test_every_update_is_followed_by_the_projection(kind: type[BoxProblem]) -> None:
    model, theta = _model(kind, 4), _theta(4)
    step = torch.linspace(-2.0, 2.0, 4, dtype=torch.float64)
    expected = (theta + step).clamp(-RADIUS, RADIUS)

    def update(layer: int, gradient: Tensor) -> None:
        theta.add_(step)

    model.backward([theta], model.prepare(_examples(1), noise(0), training=True), update)
    assert torch.equal(theta, expected)
    assert (theta.abs() == RADIUS).any() and (theta.abs() < RADIUS).any()


def test_what_lies_outside_of_the_box_is_projected_before_it_is_judged() -> None:
    model, theta = _model(OnlineLogistic, 4), 5 * _theta(4)
    batch = model.prepare(_examples(7), noise(0), training=False)
    assert torch.equal(model.losses([theta], batch), model.losses([theta.clamp(-RADIUS, RADIUS)], batch))


def test_lanes_start_near_the_middle_each_seed_elsewhere() -> None:
    model = _model(OnlineLogistic, 1)
    streams = [stream(0, seed, Purpose.INITIAL_WEIGHTS) for seed in (0, 1)]
    starts = [model.initial([one].__getitem__)[0] for one in streams]
    assert [start.shape for start in starts] == [(F, 1)] * 2
    assert max(abs(start).max() for start in starts) <= 0.1 and (starts[0] != starts[1]).all()
