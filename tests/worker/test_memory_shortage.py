"""A shortage of memory that passes costs time and no trial."""

import resource
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from studies.db import queries
from studies.db.engine import open_database
from studies.settings import Settings
from tests.factories import make_spec
from tests.worker.test_runner import finish, make_runner, submit
from worker.device import is_short_of_memory
from worker.training import ArrayPlan, ArrayTraining

SHORTAGE_SECONDS = 0.5


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_shortage_that_passes_costs_no_trial(
    sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    db = open_database(sqlite_settings)
    study_id = submit(db, make_spec(n_trials=4, n_seeds=1, epochs=2))
    build = ArrayTraining.__init__
    tries: list[float] = []

    def build_if_there_is_room(self: ArrayTraining, *args: Any, **kwargs: Any) -> None:
        tries.append(time.monotonic())
        if tries[-1] < tries[0] + SHORTAGE_SECONDS:
            raise error
        build(self, *args, **kwargs)

    monkeypatch.setattr(ArrayTraining, "__init__", build_if_there_is_room)
    monkeypatch.setattr("worker.runner.FIRST_REST_SECONDS", SHORTAGE_SECONDS / 2)
    finish(make_runner(db, tmp_path), db, study_id)
    assert queries.find_study(db, study_id).counts == {"complete": 4}
    assert 2 <= len(tries) <= 4, "one after each rest"
    db.close()


def test_shortage_that_lasts_is_answered_by_smaller_arrays(
    sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to the longest rest no try is lost; from there on, three cost an array of several trials its size."""
    db = open_database(sqlite_settings)
    study_id = submit(db, make_spec(n_trials=4, n_seeds=1, epochs=2))
    build = ArrayTraining.__init__
    sizes: list[int] = []

    def build_if_it_is_small(self: ArrayTraining, plan: ArrayPlan, *args: Any, **kwargs: Any) -> None:
        sizes.append(len(plan.lanes))
        if len(plan.lanes) > 1:
            raise MemoryError
        build(self, plan, *args, **kwargs)

    monkeypatch.setattr(ArrayTraining, "__init__", build_if_it_is_small)
    monkeypatch.setattr("worker.runner.FIRST_REST_SECONDS", 0.01)
    monkeypatch.setattr("worker.runner.LONGEST_REST_SECONDS", 0.04)
    finish(make_runner(db, tmp_path), db, study_id)
    assert queries.find_study(db, study_id).counts == {"complete": 4}
    assert sizes == [4] * 6 + [1] * 4, "after 0.01, 0.02 and 0.04 seconds of rest each failure counts"
    db.close()


def test_memory_that_is_really_refused_is_told_from_other_errors() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 2**28, before[1]))
    try:
        with pytest.raises(RuntimeError) as caught:
            torch.empty(2**32, dtype=torch.uint8)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert is_short_of_memory(caught.value)
    assert not is_short_of_memory(RuntimeError("CUDA error: device-side assert triggered"))
