"""What lies on disk of the data sets that workloads train on; torch-free, so that a submit can look first."""

from dataclasses import dataclass
from pathlib import Path

from studies.data_files import DATA_FILES, DataFile
from studies.errors import DataError
from studies.settings import Settings
from studies.workloads import WORKLOADS, find_workload


@dataclass(frozen=True)
class FileStatus:
    """What is known of a file: present, missing, truncated, corrupt or unreadable."""

    name: str
    state: str
    path: Path  #: where it lies, or where it is looked for first


@dataclass(frozen=True)
class DatasetStatus:
    """What is known of a data set: built in, present, missing or corrupt (some file is)."""

    name: str
    state: str
    folder: Path | None  #: where its files are looked for; None where a package carries them
    workloads: tuple[str, ...]
    files: tuple[FileStatus, ...]


def data_status(settings: Settings) -> tuple[DatasetStatus, ...]:
    """Return the state of every data set, by the sha256 of its files."""
    names = dict.fromkeys(workload.dataset for workload in WORKLOADS.values())
    return tuple(_dataset_status(settings.data_dir, name) for name in names)


def require_data(settings: Settings, workload: str) -> None:
    """Refuse a workload whose data set is not whole on this machine.

    Nothing is refused where the workers need not be on this machine: with a database or a broker of one's own.

    Raises:
        DataError: a file is missing or not the original; the message names it and the setting that chooses the folder.
    """
    if settings.broker_url is not None or not settings.is_embedded:
        return
    status = _dataset_status(settings.data_dir, find_workload(workload).dataset)
    wrong = [f"{file.name} ({file.state})" for file in status.files if file.state != "present"]
    if wrong:
        raise DataError(
            f"{workload} needs the data set {status.name} in {status.folder}, which lacks the original "
            f"{', '.join(wrong)}: put the files there, or set ADAM_STUDIES_DATA to the folder that has {status.name}/"
        )


def _dataset_status(data_dir: Path, name: str) -> DatasetStatus:
    workloads = tuple(workload.name for workload in WORKLOADS.values() if workload.dataset == name)
    if name not in DATA_FILES:
        return DatasetStatus(name, "built in", None, workloads, ())
    files = tuple(_file_status(data_dir, name, file) for file in DATA_FILES[name])
    states = {file.state for file in files}
    state = "missing" if "missing" in states else "present" if states == {"present"} else "corrupt"
    return DatasetStatus(name, state, data_dir / name, workloads, files)


def _file_status(data_dir: Path, dataset: str, file: DataFile) -> FileStatus:
    path = file.path(data_dir, dataset)
    try:
        return FileStatus(file.name, file.state(path.read_bytes()), path)
    except FileNotFoundError:
        return FileStatus(file.name, "missing", path)
    except OSError:
        return FileStatus(file.name, "unreadable", path)
