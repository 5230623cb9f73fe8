"""Prepared arrays are made once for all processes, and never taken for whole when they are not."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from studies.errors import DataError
from tests.architecture.sources import ROOT
from worker.datasets.cache import Arrays, kept_arrays

#: A process that makes two arrays, slowly, writes down that it did, and prints what it holds in the end.
BUILDER = """
import os, sys, time
from pathlib import Path
import numpy as np
from worker.datasets.cache import kept_arrays

class Slow(dict):
    def items(self):
        for name, array in super().items():
            yield name, array
            print("wrote", name, flush=True)
            time.sleep(float(sys.argv[2]))

def make():
    with open(sys.argv[3], "a") as log:
        log.write(f"{os.getpid()}\\n")
    return Slow(first=np.arange(1000.0), second=np.ones((3, 4), np.int32))

arrays = kept_arrays(Path(sys.argv[1]), make)
print("sum", int(arrays["first"].sum()), arrays["second"].tolist())
"""
SUM = f"sum 499500 {[[1] * 4] * 3}"


class Maker:
    """Makes arrays and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Arrays:
        self.times += 1
        return {"inputs": np.arange(600, dtype=np.float32).reshape(20, 30), "labels": np.arange(20)}


def start(folder: Path, pause: float, log: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BUILDER, str(folder), str(pause), str(log)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_arrays_are_made_once_and_mapped(tmp_path: Path) -> None:
    make = Maker()
    first, again = (kept_arrays(tmp_path / "cache" / "arrays", make) for _ in range(2))
    assert make.times == 1
    for arrays in (first, again):
        assert isinstance(arrays["inputs"], np.memmap)
        assert {name: array.dtype for name, array in arrays.items()} == {"inputs": np.float32, "labels": np.int64}
        assert np.array_equal(arrays["inputs"], make()["inputs"]) and np.array_equal(arrays["labels"], make()["labels"])


def test_what_a_process_writes_stays_its_own(tmp_path: Path) -> None:
    first, again = (kept_arrays(tmp_path / "arrays", Maker()) for _ in range(2))
    first["inputs"][0, 0] = 7
    assert again["inputs"][0, 0] == 0 and kept_arrays(tmp_path / "arrays", Maker())["inputs"][0, 0] == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: os.truncate(folder / "inputs.npy", 1000),
        lambda folder: os.truncate(folder / "inputs.npy", 0),
        lambda folder: (folder / "labels.npy").unlink(),
        lambda folder: np.save(folder / "labels.npy", np.arange(21)),
        lambda folder: (folder / "labels.npy").write_bytes((folder / "labels.npy").read_bytes() + b"more"),
        lambda folder: (folder / "arrays.json").unlink(),
        lambda folder: (folder / "arrays.json").write_text("{"),
    ],
)
def test_damaged_arrays_are_made_again(damage: Callable[[Path], object], tmp_path: Path) -> None:
    folder, make = tmp_path / "arrays", Maker()
    kept_arrays(folder, make)
    damage(folder)
    assert np.array_equal(kept_arrays(folder, make)["labels"], np.arange(20))
    assert make.times == 2
    kept_arrays(folder, make)
    assert make.times == 2


def test_one_of_many_processes_makes_them(tmp_path: Path) -> None:
    processes = [start(tmp_path / "arrays", 0.2, tmp_path / "log") for _ in range(5)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [output.splitlines()[-1] for output in outputs] == [SUM] * 5
    assert len((tmp_path / "log").read_text().split()) == 1
    assert sum("wrote" in output for output in outputs) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arrays", "arrays.lock", "log"]


def test_a_builder_that_is_killed_leaves_nothing_that_is_taken_for_whole(tmp_path: Path) -> None:
    folder, log = tmp_path / "arrays", tmp_path / "log"
    killed = start(folder, 60.0, log)
    assert killed.stdout is not None and killed.stdout.readline() == "wrote first\n"
    waiting = start(folder, 0.0, log)
    time.sleep(1.0)
    assert not folder.exists() and waiting.poll() is None
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert waiting.communicate(timeout=60)[0].splitlines()[-1] == SUM
    assert len(log.read_text().split()) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arrays", "arrays.lock", "log"]


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from studies.errors import DataError
from worker.datasets.cache import kept_arrays
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # a write beyond fails as on a full disk
try:
    kept_arrays(Path(sys.argv[1]), lambda: {"small": np.ones(3), "large": np.ones(1_000_000)})
except DataError as error:
    print(error)
"""


def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "arrays"
    command = [sys.executable, "-c", FULL_DISK, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == (
        f"the prepared data set {folder} cannot be kept: File too large; ADAM_STUDIES_HOME names a folder that can be "
        "written and has room\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["arrays.lock"]


def test_a_home_that_cannot_be_written_is_told_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    make = Maker()
    with pytest.raises(DataError, match=r"^the prepared data set .*/file/home/arrays cannot be kept: Not a directory;"):
        kept_arrays(tmp_path / "file" / "home" / "arrays", make)
    assert make.times == 0


def test_the_log_says_that_data_are_prepared(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        kept_arrays(tmp_path / "arrays", Maker())
    assert caplog.messages == [f"preparing {tmp_path}/arrays, once"]
