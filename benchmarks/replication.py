"""Each workload against a plain PyTorch script, and against the paper's figures: `make replication`.

Results are kept after every curve, so that a run can be ended and gone on with; what is there is not trained again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.figures import FIGURES, Curve
from benchmarks.machine import describe
from benchmarks.parity import first_steps, our_losses, plan_of_default_adam, rounding, script_losses
from benchmarks.replication_page import render
from benchmarks.twins import RECIPES
from studies.settings import Settings
from studies.spec import StudySpec
from studies.workloads import find_workload
from worker.array_plan import ArrayPlan, Lane
from worker.calibration import choose_block_width
from worker.datasets.registry import Dataset, load_dataset
from worker.training import ArrayTraining, EpochReport

_CPU = torch.device("cpu")

#: Epochs of the comparison with a plain script, unless asked otherwise; convolutions take a minute and more each.
_PARITY_EPOCHS = {"cifar10-cnn": 1, "cifar10-cnn-dropout": 1}
_OTHER_PARITY_EPOCHS = 5

#: Steps of the comparison in float64, and of that of float32 with it.
_FLOAT64_STEPS, _ROUNDING_STEPS = 10, 50

_SECTIONS = ("parity", "figures")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is asked for and not yet there, and write the figures of all runs and their page."""
    asked = _parse(arguments)
    file: Path = asked.results / "replication.json"
    for workload in asked.workloads:
        for section, name, record in _measured(workload, asked, _read(file)):
            _keep(file, section, workload, name, record)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.replication", description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=RECIPES, default=list(RECIPES), metavar="NAME")
    parser.add_argument("--epochs", type=int, help="of every run; default: the workload's own here")
    parser.add_argument("--sections", nargs="+", choices=_SECTIONS, default=_SECTIONS)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args(arguments)


def _measured(
    workload: str, asked: argparse.Namespace, results: Mapping[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Section, name and record of what is not in the results yet."""
    if "parity" in asked.sections:
        epochs = asked.epochs or _PARITY_EPOCHS.get(workload, _OTHER_PARITY_EPOCHS)
        if _is_new(results["parity"].get(workload, {}).get("default Adam"), epochs):
            _say(f"{workload}: {epochs} epochs of default Adam, twice")
            yield "parity", "default Adam", _parity(workload, epochs)
        if "rounding" not in results["parity"].get(workload, {}):
            _say(f"{workload}: {_ROUNDING_STEPS} steps in float32 and in float64")
            single, double = (_dataset(workload, dtype) for dtype in (torch.float32, torch.float64))
            lost = rounding(plan_of_default_adam(workload, 1), single, double, _ROUNDING_STEPS)
            yield "parity", "rounding", asdict(lost)
    if "figures" in asked.sections and workload in FIGURES:
        figure = FIGURES[workload]
        epochs = asked.epochs or figure.epochs
        for curve in figure.curves:
            if _is_new(results["figures"].get(workload, {}).get(curve.label), epochs, curve.alphas):
                _say(f"{workload}: {epochs} epochs of {curve.label}, {len(curve.alphas)} alphas")
                yield "figures", curve.label, _curve(workload, curve, epochs)


def _read(file: Path) -> dict[str, Any]:
    """The figures of all runs so far."""
    if not file.exists():
        return {"parity": {}, "figures": {}}
    results: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return results


def _keep(file: Path, section: str, workload: str, name: str, record: Mapping[str, Any]) -> None:
    """Add a record to those that are there by now, as another run may go on beside this one."""
    machine, results = describe(_CPU), _read(file)
    results[section].setdefault(workload, {})[name] = {
        **record,
        "machine": f"{machine['CPU']}; {machine['libraries']}",
        "measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    file.with_suffix(".md").write_text(render(results), "utf-8")


def _is_new(found: Mapping[str, Any] | None, epochs: int, alphas: Sequence[float] = ()) -> bool:
    return found is None or found["epochs"] < epochs or not set(map(str, alphas)) <= set(found.get("losses", ()))


def _parity(workload: str, epochs: int) -> dict[str, Any]:
    plan = plan_of_default_adam(workload, epochs)
    exact = first_steps(plan, _dataset(workload, torch.float64), _FLOAT64_STEPS)
    data = _dataset(workload, torch.float32)
    pairs = zip(our_losses(plan, data), script_losses(plan, data), strict=True)
    curves = [{"ours": asdict(ours), "script": asdict(script)} for ours, script in pairs]
    return {"epochs": epochs, "float64": asdict(exact), "float32": curves}


def _curve(workload: str, curve: Curve, epochs: int) -> dict[str, Any]:
    """Training losses by α and epoch, and the L2 term in them; None where a lane diverged."""
    data = _dataset(workload, torch.float32)
    spec = StudySpec(
        name="figure",
        workload=workload,
        optimizer=curve.optimizer,
        n_trials=len(curve.alphas),
        epochs=epochs,
        schedule={"alpha": curve.schedule or find_workload(workload).schedule},
    )
    lanes = tuple(Lane(trial, 0, {**curve.hyperparameters, "alpha": alpha}) for trial, alpha in enumerate(curve.alphas))
    training = ArrayTraining(ArrayPlan.of(spec, lanes, choose_block_width(spec, data)), data)
    losses: dict[str, list[float | None]] = {str(alpha): [] for alpha in curve.alphas}
    penalties: dict[str, list[float]] = {str(alpha): [] for alpha in curve.alphas}
    for event in training.run():
        if isinstance(event, EpochReport):
            of_lanes = _penalties(training.snapshot(), find_workload(workload).l2)
            for lane in event.lanes:
                alpha = str(curve.alphas[lane.trial])
                losses[alpha].append(lane.train_loss)
                if not lane.diverged:
                    penalties[alpha].append(of_lanes[lane.trial])
    return {"epochs": epochs, "losses": losses, "penalties": penalties}


def _penalties(snapshot: Mapping[str, Any], l2: float) -> dict[int, float]:
    """Each lane's L2 term, from its parameters [K, inputs + 1, outputs] of each layer."""
    layers: list[Tensor] = [tensors[0] for tensors in snapshot["array"]["layers"]]
    if not layers:  # all lanes diverged
        return {}
    sums = torch.stack([layer[:, :-1].double().square().flatten(1).sum(1) for layer in layers]).sum(0)
    return dict(zip(snapshot["array"]["lanes"], (l2 / 2 * sums).tolist(), strict=True))


def _dataset(workload: str, dtype: torch.dtype) -> Dataset:
    return load_dataset(find_workload(workload), "real", Settings.from_environ(), _CPU, dtype)


def _say(text: str) -> None:
    print(f"{datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
