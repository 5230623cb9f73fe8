"""The compiled updates for a GPU: bit for bit the rules' plain torch; without a GPU, in Triton's interpreter."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from adam_core import kernels
from adam_core.kernels.layout import layout_of
from tests.adam_core.kernel_cases import DTYPES, arrays, assert_same_bits, mode_argument, plain_update_

ROOT = Path(__file__).parents[2]

INTERPRET = """
import sys, numpy, torch
from tests.adam_core import test_kernels_cuda
numpy.seterr(all="ignore")  # the interpreter computes with NumPy, and numbers here overflow
test_kernels_cuda.check_interpreted(getattr(torch, sys.argv[1]))
"""


def check_interpreted(dtype: torch.dtype) -> None:
    """Every kernel on CPU tensors, in a process whose environment sets TRITON_INTERPRET."""
    from adam_core.kernels import cuda

    for optimizer, mode, tensors, coefficients in arrays(dtype):
        compiled, plain = (tuple(tensor.clone() for tensor in tensors) for _ in range(2))
        theta, grad, first, second = compiled
        layout = layout_of(theta, grad, first, second, coefficients)
        assert layout is not None
        getattr(cuda, f"{optimizer}_")(layout, compiled, coefficients, mode_argument(optimizer, mode))
        plain_update_(optimizer, mode, plain, coefficients)
        assert_same_bits(compiled, plain)


@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed")
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_equals_plain_torch_in_the_interpreter(dtype: torch.dtype) -> None:
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    command = [sys.executable, "-c", INTERPRET, str(dtype).removeprefix("torch.")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_equals_plain_torch_on_a_gpu(dtype: torch.dtype) -> None:
    for optimizer, mode, tensors, coefficients in arrays(dtype):
        compiled, plain = (tuple(tensor.cuda() for tensor in tensors) for _ in range(2))
        kernel = getattr(kernels, f"{optimizer}_")
        assert kernel(*compiled, coefficients.cuda(), mode_argument(optimizer, mode))
        plain_update_(optimizer, mode, plain, coefficients.cuda())
        assert_same_bits(compiled, plain)
