from collections.abc import Callable
from functools import partial

import pytest
import torch

from benchmarks.processes import Step, Way, call, measure


def returning(value: float) -> Step:
    return lambda: value


def failing_at(number: int) -> Step:
    numbers = iter(range(number))

    def step() -> float:
        if next(numbers, None) is None:
            raise ValueError("the third step is too much")
        return 1.0

    return step


def no_build() -> Step:
    raise ValueError("cannot be built")


def threads() -> int:
    return torch.get_num_threads()


def test_every_round_of_every_way_is_returned() -> None:
    ways = [Way("alone", 1, 1, partial(returning, 1.0)), Way("together", 2, 1, partial(returning, 2.0))]
    rates = measure(ways, rounds=3, seconds=0.01)
    assert list(rates) == ["alone", "together"]
    assert all(len(of_way) == 3 and min(of_way) > 0 for of_way in rates.values())


def test_work_is_counted_not_steps() -> None:
    (rates,) = measure([Way("idle", 2, 1, partial(returning, 0.0))], rounds=2, seconds=0.01).values()
    assert rates == [0.0, 0.0]


@pytest.mark.parametrize(
    ("build", "message"), [(no_build, "cannot be built"), (partial(failing_at, 3), "third step is too much")]
)
@pytest.mark.parametrize("processes", [1, 2])
def test_a_failure_is_told_and_hangs_nothing(build: Callable[[], Step], message: str, processes: int) -> None:
    with pytest.raises(RuntimeError, match=f"{message}|BrokenBarrierError"):
        measure([Way("wrong", processes, 1, build)], rounds=1, seconds=0.01)


def test_call_computes_elsewhere() -> None:
    torch.set_num_threads(1)
    assert call(divmod, 7, 2) == (3, 1)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        call(divmod, 7, 0)
