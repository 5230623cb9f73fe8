import json
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.arrays import main
from benchmarks.growth import measure_removal
from benchmarks.plot import draw
from benchmarks.table import compare, render

RATES = {
    "usual way: DataLoader, loop, dense, 1 x 2": [90.0, 110.0, 100.0],
    "gathers, fused, dense, 1 x 2": [500.0, 490.0, 800.0],
    "gathers, fused, dense, 2 x 1": [600.0, 620.0, 10.0],
    "ours, 2 x 1": [5000.0, 4500.0, 4400.0],
}


def results_of(rates: dict[str, list[float]]) -> dict[str, Any]:
    sizes = [
        {"lanes": lanes, "width": width, "step_seconds": seconds, "n_bytes": n_bytes}
        for lanes, width, seconds, n_bytes in ((1, 1, 1e-3, 9e8), (2, 2, 1e-3, 1e6), (4, 2, 2e-3, 1.2e6))
    ]
    measured = {
        "measured": "2026-01-02T03:04:05+00:00",
        "data": "synthetic",
        "n_parameters": 7850,
        "flops": 4e6,
        "width": 2,
        "lanes": 6,
        "rates": rates,
        "sizes": sizes,
        "removal": {"lanes": 4, "seconds": 5e-3, "before_seconds": 2e-3, "after_seconds": 1e-3},
    }
    return {
        "machine": {"CPU": "Imaginary, 2 cores"},
        "ceilings": {"product 2 x 1": 200.0, "copy 2 x 1": 40.0},
        "workloads": {"mnist-logistic": measured},
    }


def test_comparison_takes_medians() -> None:
    found = compare({"rates": RATES})
    assert found
    assert (found.usual, found.rival, found.ours) == (100.0, 600.0, 4500.0)
    assert found.rival_name == "gathers, fused, dense, 2 x 1"


@pytest.mark.parametrize("missing", ["usual", "ours"])
def test_no_comparison_without_all(missing: str) -> None:
    assert compare({"rates": {name: rates for name, rates in RATES.items() if not name.startswith(missing)}}) is None


def test_table_says_what_is_met() -> None:
    page = render(results_of(RATES))
    assert "Imaginary, 2 cores" in page
    assert "mnist-logistic (synthetic data)" in page
    assert "7.5x (MISSES 8x)" in page  # 4500 / 600
    assert "45x (meets 40x)" in page
    assert "| ours, 2 x 1 | 4,500 [4,400, 5,000] | 1x | 18 (9%) | 1.41 (4%) |" in page
    # 1000 us, then 500 twice; 1e5 bytes a lane of 7850 parameters
    assert "| mnist-logistic | 1,000 | 500 | 500 | 12.7 | 5 ms (step 2 -> 1 ms) |" in page


@pytest.mark.parametrize("rates", [RATES, {}])
def test_plot_is_written(rates: dict[str, list[float]], tmp_path: Path) -> None:
    draw(results_of(rates), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_removal_leaves_half(folder: Path) -> None:
    removal = measure_removal("mnist-logistic", 2, 4, folder, torch.device("cpu"))
    assert removal.lanes == 4
    assert min(removal.seconds, removal.before_seconds, removal.after_seconds) > 0


def test_one_workload_from_end_to_end(tmp_path: Path) -> None:
    short = ["--rounds", "2", "--seconds", "0.05", "--results", str(tmp_path)]
    main(["--workloads", "mnist-logistic", "--sections", "rates", "--ways", "fused", "usual", "ours", *short])
    results = json.loads((tmp_path / "arrays-cpu.json").read_text("utf-8"))
    rates = results["workloads"]["mnist-logistic"]["rates"]
    assert all(len(of_way) == 2 and min(of_way) > 0 for of_way in rates.values())
    assert compare(results["workloads"]["mnist-logistic"])
    assert "mnist-logistic" in (tmp_path / "arrays-cpu.md").read_text("utf-8")
    assert (tmp_path / "arrays-cpu.png").exists()
