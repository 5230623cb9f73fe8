"""The files of a data set, read only if they are what its authors published."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from studies.data_files import DATA_FILES, DataFile, DatasetFiles
from studies.errors import DataError


def read_originals(data_dir: Path, name: str) -> dict[str, bytes]:
    """The contents of a data set's files, by their names, in the first form that is whole.

    Args:
        data_dir: the data folder.
        name: of the data set.

    Raises:
        DataError: a file is missing, unreadable, or not the original; of several forms, in the nearest to whole.
    """
    dataset = DATA_FILES[name]
    problem: DataError | None = None
    for layout in dataset.placed(data_dir):
        try:
            return {file.name: _read(path, file, data_dir, name) for file, path in layout}
        except DataError as error:
            problem = problem or error
    raise problem or AssertionError(f"{name} has no form")


def _read(path: Path, file: DataFile, data_dir: Path, name: str) -> bytes:
    dataset = DATA_FILES[name]
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        folders = " and ".join(str(data_dir / folder) for folder in dataset.folders)
        raise DataError(
            f"{dataset.title}'s file {file.name} is missing from {folders}: put the original files there, run "
            f"`adam-studies data fetch {name}`, or set ADAM_STUDIES_DATA to the folder that has them"
        ) from None
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}; expected is the original {dataset.title} file"
        ) from None
    digest = sha256(content).hexdigest()
    if digest != file.sha256:
        raise DataError(f"{path} {_what_is_wrong(content, digest, file, dataset)}; expected is sha256 {file.sha256}")
    return content


def _what_is_wrong(content: bytes, digest: str, file: DataFile, dataset: DatasetFiles) -> str:
    for other in (one for layout in dataset.layouts for part in layout for one in part):
        if digest == other.sha256:
            return f"holds what belongs into {other.name}"
    if len(content) < file.n_bytes:
        return f"is truncated: {len(content)} bytes of {file.n_bytes}"
    return f"is corrupt or not the original: {len(content)} bytes (of {file.n_bytes}), sha256 {digest}"
