"""The parts of the load benchmark that need no server: the trace, the sums of statements, the page."""

from pathlib import Path

import pytest
import torch

from benchmarks.load import trace
from benchmarks.load.cases import Asking, Fairness, Load, Mirroring, spec_of
from benchmarks.load.page import Found, growth, page
from benchmarks.load.statements import difference, generalised, named, total
from worker.array_plan import ArrayPlan, Lane
from worker.reports import EpochReport, LaneMetrics, Tick


def _load(n_trials: int, server_seconds: float) -> Load:
    names = ("deadlocks", "xact_commit", "wal_bytes", "result_trials_bytes", "result_arrays_bytes")
    brokers = ("messages", "redis_commands", "redis_bytes")
    numbers = dict.fromkeys((*names, *brokers, "result_epochs_bytes"), 64.0)
    numbers |= {"server_seconds": server_seconds, "result_epochs": 2.0 * n_trials, "result_arrays": n_trials / 4}
    statements = {"SELECT x FROM result_trials": [n_trials, 0.25]}
    return Load(1, n_trials, 1, 0.5, 8.0, 3, [1.5], numbers, statements)


def test_statements_are_summed_whatever_their_parameters_and_processes() -> None:
    one = "UPDATE result_arrays\nSET epoch=%(epoch)s::INTEGER WHERE id IN (%(id_1)s, %(id_2)s)"
    two = "UPDATE result_arrays SET epoch=%(epoch)s WHERE id IN (%(id_1)s, %(id_2)s, %(id_3)s)"
    assert generalised(one) == generalised(two) == "UPDATE result_arrays SET epoch=? WHERE id IN (?)"
    assert named(generalised(one)) == "UPDATE result_arrays"
    assert named("SELECT count(*) FROM result_trials WHERE x") == "SELECT result_trials"
    before = total([{"a": [1, 0.5]}, {"a": [2, 0.25], "b": [1, 1.0]}])
    assert before == {"a": [3, 0.75], "b": [1, 1.0]}
    assert difference({"a": [5, 1.0], "b": [1, 1.0]}, before) == {"a": [2, 0.25]}


def test_a_trace_is_played_to_the_lanes_that_ask_and_goes_on_from_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = [2.3, 1.5, 0.75]
    recorded = [[vars(LaneMetrics(number, 0, loss + number)) for number in range(32)] for loss in curve]
    torch.save({"epochs": recorded, "array": {}}, tmp_path / "trace.pt")
    (tmp_path / "pace").write_text("0.01")
    monkeypatch.setenv(trace.TRACE_VARIABLE, str(tmp_path / "trace.pt"))
    monkeypatch.setenv(trace.PACE_VARIABLE, str(tmp_path / "pace"))
    lanes = tuple(Lane(number, 0, {}) for number in (3, 40))
    plan = ArrayPlan.of(spec_of("played", 64, 3), lanes, 1)
    player = trace.TracePlayer(plan, None)
    events = player.run()
    first = next(events)
    assert isinstance(first, EpochReport) and [lane.trial for lane in first.lanes] == [3, 40]
    assert isinstance(events.send(frozenset({3})), Tick)
    resumed = trace.TracePlayer(plan, None, player.snapshot())
    played = [event for event in resumed.run() if isinstance(event, EpochReport)]
    assert [report.epoch for report in played] == [1, 2, 3]
    assert [[(lane.trial, lane.train_loss) for lane in report.lanes] for report in played] == [
        [(40, 9.5)],
        [(40, 8.75)],
        [(40, 8.75)],
    ], "trial 40 plays lane 8 of 32, and the last epoch of a recording goes on"


def test_the_page_tells_growth_lateness_and_deadlocks() -> None:
    loads = [_load(100, 1.0), _load(1000, 25.0)]
    assert growth(loads) == [2.5]
    mirror = Mirroring(
        100, 50, 5.0, {"server_seconds": 1.0, "optuna_bytes": 5000.0}, {"INSERT INTO trials": [100, 1.0]}
    )
    fairness = Fairness(10, 20, 10.0, 40.0, [3.25, 20.5, None], [1, 2, 3])
    asked = [Asking("tpe, an array in one go", 100, 32, 0.64)]
    found = Found({"CPU": "a"}, "c", [(load, mirror) for load in loads], _load(8, 1.0), fairness, asked)
    text = page(found)
    assert "from 100 to 1,000 trials x 2.50" in text
    assert "| server, ms/trial | 10.00 | 25.00 |" in text and "| deadlocks | 64 | 64 |" in text
    assert "3.2, 20.5, never (2 of 3 later than two slices)" in text
    assert "| 100 | 50 | 5.0 | 10.0 | 20.0 | 2.0 | 100 |" in text
    assert "| tpe, an array in one go | 100 | 32 | 0.640 | 20.00 |" in text
