"""Where the time of our trial-steps goes, and how fast they could be at best: `python -m benchmarks.parts`.

For each workload that `benchmarks.arrays` has measured, with its block width and lanes, as many workers as cores:

- batches: gathering and preparing them, and their noise;
- gradients: the forward and the backward pass;
- updates: the rest of a step;
- cached updates: the same number of updates (Adam, 28 bytes a parameter) on models so small that caches hold them, of
  several sizes the fastest, which no step of a dense optimizer that updates every parameter can undercut;
- products: a step's floating-point operations at the rate of large matrix products (`ceilings` of the arrays' table);
  models that leave inputs out or transform convolutions need fewer. Of bags of words, whose numbers lie scattered, the
  forward and backward pass of one block on one batch again and again, of several widths the fastest.

The limit is the trial-steps per second of cached updates and products alone, and its ratio to the best rival.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import torch

from adam_core.arrays.trial_array import TrialArray
from benchmarks.inputs import write_inputs
from benchmarks.machine import n_cores
from benchmarks.ours import OURS, one_block, our_step
from benchmarks.processes import Step, Way, call, measure
from benchmarks.shapes import SHAPES
from benchmarks.update_kernels import UPDATE_BYTES, our_update

_RESULTS = Path(__file__).parent / "results"
_CPU = torch.device("cpu")
_CACHED_PARAMETERS = (25_600, 51_200, 102_400, 256_000)  #: 0.4 to 4 MB with gradient and state
_CACHED_WIDTHS = (8, 16, 32)  #: 0.6 to 2.6 MB of weights and gradient of bags of words
_ROUNDS = 7

_HEADS = ("workload", "step", "batches", "gradients", "updates", "cached updates", "products", "limit (/ best rival)")


def _without(method: str, build: Callable[[], Step]) -> Step:
    """A step in which the arrays' method does nothing."""
    mock.patch.object(TrialArray, method, lambda *arguments: None).start()
    return build()


def _cached_updates(n_cached: int, n_parameters: int, lanes: int) -> Step:
    """Updates in the layout of the workload's model: with scalars of one lane, or of a lane for each column."""
    update = our_update("adam", n_cached, _CPU, 640 if lanes > 1 else 1, compiled=True)
    return lambda: update() / UPDATE_BYTES / n_parameters


def _cached_products(name: str, width: int, folder: Path) -> Step:
    """Forward and backward passes of one block on one batch of bags of words."""
    array, batch = one_block(name, width, folder, _CPU)
    mock.patch.object(TrialArray, "_update", lambda *arguments: None).start()

    def step() -> float:
        array.step(1, {0: batch})
        return width

    return step


def _measure(name: str, figures: Mapping[str, Any], folder: Path, peak: float) -> str:
    """The workload's row of the table."""
    step = partial(our_step, name, figures["width"], figures["lanes"], folder, _CPU)
    builds: dict[str, Callable[[], Step]] = {
        "step": step,
        "without updates": partial(_without, "_update", step),
        "batches": partial(_without, "_compute", step),
        **{
            f"{n} cached": partial(_cached_updates, n, figures["n_parameters"], figures["width"])
            for n in _CACHED_PARAMETERS
        },
    }
    is_sparse = SHAPES[name].dataset == "imdb"
    if is_sparse:
        builds |= {f"products of {b}": partial(_cached_products, name, b, folder) for b in _CACHED_WIDTHS}
    workers = n_cores()
    rates = measure([Way(part, workers, 1, build) for part, build in builds.items()], _ROUNDS, SHAPES[name].seconds)
    times = {part: workers * 1e6 / median(values) for part, values in rates.items()}
    cached = min(times[f"{n} cached"] for n in _CACHED_PARAMETERS)
    products = workers * figures["flops"] / peak / 1e3
    if is_sparse:
        products = min(times[f"products of {b}"] for b in _CACHED_WIDTHS)
    best_rival = max(median(values) for way, values in figures["rates"].items() if not way.startswith(OURS))
    limit = workers * 1e6 / (cached + products)
    parts = (
        times["step"],
        times["batches"],
        times["without updates"] - times["batches"],
        times["step"] - times["without updates"],
        cached,
        products,
    )
    return f"| {name} | {' | '.join(f'{part:,.2f}' for part in parts)} | {limit:,.0f} ({limit / best_rival:,.1f}x) |"


def main() -> None:
    """Measure, write the table and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", nargs="+", choices=SHAPES, default=list(SHAPES), metavar="NAME")
    asked = parser.parse_args()
    results = json.loads((_RESULTS / "arrays-cpu.json").read_text("utf-8"))
    peak = results["ceilings"][f"product {n_cores()} x 1"]
    lines = [
        "# Where the time of a trial-step goes",
        "",
        *(f"- {what}: {it}" for what, it in results["machine"].items()),
    ]
    lines += [
        "",
        "Microseconds per trial-step of each worker, medians; the limit in trial-steps per second of all.",
        "",
    ]
    lines += [f"| {' | '.join(_HEADS)} |", "| --- |" + " --- |" * (len(_HEADS) - 1)]
    with TemporaryDirectory() as folder:
        for dataset in dict.fromkeys(SHAPES[name].dataset for name in asked.workloads):
            call(write_inputs, dataset, Path(folder))
        lines += [_measure(name, results["workloads"][name], Path(folder), peak) for name in asked.workloads]
    text = "\n".join([*lines, "", "```", *(__doc__ or "").strip().splitlines()[2:], "```", ""])
    (_RESULTS / "parts-cpu.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
