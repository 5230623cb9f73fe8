"""Downloads against a real HTTP server: mirrors, checksums, resumption, and one line for whatever goes wrong."""

import fcntl
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

import pytest
from click.testing import CliRunner

from studies import data_fetch
from studies.cli.main import main
from studies.data_fetch import fetch
from studies.data_files import DATA_FILES, DatasetFiles
from studies.data_status import dataset_status
from studies.errors import InputError, ServiceError
from studies.settings import Settings
from tests.small_data import described, flipped
from tests.studies.file_server import FileServer, file_server

IMAGES = random.Random(0).randbytes(1_000_000)
LABELS = random.Random(1).randbytes(10_000)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as running:
        running.files = {"images.gz": IMAGES, "labels.gz": LABELS}
        yield running


@pytest.fixture
def mirror() -> Iterator[FileServer]:
    with file_server() as running:
        running.files = {"images.gz": IMAGES, "labels.gz": LABELS}
        yield running


@pytest.fixture
def small(settings: Settings, server: FileServer, mirror: FileServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an empty data folder, with an MNIST of two files that both servers give."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("ADAM_STUDIES_DATA", raising=False)  # nothing here may write into the user's data
    monkeypatch.setattr(data_fetch, "_PAUSE_SECONDS", 0.01)
    files = tuple(
        described(name, content, server.url(name), mirror.url(name))
        for name, content in (("images.gz", IMAGES), ("labels.gz", LABELS))
    )
    entry = replace(DATA_FILES["mnist"], layouts=(tuple((file,) for file in files),), fetched=files)
    monkeypatch.setitem(cast(dict[str, DatasetFiles], DATA_FILES), "mnist", entry)
    return replace(settings, data_dir=settings.home / "data")


def silent(name: str, arrived: int, total: int) -> None:
    """Report to nobody."""


def lying_there(settings: Settings) -> dict[str, bytes]:
    folder = settings.data_dir / "mnist"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


WHOLE = {"images.gz": IMAGES, "labels.gz": LABELS}


def refusal(settings: Settings) -> str:
    with pytest.raises(ServiceError) as caught:
        fetch(settings, "mnist", silent)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_are_downloaded_once(small: Settings, server: FileServer) -> None:
    seen: dict[str, list[int]] = {}
    assert fetch(small, "mnist", lambda name, arrived, total: seen.setdefault(name, []).append(arrived))
    assert lying_there(small) == WHOLE and dataset_status(small, "mnist").state == "present"
    assert seen["images.gz"] == sorted(seen["images.gz"]) and seen["images.gz"][-1] == len(IMAGES)
    assert not fetch(small, "mnist", silent)
    assert server.asked == [("images.gz", None), ("labels.gz", None)]


def test_only_what_is_missing_or_damaged_is_downloaded(small: Settings, server: FileServer) -> None:
    fetch(small, "mnist", silent)
    server.asked.clear()
    (small.data_dir / "mnist" / "labels.gz").write_bytes(flipped(LABELS))
    assert fetch(small, "mnist", silent)
    assert lying_there(small) == WHOLE and server.asked == [("labels.gz", None)]


def test_a_connection_that_breaks_is_gone_on_with(small: Settings, server: FileServer) -> None:
    server.breaks_after = 6 * 2**16
    assert fetch(small, "mnist", silent)
    assert lying_there(small) == WHOLE
    ranges = [wanted for name, wanted in server.asked if name == "images.gz"]
    assert ranges == [None, f"bytes={6 * 2**16}-", f"bytes={12 * 2**16}-"]


def test_a_later_fetch_goes_on_where_the_first_broke_off(
    small: Settings, server: FileServer, mirror: FileServer
) -> None:
    mirror.status = 503
    server.breaks_after, server.gives_ranges = 2**18, False
    told = refusal(small)
    assert told.startswith(f"images.gz could not be downloaded; {server.url('images.gz')}: the connection broke; what ")
    assert told.endswith(f"{mirror.url('images.gz')}: the server answered 503 Service Unavailable")
    assert set(lying_there(small)) == {"images.gz.part"}
    assert dataset_status(small, "mnist").state == "missing"
    server.breaks_after, server.gives_ranges = None, True
    server.asked.clear()
    fetch(small, "mnist", silent)
    assert lying_there(small) == WHOLE and server.asked[0] == ("images.gz", f"bytes={2**18}-")


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_server_without_ranges_begins_anew(small: Settings, server: FileServer, tells_length: bool) -> None:
    (small.data_dir / "mnist").mkdir(parents=True)
    (small.data_dir / "mnist" / "images.gz.part").write_bytes(IMAGES[:5_000])
    server.gives_ranges, server.tells_length = False, tells_length
    fetch(small, "mnist", silent)
    assert lying_there(small) == WHOLE and server.asked[0] == ("images.gz", "bytes=5000-")


def test_what_arrived_earlier_may_be_wrong(small: Settings, server: FileServer) -> None:
    (small.data_dir / "mnist").mkdir(parents=True)
    (small.data_dir / "mnist" / "images.gz.part").write_bytes(b"something else")
    fetch(small, "mnist", silent)
    assert lying_there(small) == WHOLE
    assert server.asked[:2] == [("images.gz", "bytes=14-"), ("images.gz", None)]


@pytest.mark.parametrize("wrong", [flipped(IMAGES), IMAGES[:-1], IMAGES + b"more", b"<html>no such file</html>"])
@pytest.mark.parametrize("tells_length", [True, False])
def test_a_wrong_file_is_left_for_the_next_mirror(
    small: Settings, server: FileServer, mirror: FileServer, wrong: bytes, tells_length: bool
) -> None:
    server.files["images.gz"], server.tells_length = wrong, tells_length
    fetch(small, "mnist", silent)
    assert lying_there(small) == WHOLE and "images.gz" in dict(mirror.asked)


def test_a_wrong_checksum_everywhere(small: Settings, server: FileServer, mirror: FileServer) -> None:
    server.files["images.gz"] = mirror.files["images.gz"] = flipped(IMAGES)
    told = refusal(small)
    assert told.count("not the original: the checksum or the length is another one") == 2
    assert lying_there(small) == {}


def test_the_first_mirror_is_down(small: Settings, server: FileServer) -> None:
    server.shutdown()
    server.server_close()
    fetch(small, "mnist", silent)
    assert lying_there(small) == WHOLE


def test_no_network(small: Settings, server: FileServer, mirror: FileServer) -> None:
    for one in (server, mirror):
        one.shutdown()
        one.server_close()
    urls = [one.url("images.gz") for one in (server, mirror)]
    assert refusal(small) == (f"images.gz could not be downloaded; {urls[0]}: no connection; {urls[1]}: no connection")


def test_an_unknown_name(small: Settings) -> None:
    with pytest.raises(InputError, match=r"^NAME must be one of mnist, cifar-10, imdb, got 'mnits'$"):
        fetch(small, "mnits", silent)


def test_a_folder_that_cannot_be_written(small: Settings) -> None:
    small.data_dir.parent.mkdir(parents=True)
    small.data_dir.touch()
    assert refusal(small) == f"{small.data_dir}/mnist/images.gz cannot be written: Not a directory"


def test_a_disk_without_room(small: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(small.home.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000))
    told = "images.gz cannot be written: 1,000,000 bytes are missing, and the disk has room for 1,000"
    assert refusal(small).endswith(told)


def test_a_disk_that_fills_up_keeps_what_arrived(small: Settings) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, limits[1]))  # a write beyond fails as on a full disk
    try:
        assert refusal(small).endswith("images.gz cannot be written: File too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(lying_there(small)["images.gz.part"]) > 400_000
    fetch(small, "mnist", silent)
    assert lying_there(small) == WHOLE


def test_a_lock_that_its_holder_removed_meanwhile_is_none(small: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third process would lock the file that it makes anew, and write at the same time."""
    flock = fcntl.flock

    def lock_after_its_holder_has_ended(held: IO[str], how: int) -> None:
        flock(held, how)
        Path(held.name).unlink()

    monkeypatch.setattr(fcntl, "flock", lock_after_its_holder_has_ended)
    assert refusal(small).endswith("is being downloaded by another process")


def test_two_processes_do_not_write_one_file(small: Settings) -> None:
    folder = small.data_dir / "mnist"
    folder.mkdir(parents=True)
    with (folder / "images.gz.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert refusal(small) == f"{folder}/images.gz is being downloaded by another process"
    fetch(small, "mnist", silent)
    assert lying_there(small) == WHOLE


FETCHER = """
import sys
from pathlib import Path
from studies import data_fetch
from studies.data_files import DataFile
file = DataFile("images.gz", 1_000_000, sys.argv[3], (sys.argv[1],))
data_fetch._fetch_file(file, Path(sys.argv[2]), lambda name, arrived, total: print(arrived, flush=True))
"""


def test_a_fetch_that_is_killed_leaves_no_file_of_that_name(small: Settings, server: FileServer) -> None:
    server.breaks_after, server.gives_ranges = 500_000, False
    folder = small.data_dir / "mnist"
    command = [sys.executable, "-c", FETCHER, server.url("images.gz"), str(folder), described("", IMAGES).sha256]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and int(process.stdout.readline()) > 0
        process.kill()
    assert "images.gz" not in lying_there(small)
    server.breaks_after, server.gives_ranges = None, True
    fetch(small, "mnist", silent)
    assert {name: content for name, content in lying_there(small).items() if content} == WHOLE


def test_the_command(small: Settings, server: FileServer, mirror: FileServer) -> None:
    environ = {"ADAM_STUDIES_HOME": str(small.home), "ADAM_STUDIES_DATA": str(small.data_dir)}
    done = CliRunner().invoke(main, ["data", "fetch", "mnist"], env=environ)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"mnist: downloaded into {small.data_dir}\n"
    again = CliRunner().invoke(main, ["data", "fetch", "mnist"], env=environ)
    assert again.stderr == f"mnist: already in {small.data_dir}\n"
    wrong = CliRunner().invoke(main, ["data", "fetch", "mnist", "imbd"], env=environ)
    assert wrong.exit_code == 2
    assert wrong.stderr.splitlines()[-1] == "error: NAME must be one of mnist, cifar-10, imdb, got 'imbd'"
    (small.data_dir / "mnist" / "images.gz").unlink()
    server.status = mirror.status = 500
    down = CliRunner().invoke(main, ["data", "fetch", "mnist"], env=environ)
    assert down.exit_code == 1 and down.stderr.startswith("error: images.gz could not be downloaded; ")
    assert len(down.stderr.splitlines()) == 1
    assert CliRunner().invoke(main, ["data", "fetch"], env=environ).exit_code == 2
