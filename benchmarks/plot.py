"""The plot of what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.shapes import SHAPES
from benchmarks.table import compare, number

_RIVAL, _USUAL = "tab:blue", "tab:orange"


def draw(results: Mapping[str, Any], file: Path) -> None:
    """Write a PNG: ratios of trial-steps per second, and how the time per trial-step falls with K."""
    workloads = {name: results["workloads"][name] for name in SHAPES if name in results["workloads"]}
    figure = Figure(figsize=(13, 5), layout="constrained")
    ratios, growth = figure.subplots(1, 2)
    _draw_ratios(ratios, workloads, "GPU" in results["machine"])
    _draw_growth(growth, workloads)
    figure.suptitle(results["machine"].get("GPU", results["machine"]["CPU"]))
    figure.savefig(file, dpi=120)


def _draw_ratios(axes: Axes, workloads: Mapping[str, Any], on_gpu: bool) -> None:
    """Two bars for each workload, and a mark where they are required to end."""
    compared = {name: found for name, measured in workloads.items() if (found := compare(measured))}
    for place, (name, found) in enumerate(compared.items()):
        required = (None, SHAPES[name].required_on_gpu) if on_gpu else SHAPES[name].required
        bars = ((found.rival, required[0], _RIVAL, 0.2), (found.usual, required[1], _USUAL, -0.2))
        for rate, least, colour, shift in bars:
            ratio = found.ours / rate
            axes.barh(-place + shift, ratio - 1, 0.36, left=1, color=colour)
            axes.annotate(f" {number(ratio)}x", (max(ratio, 1), -place + shift), va="center", fontsize=8)
            if least:
                axes.plot([least, least], [-place + shift - 0.18, -place + shift + 0.18], color="black")
    axes.set_xscale("log")
    axes.axvline(1, color="gray", linewidth=0.8)
    axes.margins(x=0.15)
    axes.set_yticks([-place for place in range(len(compared))], list(compared))
    axes.set_title(
        "Trial-steps per second: ours / best rival (blue), ours / usual way (orange); black: required", fontsize=9
    )


def _draw_growth(axes: Axes, workloads: Mapping[str, Any]) -> None:
    """Time per trial-step against K, relative to K = 1."""
    for name, measured in workloads.items():
        if "sizes" in measured:
            lanes = [size["lanes"] for size in measured["sizes"]]
            times = [size["step_seconds"] / size["lanes"] for size in measured["sizes"]]
            axes.plot(lanes, [time / times[0] for time in times], marker="o", markersize=3, label=name)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("K, lanes of one seed in one process")
    axes.set_title("Time per trial-step, relative to K = 1", fontsize=9)
    if axes.lines:
        axes.legend(fontsize=8)
