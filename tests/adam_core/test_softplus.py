import math

import pytest
import torch
from torch import Tensor

from adam_core.models import softplus
from adam_core.models.softplus import bernoulli_gradient, bernoulli_losses


@pytest.fixture(autouse=True, params=["compiled", "plain"])
def _kernels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert vars(softplus)["kernels"] is not None
    if request.param == "plain":
        monkeypatch.setattr(softplus, "kernels", None)


def _softplus(x: Tensor) -> tuple[Tensor, Tensor]:
    """Values and derivatives of numbers [n]."""
    values = torch.full((1, 1, len(x) + 1), torch.nan, dtype=x.dtype)
    slopes = softplus.softplus(x[None, None].clone(), values)
    assert values[0, 0, -1].isnan()
    return values[0, 0, :-1], slopes[0, 0]


def _sigmoid(x: Tensor) -> Tensor:
    """The gradient of one example of target 0."""
    return bernoulli_gradient(x[None, None].clone(), torch.zeros(1, len(x), dtype=x.dtype))[0, 0]


def _assert_within(numbers: Tensor, exact: Tensor, units: float) -> None:
    """Within so many units in the last place of the exact (float64) numbers, or 2e-38."""
    own = exact.to(numbers.dtype)
    unit = torch.nextafter(own, torch.full_like(own, math.inf)) - own
    assert torch.all((numbers.double() - exact).abs() <= units * unit.double() + 2e-38)


def _wide(n: int = 400_001) -> Tensor:
    """Numbers from -110 to 110 and, densely, around 0."""
    return torch.cat([torch.linspace(-110, 110, n), torch.linspace(-2, 2, n)])


def test_float32_is_within_4_units_in_the_last_place() -> None:
    x = _wide()
    exact = x.double()
    values, slopes = _softplus(x)
    e = torch.exp(-exact.abs())
    sigmoid = torch.where(exact < 0, e, 1) / (1 + e)
    _assert_within(values, exact.clamp(min=0) + torch.log1p(e), 4)
    _assert_within(slopes, sigmoid, 4)
    _assert_within(_sigmoid(x), sigmoid, 4)
    _assert_within(bernoulli_losses(x, torch.zeros(len(x))), exact.clamp(min=0) + torch.log1p(e), 4)


def test_float64_is_torchs() -> None:
    x = _wide(2001).double()
    values, slopes = _softplus(x)
    torch.testing.assert_close(values, torch.logaddexp(x, torch.zeros(())), rtol=1e-14, atol=0)
    torch.testing.assert_close(slopes, torch.sigmoid(x), rtol=1e-14, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_limits(dtype: torch.dtype) -> None:
    x = torch.tensor([0.0, -0.0, 1e30, -1e30, math.inf, -math.inf, math.nan], dtype=dtype)
    values, slopes = _softplus(x)
    expected = torch.tensor([math.log(2), math.log(2), 1e30, 0, math.inf, 0, math.nan], dtype=dtype)
    torch.testing.assert_close(values, expected, rtol=1e-6, atol=2e-38, equal_nan=True)
    expected = torch.tensor([0.5, 0.5, 1, 0, 1, 0, math.nan], dtype=dtype)
    torch.testing.assert_close(slopes, expected, rtol=1e-6, atol=2e-38, equal_nan=True)


def test_bernoulli_gradient_is_autograds_of_the_mean_loss() -> None:
    source = torch.Generator().manual_seed(0)
    logits = (torch.randn(3, 8, 5, generator=source, dtype=torch.float64) * 4).requires_grad_()
    targets = torch.rand(8, 5, generator=source, dtype=torch.float64)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets.expand(3, -1, -1), reduction="sum") / 8
    torch.autograd.backward(loss)
    gradient = bernoulli_gradient(logits.detach().clone(), targets)
    torch.testing.assert_close(gradient, logits.grad, rtol=0, atol=1e-15)
    torch.testing.assert_close(bernoulli_losses(logits.detach(), targets).sum() / 8, loss.detach(), rtol=1e-14, atol=0)


def test_numbers_do_not_depend_on_where_they_stand() -> None:
    """Behind 0 to 40 others, before 0 to 20 others; torch's own softplus and sigmoid fail this."""
    x = torch.randn(100, generator=torch.Generator().manual_seed(0)) * 4
    expected = *_softplus(x), _sigmoid(x)
    for before in range(41):
        for after in range(21):
            padded = torch.cat([torch.zeros(before), x, torch.ones(after)])
            here = slice(before, before + 100)
            numbers = *_softplus(padded), _sigmoid(padded)
            assert all(torch.equal(own[here], first) for own, first in zip(numbers, expected, strict=True))
