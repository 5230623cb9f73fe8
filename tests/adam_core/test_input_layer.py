import pytest
import torch
from torch import Tensor

from adam_core.models import dense, input_layer

N, F, OUTPUTS, WIDTH = 29, 100, 21, 2


def _inputs(n_used: int) -> Tensor:
    """Inputs of which some are 0 in all examples, and the others in most."""
    random = torch.Generator().manual_seed(n_used)
    values = torch.randn(N, F, generator=random, dtype=torch.float64)
    values *= torch.rand(N, F, generator=random) < 0.2
    used = torch.randperm(F, generator=random)[:n_used]
    values[0, used] = -1.0
    return torch.zeros(N, F, dtype=torch.float64).index_copy(1, used, values[:, used])


@pytest.mark.parametrize(("n_used", "n_taken"), [(0, 0), (1, 16), (16, 16), (17, 32), (80, 80), (81, 100), (100, 100)])
def test_inputs_that_no_example_has_are_left_out(n_used: int, n_taken: int) -> None:
    """In steps of 16; all are taken where few can be left out."""
    inputs = _inputs(n_used)
    taken, rows = input_layer.needed_inputs(inputs)
    assert taken.shape == (N, n_taken + 1)
    assert torch.equal(taken[:, -1], torch.ones(N, dtype=torch.float64))
    if n_taken == F:
        assert rows.tolist() == []
        assert torch.equal(taken[:, :-1], inputs)
    else:
        assert rows[-1] == F
        assert len(set(rows.tolist())) == n_taken + 1
        assert torch.equal(torch.zeros(N, F + 1, dtype=torch.float64).index_copy(1, rows, taken)[:, :-1], inputs)


@pytest.mark.parametrize("n_used", [0, 17, 81])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_outputs_and_gradients_are_those_of_a_dense_layer(n_used: int, l2: float) -> None:
    """Float64, within 1e-14; the biases have no L2 term."""
    random = torch.Generator().manual_seed(0)
    theta = torch.randn(WIDTH, F + 1, OUTPUTS, generator=random, dtype=torch.float64)
    delta = torch.randn(WIDTH, N, OUTPUTS, generator=random, dtype=torch.float64)
    inputs = _inputs(n_used)
    taken, rows = input_layer.needed_inputs(inputs)
    taken = taken.expand(WIDTH, -1, -1)
    everything = dense.empty_inputs(inputs)
    everything[:, :-1] = inputs
    torch.testing.assert_close(input_layer.outputs(theta, taken, rows), everything @ theta, rtol=0, atol=1e-14)
    gradient = torch.full_like(theta, torch.nan)
    input_layer.gradient(theta, taken, rows, delta, out=gradient, l2=l2)
    expected = everything.mT @ delta + l2 * theta * (torch.arange(F + 1) < F)[:, None]
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-13)
