"""A trial array and a plain PyTorch training script give the same curves."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks.figures import Curve, Figure
from benchmarks.parity import first_steps, our_losses, plan_of_default_adam, script_losses
from benchmarks.replication import main
from benchmarks.twins import RECIPES
from studies.settings import Settings
from studies.workloads import WORKLOADS
from tests.worker.workload_data import shrink
from worker.datasets.registry import Dataset, load_dataset

CPU = torch.device("cpu")
DIGITS = [name for name in RECIPES if WORKLOADS[name].dataset == "digits"]


def _digits(name: str, dtype: torch.dtype) -> Dataset:
    return load_dataset(WORKLOADS[name], "real", Settings.from_environ({}), CPU, dtype)


@pytest.mark.parametrize("name", DIGITS)
def test_two_epochs_on_the_digits_are_the_same(name: str) -> None:
    """Float64, within 1e-10: losses over the training and the test set, before the first step and after each epoch."""
    plan, data = plan_of_default_adam(name, 2), _digits(name, torch.float64)
    curves = [list(losses(plan, data)) for losses in (our_losses, script_losses)]
    assert [len(curve) for curve in curves] == [3, 3]
    for ours, script in zip(*curves, strict=True):
        assert ours.train == pytest.approx(script.train, rel=1e-10)
        assert ours.test == pytest.approx(script.test, rel=1e-10)


@pytest.mark.parametrize("name", RECIPES)
def test_first_steps_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Float64, on few random examples, dropout included: losses within 1e-10.

    Parameters within 1e-7 of the largest: Adam divides tiny gradients by their own size, rounding included.
    """
    data = shrink(name, monkeypatch, torch.float64)
    deviation = first_steps(plan_of_default_adam(name, 1), data, n_steps=3)
    assert deviation.n_steps == 3
    assert deviation.loss < 1e-10 and deviation.parameters < 1e-7


def test_a_page_of_both_parts_which_a_second_run_does_not_train_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    curves = (
        Curve("Adam", "adam", (0.01, 1e38), {1: 2.1, 9: 0.5}),
        Curve("AdaGrad", "adagrad", (1e38,), {1: 2.2}),
    )
    figure = Figure("Figure 0", "digits-logistic", 2, curves, ("They differ.",))
    monkeypatch.setattr("benchmarks.replication.FIGURES", {"digits-logistic": figure})
    monkeypatch.setattr("benchmarks.replication_page.FIGURES", {"digits-logistic": figure})
    arguments = ["--workloads", "digits-logistic", "--epochs", "2", "--results", str(tmp_path)]
    main(arguments)
    assert len(capsys.readouterr().err.splitlines()) == 4
    found = json.loads((tmp_path / "replication.json").read_text("utf-8"))
    adam = found["figures"]["digits-logistic"]["Adam"]
    good, wild = adam["losses"].values()
    assert len(good) == 3 and good[2] < good[0] and wild[1:] == [None]
    assert 0 < min(adam["penalties"]["0.01"]) < max(good)
    page = (tmp_path / "replication.md").read_text("utf-8")
    assert f"| Adam | 0.01 ({good[-1]:.3g}), 1e+38 (diverged) | 0.01 | 1 | 2.1 | {good[1]:.3g} |" in page
    assert "|  |  |  | 9 | 0.5 | not trained so far |  |" in page
    assert "| AdaGrad | 1e+38 (diverged) | all diverged |" in page and "- They differ." in page
    last = found["parity"]["digits-logistic"]["default Adam"]["float32"][-1]
    assert f"| digits-logistic | 2 | {last['ours']['train']:.6g} | {last['script']['train']:.6g} |" in page
    lost = found["parity"]["digits-logistic"]["rounding"]
    assert lost["n_steps"] == 12 and 1e-9 < lost["ours"] < 1e-5 and 1e-9 < lost["script"] < 1e-5
    main(arguments)
    assert capsys.readouterr().err == ""
    main([*arguments, "--epochs", "3", "--sections", "figures"])
    assert len(capsys.readouterr().err.splitlines()) == 2
