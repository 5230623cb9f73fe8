"""The files of the data sets as their authors published them. Torch-free."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True)
class DataFile:
    """A file of a data set as its authors published it."""

    name: str
    n_bytes: int
    sha256: str

    def path(self, data_dir: Path, dataset: str) -> Path:
        """Return where it lies: in the data set's folder or else in the data folder itself; the first if nowhere."""
        first = data_dir / dataset / self.name
        return next((path for path in (first, data_dir / self.name) if path.exists()), first)

    def state(self, content: bytes) -> str:
        """Return what a content is, compared with the original: present, truncated or corrupt."""
        if sha256(content).hexdigest() == self.sha256:
            return "present"
        return "truncated" if len(content) < self.n_bytes else "corrupt"


#: By data set; those that a package carries have none.
DATA_FILES = {
    "mnist": (
        DataFile(
            "train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        DataFile(
            "train-labels-idx1-ubyte.gz",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        DataFile(
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        DataFile(
            "t10k-labels-idx1-ubyte.gz",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
}
