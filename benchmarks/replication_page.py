"""The page of what was replicated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.figures import FIGURES, Curve, Figure
from benchmarks.twins import RECIPES
from studies.workloads import find_workload

_PARITY = """\
One lane of a trial array with the paper's default Adam (α 0.001, β1 0.9, β2 0.999, ε 1e-8; the workload's batches and
schedule) against a plain training script: the twin `nn.Module` and `torch.optim.Adam`, with the same initial weights,
order of examples, dropout masks and latent noise. Losses are over the whole training set, with the L2 term. In float64,
the largest relative deviation of the batches' losses, and of the parameters relative to the largest, over the first
steps; in float32 after each epoch.
"""

_ROUNDING = """\
Deep networks amplify rounding: the largest relative deviation of the first batches' losses in float32 from those of the
script in float64, of a trial array and of the script itself.
"""

_FIGURES = """\
Training cost of each optimizer with the best α of its grid (by the cost at the last epoch), one seed, beside the
paper's, read by eye off its figures. The last column is the L2 term in our cost.

Left out, since two cores would need days for it: the paper's ends of Figures 2a (200 epochs), 2b (25) and 3 (45), of
Figure 4 the columns of β2 0.99 and 0.9999 and its row of 100 epochs, SGD-Nesterov and AdaGrad with dropout in Figure 3,
and finer grids of α. Values of the paper at epochs that are not trained here stand in the tables all the same.
"""


def render(results: Mapping[str, Any]) -> str:
    """A page of Markdown."""
    parity = [name for name in RECIPES if "default Adam" in results["parity"].get(name, {})]
    figures = [name for name in FIGURES if name in results["figures"]]
    lines = ["# The workloads on real data: against plain PyTorch, and against the paper", ""]
    if parity:
        lines += ["## The same curves as a plain PyTorch script", "", _PARITY]
        lines += _parity_lines(results["parity"], parity)
        lines += ["", _ROUNDING, *_rounding_lines(results["parity"], parity)]
    if figures:
        lines += ["", "## The paper's figures", "", _FIGURES]
        for name in figures:
            lines += [*_figure_lines(FIGURES[name], results["figures"][name]), ""]
    lines += ["## Measured on", "", *_machines(results)]
    return "\n".join(lines) + "\n"


def _parity_lines(results: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    yield from _head("workload", "epoch", "ours", "script", "deviation", "float64: losses", "parameters")
    for name in names:
        found = results[name]["default Adam"]
        exact = found["float64"]
        for epoch, both in enumerate(found["float32"]):
            ours, script = both["ours"]["train"], both["script"]["train"]
            cells = [name, str(epoch), f"{ours:.6g}", f"{script:.6g}", f"{abs(ours / script - 1):.1e}"]
            of_start = [f"{exact['loss']:.1e} ({exact['n_steps']} steps)", f"{exact['parameters']:.1e}"]
            yield _row(*cells, *(of_start if epoch == 0 else ["", ""]))


def _rounding_lines(results: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    yield from _head("workload", "steps", "ours", "script")
    for name in names:
        if found := results[name].get("rounding"):
            yield _row(name, str(found["n_steps"]), f"{found['ours']:.1e}", f"{found['script']:.1e}")


def _figure_lines(figure: Figure, results: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"### {figure.name}: `{figure.workload}`", "")
    yield from _head("curve", "α of the grid (cost at the last epoch)", "best α", "epoch", "paper", "ours", "L2 term")
    for curve in figure.curves:
        if curve.label in results:
            yield from _curve_rows(curve, results[curve.label])
    yield ""
    yield from (f"- {difference}" for difference in figure.differences)
    yield f"- {find_workload(figure.workload).unstated}"


def _curve_rows(curve: Curve, found: Mapping[str, Any]) -> Iterator[str]:
    finished = {alpha: losses for alpha, losses in found["losses"].items() if losses[-1] is not None}
    if not finished:
        yield _row(curve.label, _grid(found), "all diverged", "", "", "", "")
        return
    best = min(finished, key=lambda alpha: finished[alpha][-1])
    epochs = sorted({*curve.paper, 1, len(finished[best]) - 1})
    for epoch in epochs:
        first = [curve.label, _grid(found), f"{float(best):.3g}"] if epoch == epochs[0] else ["", "", ""]
        paper = f"{curve.paper[epoch]:.3g}" if epoch in curve.paper else ""
        is_trained = epoch < len(finished[best])
        ours = f"{finished[best][epoch]:.3g}" if is_trained else "not trained so far"
        penalty = f"{found['penalties'][best][epoch]:.2g}" if is_trained else ""
        yield _row(*first, str(epoch), paper, ours, penalty)


def _grid(found: Mapping[str, Any]) -> str:
    ends = {
        alpha: "diverged" if losses[-1] is None else f"{losses[-1]:.3g}" for alpha, losses in found["losses"].items()
    }
    return ", ".join(f"{float(alpha):.3g} ({end})" for alpha, end in ends.items())


def _machines(results: Mapping[str, Any]) -> Iterator[str]:
    records = [record for section in results.values() for of_name in section.values() for record in of_name.values()]
    for machine in dict.fromkeys(record["machine"] for record in records):
        dates = sorted(record["measured"] for record in records if record["machine"] == machine)
        yield f"- {machine}: {dates[0]} to {dates[-1]}"


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield "|" + " --- |" * len(names)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
