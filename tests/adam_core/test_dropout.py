import numpy as np
import pytest
import torch
from torch import Tensor

from adam_core.models.dropout import Dropout
from adam_core.randomness import Purpose, stream

CPU = torch.device("cpu")


def _mask(
    rate: float, shape: tuple[int, ...], *, step: int = 1, layer: int = 0, dtype: torch.dtype = torch.float64
) -> Tensor:
    return Dropout(rate).mask(_stream(step, layer), shape, CPU, dtype)


def _stream(step: int, layer: int) -> np.random.Generator:
    return stream(7, 2, Purpose.TRAINING_NOISE, epoch=3, step=step, layer=layer)


@pytest.mark.parametrize("rate", [1 / 256, 0.25, 0.5, 205 / 256, 255 / 256])
def test_the_rate_is_dropped_and_the_rest_scaled(rate: float) -> None:
    mask = _mask(rate, (400, 1000))
    dropped = mask == 0
    assert torch.all(mask[~dropped] == 1 / (1 - rate))
    # the standard error of the share of 400,000 units
    assert dropped.double().mean().item() == pytest.approx(rate, abs=5 * (rate * (1 - rate) / 400_000) ** 0.5)


def test_units_are_dropped_independently() -> None:
    """Neighbours in a row, in a column and 8 apart (a word of random bits) agree half of the time at rate 0.5."""
    kept = _mask(0.5, (1000, 1000)) > 0
    for a, b in ((kept[:, 1:], kept[:, :-1]), (kept[1:], kept[:-1]), (kept[:, 8:], kept[:, :-8])):
        assert (a == b).double().mean().item() == pytest.approx(0.5, abs=0.003)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_mask_is_a_function_of_its_stream(dtype: torch.dtype) -> None:
    mask = _mask(0.5, (29, 13), dtype=dtype)
    assert mask.dtype is dtype
    assert torch.equal(mask, _mask(0.5, (29, 13), dtype=dtype))
    assert torch.equal(mask, _mask(0.5, (29, 13)).to(dtype))
    assert not torch.equal(mask, _mask(0.5, (29, 13), step=2, dtype=dtype))
    assert not torch.equal(mask, _mask(0.5, (29, 13), layer=1, dtype=dtype))


def test_fewer_examples_get_the_first_of_the_numbers_of_more() -> None:
    assert torch.equal(_mask(0.5, (3, 5)), _mask(0.5, (100, 5))[:3])


def test_rate_0_keeps_all() -> None:
    assert torch.equal(_mask(0.0, (50, 50)), torch.ones(50, 50, dtype=torch.float64))


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (0.2, "dropout must be a multiple of 1/256, got 0.2; the nearest is 0.19921875"),
        (0.999, "dropout must be a multiple of 1/256, got 0.999; the nearest is 0.99609375"),
        (1.0, "dropout must be in [0, 1), got 1.0"),
        (-0.5, "dropout must be in [0, 1), got -0.5"),
        (float("nan"), "dropout must be in [0, 1), got nan"),
    ],
)
def test_refuses_other_rates(rate: float, message: str) -> None:
    with pytest.raises(ValueError) as error:
        Dropout(rate)
    assert str(error.value) == message
