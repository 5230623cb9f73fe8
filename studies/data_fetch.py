"""Downloading data sets: from mirrors in turn, checked by sha256, gone on with where a download broke off."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

import pooch
import requests

from studies.data_files import DATA_FILES, DataFile
from studies.data_status import dataset_status
from studies.errors import InputError, ServiceError
from studies.settings import Settings

#: Told a file's name, its bytes that have arrived, and all of them.
Report = Callable[[str, int, int], None]

_CHUNK_BYTES = 2**16  #: a break loses less than this
_TIMEOUT_SECONDS = 30.0  #: for an answer, and between two pieces of it
_ATTEMPTS = 10  #: at one mirror, while each brings something
_PAUSE_SECONDS = 1.0  #: between two of them


def fetch(settings: Settings, name: str, report: Report) -> bool:
    """Download what a data set lacks into its folder; each file appears there whole or not at all.

    Args:
        settings: say which folder.
        name: of the data set.
        report: called with the progress.

    Returns:
        whether anything had to be downloaded.

    Raises:
        InputError: no such data set can be downloaded.
        ServiceError: no mirror gave the original, or the folder cannot be written; what arrived is kept.
    """
    if name not in DATA_FILES:
        raise InputError(f"NAME must be one of {', '.join(DATA_FILES)}, got {name!r}")
    if dataset_status(settings, name).state == "present":
        return False
    dataset = DATA_FILES[name]
    folder = settings.data_dir / dataset.folders[0]
    pooch.get_logger().setLevel("ERROR")  # the command says what happens
    for file in dataset.fetched:
        try:
            _fetch_file(file, folder, report)
        except OSError as error:
            raise ServiceError(f"{folder / file.name} cannot be written: {error.strerror or error}") from None
    return True


def _fetch_file(file: DataFile, folder: Path, report: Report) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with _part(folder / f"{file.name}.part") as part:
        problems = []
        for url in file.urls:
            download = _Download(file, part, report)
            try:
                _retrieve(url, file, folder, download)
                return
            except (requests.RequestException, ValueError) as error:
                problems.append(f"{url}: {_in_words(error)}")
    raise ServiceError(f"{file.name} could not be downloaded; " + "; ".join(problems))


@contextlib.contextmanager
def _part(path: Path) -> Iterator[Path]:
    """Keep other processes from the file of what has arrived.

    Raises:
        ServiceError: another process downloads it.
    """
    lock = path.with_suffix(".lock")
    with lock.open("w") as held:
        if not _takes(held, lock):
            raise ServiceError(f"{path.with_suffix('')} is being downloaded by another process")
        try:
            yield path
        finally:
            lock.unlink(missing_ok=True)


def _takes(held: IO[str], lock: Path) -> bool:
    """Whether an open file is locked now, and still the one that others will open: who had it may have removed it."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(held.fileno()), lock.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _retrieve(url: str, file: DataFile, folder: Path, download: "_Download") -> None:
    """Download from one address; what an earlier attempt left may be wrong, so that a wrong sum allows a second one."""

    def retrieve() -> None:
        pooch.retrieve(url, f"sha256:{file.sha256}", fname=file.name, path=folder, downloader=download)

    try:
        retrieve()
    except ValueError:
        if not download.resumed:
            raise
        retrieve()


class _Download:
    """Pooch's downloader: appends to a file beside the final one until it has all bytes, then hands it over."""

    def __init__(self, file: DataFile, part: Path, report: Report) -> None:
        self._file, self._part, self._report = file, part, report
        self.resumed = False  #: whether it went on from what was there

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        """Download to this path."""
        self.resumed = _size(self._part) > 0
        for attempt in range(_ATTEMPTS):
            before = _size(self._part)
            try:
                self._go_on(url)
                break
            except requests.RequestException:
                if attempt == _ATTEMPTS - 1 or _size(self._part) <= before:
                    raise
                time.sleep(_PAUSE_SECONDS)
        self._part.replace(output_file)

    def _go_on(self, url: str) -> None:
        """Ask for the rest and append it; begin anew where the server does not give parts."""
        arrived = _size(self._part)
        if arrived >= self._file.n_bytes:
            return
        wanted = {"Range": f"bytes={arrived}-"} if arrived else {}
        headers = {"Accept-Encoding": "identity", **wanted}
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS) as response:
            response.raise_for_status()
            goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {arrived}-")
            length = int(response.headers.get("Content-Length", 0))
            if length and length + goes_on * arrived != self._file.n_bytes:
                raise ValueError("a file of another length")
            with self._part.open("ab" if goes_on else "wb") as out:
                self._append(response, out)
        if _size(self._part) < self._file.n_bytes:
            raise requests.exceptions.ChunkedEncodingError("it ended early")

    def _append(self, response: requests.Response, out: BinaryIO) -> None:
        missing = self._file.n_bytes - out.tell()
        free = shutil.disk_usage(self._part.parent).free
        if free < missing:
            raise OSError(f"{missing:,} bytes are missing, and the disk has room for {free:,}")
        for piece in response.iter_content(_CHUNK_BYTES):
            out.write(piece)
            self._report(self._file.name, min(out.tell(), self._file.n_bytes), self._file.n_bytes)
            if out.tell() > self._file.n_bytes:
                return  # a wrong file, as its sum will tell


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _in_words(error: Exception) -> str:
    match error:
        case requests.HTTPError():
            return f"the server answered {error.response.status_code} {error.response.reason}"
        case requests.Timeout():
            return f"no answer within {_TIMEOUT_SECONDS:g} seconds"
        case requests.exceptions.ChunkedEncodingError():
            return "the connection broke; what has arrived is kept, and the next attempt goes on from there"
        case requests.ConnectionError():
            return "no connection"
        case requests.RequestException():
            return " ".join(str(error).split())
        case _:
            return "not the original: the checksum or the length is another one"
