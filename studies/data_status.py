"""What lies on disk of the data sets that workloads train on; torch-free, so that a submit can look first."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studies.data_digests import Digests
from studies.data_files import DATA_FILES, GENERATED, DataFile, DatasetFiles, DataTree
from studies.errors import DataError
from studies.settings import Settings
from studies.workloads import WORKLOADS, find_workload


@dataclass(frozen=True)
class FileStatus:
    """What is known of a file: present, missing, truncated, corrupt or unreadable."""

    name: str
    state: str
    path: Path  #: where it lies, or where it is looked for first
    n_bytes: int  #: on disk; 0 for a folder


@dataclass(frozen=True)
class DatasetStatus:
    """What is known of a data set: built in, present, missing or corrupt (some file is)."""

    name: str
    state: str
    folder: Path | None  #: where its files are looked for first; None where a package carries them
    workloads: tuple[str, ...]
    files: tuple[FileStatus, ...]  #: of the form in which it lies there, or may be put there

    @property
    def wrong(self) -> str:
        """The files that are not as they should be, in words."""
        return ", ".join(f"{file.name} ({file.state})" for file in self.files if file.state != "present")


def data_status(settings: Settings) -> tuple[DatasetStatus, ...]:
    """Return the state of every data set, by the sha256 of its files."""
    names = dict.fromkeys(workload.dataset for workload in WORKLOADS.values() if workload.dataset not in GENERATED)
    return tuple(dataset_status(settings, name) for name in names)


def dataset_status(settings: Settings, name: str) -> DatasetStatus:
    """Return the state of one data set; of several forms the first that is whole, or else that is nearest to it."""
    workloads = tuple(workload.name for workload in WORKLOADS.values() if workload.dataset == name)
    if name not in DATA_FILES:
        return DatasetStatus(name, "built in", None, workloads, ())
    dataset = DATA_FILES[name]
    forms = tuple(_forms(settings, dataset))
    whole = next((files for files in forms if all(file.state == "present" for file in files)), None)
    files = whole or next((files for files in forms if any(file.state != "missing" for file in files)), forms[0])
    state = "present" if whole else "missing" if any(file.state == "missing" for file in files) else "corrupt"
    return DatasetStatus(name, state, settings.data_dir / dataset.folders[0], workloads, files)


def require_data(settings: Settings, workload: str, source: str) -> None:
    """Refuse a workload whose data set is not whole on this machine.

    Nothing is refused where the workers need not be on this machine: with a database or a broker of one's own.

    Args:
        settings: say where the data sets lie.
        workload: its name.
        source: real or synthetic; synthetic data are always there.

    Raises:
        DataError: a file is missing or not the original; the message names it and what mends it.
    """
    if source != "real" or settings.broker_url is not None or not settings.is_embedded:
        return
    status = dataset_status(settings, find_workload(workload).dataset)
    if status.wrong:
        raise DataError(
            f"{workload} needs the data set {status.name} in {status.folder}, which lacks the original {status.wrong}: "
            f"run `adam-studies data fetch {status.name}`, or set ADAM_STUDIES_DATA to the folder that has "
            f"{status.name}/, or submit it with `data: synthetic`"
        )


def _forms(settings: Settings, dataset: DatasetFiles) -> Iterator[tuple[FileStatus, ...]]:
    root = dataset.tree_root(settings.data_dir)
    if dataset.tree is not None and root is not None:
        yield (_tree_status(root, dataset.tree),)
    digests = Digests(settings.cache_dir)
    for layout in dataset.placed(settings.data_dir):
        yield tuple(_file_status(path, file, digests) for file, path in layout)


def _file_status(path: Path, file: DataFile, digests: Digests) -> FileStatus:
    try:
        n_bytes = path.stat().st_size
        same = n_bytes == file.n_bytes and digests.sha256(path) == file.sha256
    except FileNotFoundError:
        return FileStatus(file.name, "missing", path, 0)
    except OSError:
        return FileStatus(file.name, "unreadable", path, 0)
    if not path.is_file():
        return FileStatus(file.name, "unreadable", path, 0)
    state = "present" if same else "truncated" if n_bytes < file.n_bytes else "corrupt"
    return FileStatus(file.name, state, path, n_bytes)


def _tree_status(root: Path, tree: DataTree) -> FileStatus:
    return FileStatus(tree.name, "truncated" if tree.problem(root) else "present", root, 0)
