"""Adam's and AdaMax's updates in GB/s, ours and torch's, beside the bandwidth of a copy.

In float32 an update reads theta, the gradient and two tensors of state and writes all but the gradient, 28 bytes a
parameter; a copy reads and writes 8 bytes a number. Figures are medians of rounds in which all take turns.

    python -m benchmarks.update_kernels [--device cuda] [--output FILE.md]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from threading import Thread
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from adam_core import make_rule
from benchmarks.machine import describe, n_cores
from benchmarks.processes import Step, Way, measure

_RESULTS = Path(__file__).parent / "results"

UPDATE_BYTES = 28
_NUMBER_BYTES = 4
_COLUMNS = 640  #: as many as mnist-logistic has in a block of 64 lanes, so many coefficients has an update
_SIZES = {"cpu": (20_000_000, 250_000), "cuda": (200_000_000, 2_000_000)}  #: far more than the caches hold, and less
_ROUNDS = 7
_SECONDS = 0.2

_TORCH_CLASSES = {"adam": torch.optim.Adam, "adamax": torch.optim.Adamax}


def _model(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Parameters and a gradient."""
    theta, grad = torch.randn(2, size // _COLUMNS, _COLUMNS, device=device).unbind()
    return theta, grad


def our_update(optimizer: str, size: int, device: torch.device, columns: int, compiled: bool) -> Step:
    """The rule's update, with scalars for one lane or for each column, compiled or in plain torch."""
    theta, grad = _model(size, device)
    settings = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    lanes = {name: torch.tensor([value], dtype=torch.float64) for name, value in settings.items()}
    rule = make_rule(optimizer, lanes)
    state = rule.init(theta)
    one_lane = rule.coefficients(1000, torch.full((1, 1), 1e-3, dtype=torch.float64))[0, :, 0].to(theta)
    coefficients = one_lane[:, None, None].repeat(1, 1, columns) if columns > 1 else one_lane
    if not compiled:
        mock.patch(f"adam_core.kernels.{optimizer}_", return_value=False).start()

    def step() -> float:
        rule.update_(theta, grad, state, coefficients)
        return theta.numel() * UPDATE_BYTES

    return step


def _torchs(optimizer: str, size: int, device: torch.device, implementation: str) -> Step:
    """The update of torch's class, "fused" or "foreach"."""
    theta, grad = _model(size, device)
    parameter = torch.nn.Parameter(theta)
    parameter.grad = grad
    chosen = _TORCH_CLASSES[optimizer]([parameter], lr=1e-3, **{implementation: True})

    def step() -> float:
        chosen.step()
        return parameter.numel() * UPDATE_BYTES

    return step


def _copy(size: int, device: torch.device, how: str) -> Step:
    """A copy in as much memory as the model and its state take, in as many threads as torch has."""
    source, target = torch.ones(2, 2 * size, device=device).unbind()
    if how == "torch":
        copy: Callable[[], object] = partial(target.copy_, source)
    else:
        parts = zip(*(np.array_split(x.numpy(), torch.get_num_threads()) for x in (target, source)), strict=True)
        copy = partial(_in_threads, np.copyto if how == "NumPy" else _compiled_copy(), list(parts))

    def step() -> float:
        copy()
        return 2 * source.numel() * _NUMBER_BYTES

    return step


def _compiled_copy() -> Callable[..., object]:
    from numba import njit

    def copy(target, source):  # type: ignore[no-untyped-def]
        for i in range(source.size):
            target[i] = source[i]

    compiled: Callable[..., object] = njit(nogil=True)(copy)
    return compiled


def _in_threads(copy: Callable[..., object], parts: list[tuple[np.ndarray, np.ndarray]]) -> None:
    threads = [Thread(target=copy, args=part) for part in parts[1:]]
    for thread in threads:
        thread.start()
    copy(*parts[0])
    for thread in threads:
        thread.join()


def _builders(optimizer: str, size: int, device: torch.device) -> dict[str, Callable[[], Step]]:
    """What is measured, by name."""
    builders: dict[str, Callable[[], Step]] = {
        "adam_core, compiled, one lane": partial(our_update, optimizer, size, device, 1, True),
        "adam_core, compiled, a lane per column": partial(our_update, optimizer, size, device, _COLUMNS, True),
        "adam_core, plain torch in place": partial(our_update, optimizer, size, device, 1, False),
        "torch.optim, foreach": partial(_torchs, optimizer, size, device, "foreach"),
    }
    if optimizer == "adam":  # torch has no fused AdaMax
        builders["torch.optim, fused"] = partial(_torchs, optimizer, size, device, "fused")
    for how in ("torch",) if device.type == "cuda" else ("torch", "NumPy", "Numba"):
        builders[f"copy, {how}"] = partial(_copy, size, device, how)
    return builders


def _column(optimizer: str, size: int, device: torch.device, processes: int, threads: int) -> dict[str, float]:
    """Median GB/s by name, summed over the processes."""
    builders = _builders(optimizer, size, device)
    ways = [Way(name, processes, threads, build) for name, build in builders.items()]
    return {name: median(rates) / 1e9 for name, rates in measure(ways, _ROUNDS, _SECONDS).items()}


def _table(columns: dict[str, dict[str, float]]) -> list[str]:
    """Markdown: a row for each name, with shares of the best copy."""
    best = {title: max(rate for name, rate in rates.items() if "copy" in name) for title, rates in columns.items()}
    lines = ["| | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    for name in dict.fromkeys(name for rates in columns.values() for name in rates):
        cells = (
            f"{rates[name]:,.1f} ({rates[name] / best[title]:.0%})" if name in rates else "–"
            for title, rates in columns.items()
        )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Measure, write the tables and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=tuple(_SIZES), default="cpu")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    output = arguments.output or _RESULTS / f"update_kernels_{device.type}.md"
    setups = {"1 process": (1, 1)}
    if device.type == "cpu" and n_cores() > 1:
        setups |= {"1 process of 2 threads": (1, 2), "2 processes": (2, 1)}
    lines = ["# Update kernels", ""]
    lines += [f"- {what}: {value}" for what, value in describe(device).items()]
    lines += [f"- {date.today()}, medians of {_ROUNDS} rounds, GB/s (share of the best copy)"]
    for size in _SIZES[arguments.device]:
        columns = {
            f"{title}, {setup}": _column(optimizer, size, device, *workers)
            for optimizer, title in (("adam", "Adam"), ("adamax", "AdaMax"))
            for setup, workers in setups.items()
        }
        lines += ["", f"## {size:,} parameters", "", *_table(columns)]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
