"""The compiled updates for the CPU: bit for bit the rules' plain torch."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest
import torch
from torch import Tensor

from adam_core import kernels
from adam_core.kernels import cpu
from tests.adam_core.kernel_cases import (
    DTYPES,
    MODES,
    arrays,
    assert_same_bits,
    coefficients_of,
    mode_argument,
    plain_update_,
    tensors_of,
)

ROOT = Path(__file__).parents[2]

each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)
each_mode = pytest.mark.parametrize(("optimizer", "mode", "n_coefficients"), MODES)


def update_(optimizer: str, mode: str, tensors: tuple[Tensor, ...], coefficients: Tensor) -> bool:
    kernel: Callable[..., bool] = getattr(kernels, f"{optimizer}_")
    return kernel(*tensors, coefficients, mode_argument(optimizer, mode))


def clones(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(tensor.clone() for tensor in tensors)


@each_dtype
def test_equals_plain_torch(dtype: torch.dtype) -> None:
    """Extreme and non-finite numbers, alpha = 0, tails of vectors; three steps."""
    for optimizer, mode, tensors, coefficients in arrays(dtype):
        compiled, plain = clones(tensors), clones(tensors)
        for _ in range(3):
            assert update_(optimizer, mode, compiled, coefficients)
            plain_update_(optimizer, mode, plain, coefficients)
            assert_same_bits(compiled, plain)
        assert_same_bits(compiled[1:2], tensors[1:2])


ONE_LANE: dict[str, Callable[[Tensor], Tensor]] = {
    "0-d": lambda x: x[0, 0, 0, 0].clone(),
    "1-d, offset by one": lambda x: x.flatten()[1:],
    "contiguous": lambda x: x,
    "transposed": lambda x: x.transpose(1, 3),
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "channels last with an axis of 1": lambda x: x[:, :1].clone(memory_format=torch.channels_last),
}


@each_mode
@pytest.mark.parametrize("layout", ONE_LANE)
def test_one_lane_in_any_dense_layout(optimizer: str, mode: str, n_coefficients: int, layout: str) -> None:
    start = tensors_of(4, 3, 5, 7, dtype=torch.float32)
    compiled = tuple(ONE_LANE[layout](tensor.clone()) for tensor in start)
    plain = tuple(ONE_LANE[layout](tensor.clone()) for tensor in start)
    coefficients = coefficients_of(n_coefficients, dtype=torch.float32) + 0.1
    assert update_(optimizer, mode, compiled, coefficients)
    plain_update_(optimizer, mode, plain, coefficients)
    assert_same_bits(compiled, plain)


def test_coefficients_in_a_column_of_a_table() -> None:
    tensors = tensors_of(3, 4, dtype=torch.float64)
    compiled, plain = clones(tensors), clones(tensors)
    table = coefficients_of(6, 2, dtype=torch.float64) + 0.1
    assert update_("adam", "outside", compiled, table[:, 1])
    plain_update_("adam", "outside", plain, table[:, 1].clone())
    assert_same_bits(compiled, plain)


@each_mode
@pytest.mark.parametrize("per_row", [True, False])
def test_threads_change_no_bit(
    optimizer: str, mode: str, n_coefficients: int, per_row: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts that end within a row where coefficients are its own, and between rows where they are the columns'."""
    tensors = tensors_of(61, 53, dtype=torch.float32)
    coefficients = coefficients_of(n_coefficients, *((61, 1) if per_row else (1, 53)), dtype=torch.float32)
    together, alone = clones(tensors), clones(tensors)
    assert update_(optimizer, mode, alone, coefficients)
    kernel = mock.Mock(wraps=getattr(cpu, f"_{optimizer}"))
    monkeypatch.setattr(cpu, f"_{optimizer}", kernel)
    monkeypatch.setattr(cpu, "THREAD_ELEMENTS", 1000)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert update_(optimizer, mode, together, coefficients)
    assert_same_bits(together, alone)
    assert kernel.call_count == 3  # of 4 threads: 3,233 elements, at least 1,000 each
    starts, stops = zip(*sorted(call.args[-2:] for call in kernel.call_args_list), strict=True)
    assert starts == (0, *stops[:-1]) and stops[-1] == 61 * 53


