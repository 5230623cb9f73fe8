"""The square root of the rules: correctly rounded, in any layout."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from adam_core.rules.square_root import square_root

LAYOUTS: list[Callable[[Tensor], Tensor]] = [
    lambda x: x.T,
    lambda x: x[:, ::2],
    lambda x: x[:, 1:],
    lambda x: x[3, 5],
    lambda x: x[:0],
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_every_root_is_the_nearest_number(dtype: torch.dtype) -> None:
    """torch's own misses the last digit of a fifth of these in float32, where MKL computes it."""
    generator = torch.Generator().manual_seed(0)
    exponents = torch.rand(20_000, generator=generator, dtype=torch.float64) * 70 - 35
    values = torch.cat([(10**exponents).to(dtype), torch.tensor([0.0, 1e-45, math.inf]).to(dtype)])
    # math.sqrt is the nearest float64; of a float32, whose root is never near the middle of two float32, also that
    expected = torch.tensor([math.sqrt(value) for value in values.tolist()], dtype=torch.float64).to(dtype)
    assert torch.equal(square_root(values, torch.empty_like(values)), expected)
    pairs = values[:20_000].view(100, 200), expected[:20_000].view(100, 200)
    for layout in LAYOUTS:
        view, roots = (layout(tensor) for tensor in pairs)
        assert torch.equal(square_root(view, torch.empty_like(view)), roots)


def test_a_root_may_be_taken_in_place_and_of_what_is_not_a_number() -> None:
    values = torch.tensor([4.0, math.nan, 9.0])
    assert square_root(values, values) is values
    assert values[0] == 2.0 and values[1].isnan() and values[2] == 3.0
