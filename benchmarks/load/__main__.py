"""`python -m benchmarks.load`: measure, and write results/load.md and results/load.json."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.load import cases
from benchmarks.load.cases import Load, Mirroring
from benchmarks.load.page import Found, page
from benchmarks.load.stack import load_stack
from benchmarks.load.trace import N_LANES
from benchmarks.machine import describe

_RESULTS = Path(__file__).parents[1] / "results"
_SLICE_SECONDS = 10.0
_EPOCH_SECONDS = 1.0  #: where small studies wait among large ones
_N_LARGE, _N_SMALL = 10, 5
_MIRROR_SECONDS = 40.0  #: how long the workers are watched telling Optuna, at most


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 1_000, 10_000], help="trials of one study")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--studies", type=int, default=200, help="at once")
    parser.add_argument("--small", type=int, default=10, help="trials of each of these")
    parser.add_argument("--results", type=Path, default=_RESULTS)
    return parser.parse_args(argv)


def main(argv: list[str]) -> None:
    """Measure and write; large studies and many studies have servers and workers of their own."""
    asked = _arguments(argv)
    one: list[tuple[Load, Mirroring]] = []
    with load_stack() as stack:
        stack.start_workers(asked.workers, _SLICE_SECONDS)
        with stack.mirror_held():
            cases.run_studies(stack, 1, 20 * asked.workers, 1)  # the workers load their data
        memory = stack.worker_bytes
        for size in asked.sizes:
            with stack.mirror_held():
                load = cases.run_studies(stack, 1, size, asked.epochs)
            one.append((load, cases.watch_mirror(stack, size, _MIRROR_SECONDS)))
            _tell(f"{size} trials: {load.wall_seconds:.1f} s, mirrored {one[-1][1].n_mirrored}")
    with load_stack() as stack:
        stack.start_workers(asked.workers, _SLICE_SECONDS)
        fairness = cases.wait_among_large(stack, _N_LARGE, asked.workers, _SLICE_SECONDS, _EPOCH_SECONDS, _N_SMALL)
        _tell(f"small among large: {fairness.waits}")
        many = cases.run_studies(stack, asked.studies, asked.small, asked.epochs)
        _tell(f"{asked.studies} studies: {many.wall_seconds:.1f} s")
    found = Found(
        {
            **describe(torch.device("cpu")),
            "workers": f"{asked.workers}, {memory / asked.workers / 2**20:.0f} MiB each that they share with nobody",
            "load when it ended": f"{os.getloadavg()[1]:.1f} processes over 5 minutes",
        },
        " ".join(["python -m benchmarks.load", *argv]),
        one,
        many,
        fairness,
        cases.ask(asked.sizes, n_trials=N_LANES),
    )
    (asked.results / "load.md").write_text(page(found), "utf-8")
    (asked.results / "load.json").write_text(json.dumps(asdict(found), indent=1) + "\n", "utf-8")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
