"""Trial arrays against what a user of PyTorch would write otherwise, side by side: `make bench`, `make bench-gpu`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.ceilings import measure_ceilings
from benchmarks.growth import measure_growth, measure_removal
from benchmarks.inputs import load_inputs, write_inputs
from benchmarks.machine import describe
from benchmarks.ours import choose_array, our_way
from benchmarks.plot import draw
from benchmarks.processes import call, measure
from benchmarks.rivals import rival_ways
from benchmarks.shapes import SHAPES, Shape
from benchmarks.table import render

_SECTIONS = ("ceilings", "rates", "growth")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for, and write the figures of all runs on this machine, their table and their plot."""
    asked = _parse(arguments)
    device = torch.device(asked.device)
    file = asked.results / f"arrays-{asked.device}.json"
    results = _earlier(file, call(describe, device))
    if "ceilings" in asked.sections:
        _say("ceilings")
        for name, best in measure_ceilings(device).items():  # of all runs: others' load only ever lowers them
            results["ceilings"][name] = max(best, results["ceilings"].get(name, 0.0))
    with TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        datasets = dict.fromkeys(SHAPES[name].dataset for name in asked.workloads)
        is_real = {dataset: call(write_inputs, dataset, folder) for dataset in datasets}
        for name in asked.workloads:
            measured = _measure_workload(SHAPES[name], folder, device, asked)
            measured["data"] = "real" if is_real[SHAPES[name].dataset] else "synthetic"
            results["workloads"][name] = results["workloads"].get(name, {}) | measured
            _write(results, file)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.arrays", description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--workloads", nargs="+", choices=SHAPES, default=list(SHAPES), metavar="NAME")
    parser.add_argument("--sections", nargs="+", choices=_SECTIONS, default=_SECTIONS)
    parser.add_argument("--ways", nargs="+", default=[""], metavar="TEXT", help="only ways whose name has one of these")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, help="of a turn; default: the workload's own")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    asked = parser.parse_args(arguments)
    if asked.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda needs a CUDA device, got none")
    return asked


def _earlier(file: Path, machine: dict[str, str]) -> dict[str, Any]:
    """The figures of earlier runs on this machine."""
    if file.exists():
        results: dict[str, Any] = json.loads(file.read_text("utf-8"))
        if results["machine"] == machine:
            return results
    return {"machine": machine, "ceilings": {}, "workloads": {}}


def _write(results: dict[str, Any], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    file.with_suffix(".md").write_text(render(results), "utf-8")
    draw(results, file.with_suffix(".png"))
    _say(f"written: {file}, .md and .png")


def _measure_workload(shape: Shape, folder: Path, device: torch.device, asked: argparse.Namespace) -> dict[str, Any]:
    _say(f"{shape.name}: block width and lanes")
    width, n_lanes = call(choose_array, shape.name, folder, device)
    measured: dict[str, Any] = {"n_parameters": shape.n_parameters, "flops": call(_flops, shape.name, folder)}
    if "rates" in asked.sections:
        _say(f"{shape.name}: trial-steps per second")
        ways = [*rival_ways(shape, folder, device), our_way(shape.name, width, n_lanes, folder, device)]
        chosen = [way for way in ways if any(text in way.name for text in asked.ways)]
        measured["rates"] = measure(chosen, asked.rounds, asked.seconds or shape.seconds)
        measured |= {"width": width, "lanes": n_lanes, "measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}
    if "growth" in asked.sections:
        _say(f"{shape.name}: growth with K")
        sizes = measure_growth(shape.name, width, folder, device)
        measured["sizes"] = [asdict(size) for size in sizes]
        measured["removal"] = asdict(measure_removal(shape.name, width, max(2, sizes[-1].lanes), folder, device))
    return measured


def _flops(shape_name: str, folder: Path) -> float:
    shape = SHAPES[shape_name]
    return shape.flops(load_inputs(shape.dataset, folder))


def _say(text: str) -> None:
    print(f"{datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