def other_layouts() -> dict[str, tuple[tuple[Tensor, ...], Tensor]]:
    tensors = tensors_of(6, 8, dtype=torch.float32)
    theta, grad, m, v = tensors
    lane, rows, columns = (coefficients_of(6, *shape, dtype=torch.float32) for shape in ((), (6, 1), (1, 8)))
    gaps = tuple(torch.stack([tensor, tensor], -1)[..., 0] for tensor in tensors)
    half = tuple(tensor.half() for tensor in tensors)
    transposed = tuple(tensor.t().contiguous().t() for tensor in tensors)
    return {
        "half precision": (half, lane.half()),
        "coefficients of another dtype": (tensors, lane.double()),
        "state of another dtype": ((theta, grad, m.double(), v), lane),
        "gradient of other strides": ((theta, grad.t().contiguous().t(), m, v), lane),
        "gradient of another shape": ((theta, grad[:1], m, v), lane),
        "gradient whose sign is to be turned": ((theta, torch._neg_view(grad), m, v), lane),
        "gaps": (gaps, lane),
        "overlap": (tuple(tensor[:, :1].expand(6, 8) for tensor in tensors), lane),
        "rows that are not contiguous": (transposed, rows),
        "columns that are not contiguous": (transposed, columns),
        "coefficients of too few rows": (tensors, rows[:, :5]),
        "coefficients of both": (tensors, coefficients_of(6, 6, 8, dtype=torch.float32)),
        "lanes in three dimensions": (tuple(tensor.view(6, 2, 4) for tensor in tensors), columns),
        "empty": (tuple(tensor[:0] for tensor in tensors), lane),
        "a device without kernels": (tuple(tensor.to("meta") for tensor in tensors), lane.to("meta")),
    }


@pytest.mark.parametrize("case", other_layouts())
def test_leaves_other_layouts_to_plain_torch(case: str) -> None:
    tensors, coefficients = other_layouts()[case]
    before = clones(tensors)
    assert not update_("adam", "outside", tensors, coefficients)
    assert not update_("adamax", "added", tensors, coefficients[:5])
    if tensors[0].device.type != "meta":
        assert all(torch.equal(tensor, old) or old.isnan().any() for tensor, old in zip(tensors, before, strict=True))


def test_a_backward_pass_that_needs_the_old_parameters_fails() -> None:
    theta = torch.nn.Parameter(torch.ones(3))
    loss = theta.square().sum()
    with torch.no_grad():
        others = torch.ones(3), torch.zeros(3), torch.zeros(3)
        assert kernels.adam_(theta, *others, torch.full((6,), 0.5), False)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.backward(loss)


def python(code: str, **environment: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


STEP = """
import sys, torch
{before}
from adam_core import kernels
tensors = [torch.ones(64, 16) for _ in range(4)]
print(kernels.adam_(*tensors, torch.full((6, 1, 16), 0.5), False))
"""


@pytest.mark.parametrize("before", ["sys.modules['numba'] = None", "import os; os.environ['NUMBA_DISABLE_JIT'] = '1'"])
def test_goes_on_without_numba(before: str) -> None:
    assert python(STEP.format(before=before)).strip() == "False"


def test_code_is_vectorized_and_not_kept_on_disk(tmp_path: Path) -> None:
    """Kept code of one kernel was taken for another's where two fresh workers shared a folder."""
    code = STEP.format(before="") + "from adam_core.kernels import cpu; print(*cpu._adam.inspect_asm().values())"
    assembly = python(code, NUMBA_CACHE_DIR=str(tmp_path))
    assert not list(tmp_path.rglob("*.nb?"))
    if platform.machine() == "x86_64":
        for operation in ("sqrtps", "divps"):
            assert re.search(rf"\bv?{operation}\b", assembly), operation


def test_a_toolchain_that_cannot_launch_is_told_once_and_does_without(caplog: pytest.LogCaptureFixture) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("Failed to find C compiler")

    broken = ModuleType("broken")
    broken.adam_ = fail  # type: ignore[attr-defined]
    assert kernels._launches(cpu, "cpu")
    assert not kernels._launches(broken, "cpu")
    assert "plain PyTorch" in caplog.text and "Failed to find C compiler" in caplog.text
