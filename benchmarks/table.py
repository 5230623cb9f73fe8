"""The table of what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.ours import OURS
from benchmarks.rivals import USUAL
from benchmarks.shapes import SHAPES

#: Read and written per parameter and step where nothing stays in a cache: theta by the forward and the backward pass,
#: the gradient once written, and the update's seven numbers.
_BYTES_PER_PARAMETER = 40

_NOTES = f"""\
- A trial-step is one update of one trial; rates are summed over the trials that train at the same time. Each figure is
  the median of interleaved turns, with the lowest and the highest. No evaluation, no `.item()` in the loops.
- Ways are named: batches, implementation of `torch.optim.Adam` ("loop" is its default on a CPU), form of the model,
  processes x threads of each. The first is the usual way: one trial at a time, as one writes it.
- `torch.compile` is left out: it needs a C compiler, which a user's machine may not have.
- imdb: "dense" has a column for each word, the others only the words of a review: CSR is a product with
  `torch.sparse_csr_tensor`, EmbeddingBag `torch.nn.functional.embedding_bag`, segments `index_select` and
  `torch.segment_reduce` (the fastest that we found, not what a tutorial shows).
- GFLOP/s count the products and convolutions alone, none with the zeros of bags of words, and convolutions as their
  definition has them, whatever algorithm computes them (so that shares can exceed 100 %). GB/s count
  {_BYTES_PER_PARAMETER} bytes per parameter and step: theta read twice, the gradient written, and the update's
  28; what stays in a cache is counted too. Ceilings, in the same units: float32 matrix products, and copies, read and
  written. Shares are of the ceilings of as many processes and threads.
"""


@dataclass(frozen=True)
class Comparison:
    """The medians of a workload's three ways, in trial-steps per second."""

    usual: float
    rival: float
    rival_name: str
    ours: float


def compare(measured: Mapping[str, Any]) -> Comparison | None:
    """The usual way, the best of all others' and ours; None: one of them was not measured."""
    medians = {name: median(rates) for name, rates in measured.get("rates", {}).items()}
    usual = next((rate for name, rate in medians.items() if name.startswith(USUAL)), None)
    ours = next((rate for name, rate in medians.items() if name.startswith(OURS)), None)
    others = {name: rate for name, rate in medians.items() if not name.startswith((USUAL, OURS))}
    if usual is None or ours is None or not others:
        return None
    best = max(others, key=others.__getitem__)
    return Comparison(usual, others[best], best, ours)


def render(results: Mapping[str, Any]) -> str:
    """A page of Markdown."""
    workloads = {name: results["workloads"][name] for name in SHAPES if name in results["workloads"]}
    lines = ["# Trial arrays against training one trial at a time", ""]
    lines += [f"- {key}: {value}" for key, value in results["machine"].items()]
    ceilings = ", ".join(f"{name} {number(value)}" for name, value in results["ceilings"].items())
    lines += [f"- ceilings (processes x threads): {ceilings}"]
    on_gpu = "GPU" in results["machine"]
    lines += ["", *_summary(workloads, on_gpu), "", *_growth(workloads), "", "## Every way", ""]
    for name, measured in workloads.items():
        if "rates" in measured:
            lines += [*_ways(name, measured, results["ceilings"]), ""]
    return "\n".join([*lines, "## Notes", "", _NOTES])


def _summary(workloads: Mapping[str, Any], on_gpu: bool) -> list[str]:
    rows = []
    for name, measured in workloads.items():
        shape, found = SHAPES[name], compare(measured)
        if found:
            required = (None, shape.required_on_gpu) if on_gpu else shape.required
            rows.append(
                (
                    f"{name} ({measured['data']} data)",
                    number(found.usual),
                    f"{number(found.rival)} ({found.rival_name})",
                    f"{number(found.ours)} (K {measured['lanes']}, b {measured['width']})",
                    _ratio(found.ours / found.rival, required[0]),
                    _ratio(found.ours / found.usual, required[1]),
                )
            )
    head = ("workload", "usual way", "best rival", "ours", "ours / best rival", "ours / usual way")
    return ["Trial-steps per second:", "", *_rows(head, rows)]


def _ratio(ratio: float, required: float | None) -> str:
    if required is None:
        return f"{number(ratio)}x"
    return f"{number(ratio)}x ({'meets' if ratio >= required else 'MISSES'} {required:g}x)"


def _ways(name: str, measured: Mapping[str, Any], ceilings: Mapping[str, float]) -> list[str]:
    ours = next((median(rates) for way, rates in measured["rates"].items() if way.startswith(OURS)), None)
    rows = []
    for way, rates in measured["rates"].items():
        rate, split = median(rates), way.rpartition(", ")[2]
        spread = f"{number(rate)} [{number(min(rates))}, {number(max(rates))}]"
        flops, moved = rate * measured["flops"], rate * measured["n_parameters"] * _BYTES_PER_PARAMETER
        shares = (
            _share(flops / 1e9, ceilings.get(f"product {split}")),
            _share(moved / 1e9, ceilings.get(f"copy {split}")),
        )
        rows.append((way, spread, f"{number(ours / rate)}x" if ours else "", *shares))
    size = f"{measured['n_parameters']:,} parameters, {number(measured['flops'] / 1e6)} MFLOP a trial-step"
    head = ("way", "trial-steps per second", "ours / this", "GFLOP/s", "GB/s")
    return [f"### {name}", "", f"{size}; {measured['data']} data; {measured['measured']}", "", *_rows(head, rows)]


def _share(value: float, ceiling: float | None) -> str:
    return number(value) + (f" ({value / ceiling:.0%})" if ceiling else "")


def _growth(workloads: Mapping[str, Any]) -> list[str]:
    """Time per trial-step by K, memory per lane and removals, of one process."""
    grown = {name: measured for name, measured in workloads.items() if "sizes" in measured}
    all_lanes = sorted({size["lanes"] for measured in grown.values() for size in measured["sizes"]})
    rows = []
    for name, measured in grown.items():
        sizes = {size["lanes"]: size for size in measured["sizes"]}
        times = [number(1e6 * sizes[k]["step_seconds"] / k) if k in sizes else "" for k in all_lanes]
        rows.append((name, *times, _bytes_per_parameter(measured), _removal(measured["removal"])))
    head = ("workload", *(f"K {k}" for k in all_lanes), "bytes", "removing half of the most lanes")
    return [
        "One process, one seed: microseconds per trial-step by K; bytes per parameter that another lane takes (theta",
        "and two tensors of state are 12, with a gradient 16); the time of a removal, and of a step before and after:",
        "",
        *_rows(head, rows),
    ]


def _bytes_per_parameter(measured: Mapping[str, Any]) -> str:
    """Between the smallest array of whole blocks and the largest."""
    largest = measured["sizes"][-1]
    smallest = next(size for size in measured["sizes"] if size["width"] == largest["width"])
    if smallest is largest:
        return ""
    n_bytes = (largest["n_bytes"] - smallest["n_bytes"]) / (largest["lanes"] - smallest["lanes"])
    return number(n_bytes / measured["n_parameters"])


def _removal(removal: Mapping[str, float]) -> str:
    steps = " -> ".join(f"{number(1e3 * removal[key])}" for key in ("before_seconds", "after_seconds"))
    return f"{number(1e3 * removal['seconds'])} ms (step {steps} ms)"


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def number(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
