import gzip
import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from adam_core.models.examples import DenseExamples
from adam_core.models.sparse_examples import SparseExamples
from studies.errors import DataError
from studies.settings import Settings
from studies.workloads import WORKLOADS, Workload, find_workload
from tests.small_data import flipped, use_small_mnist
from worker.datasets.digits import read_digits
from worker.datasets.mnist import read_mnist
from worker.datasets.registry import Dataset, load_dataset

CPU = torch.device("cpu")
FIRST = "train-images-idx3-ubyte.gz"

needs_mnist = pytest.mark.skipif("ADAM_STUDIES_DATA" not in os.environ, reason="the real MNIST lies nowhere")


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder `mnist` of stand-ins, to be damaged."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name, content in use_small_mnist(monkeypatch).items():
        (folder / name).write_bytes(content)
    return folder


@needs_mnist
def test_mnist_is_the_published_one() -> None:
    raw = read_mnist(Path(os.environ["ADAM_STUDIES_DATA"]))
    assert raw.train_inputs.shape == (60_000, 784) and raw.test_inputs.shape == (10_000, 784)
    assert np.bincount(raw.train_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(raw.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert raw.train_labels[:5].tolist() == [5, 0, 4, 1, 9]  # the first images of the set, as every reader shows them
    assert raw.train_inputs.min() == 0 and raw.train_inputs.max() == raw.scale == 255


def test_mnist_is_read_as_its_files_say(mnist: Path) -> None:
    raw = read_mnist(mnist.parent)
    assert raw.train_inputs.shape == (60_000, 784) and raw.test_inputs.shape == (10_000, 784)
    for labels in (raw.train_labels, raw.test_labels):
        assert labels[:12].tolist() == [*range(10), 0, 1]


def test_mnist_files_may_lie_in_the_data_folder_itself(mnist: Path) -> None:
    assert read_mnist(mnist).train_labels[1] == 1


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file.unlink(), "MNIST's file t10k-labels-idx1-ubyte.gz is missing from {0} and {0.parent}: put "),
        (lambda file: file.write_bytes(file.read_bytes()[:40]), "{1} is truncated: 40 bytes of {2}; "),
        (
            lambda file: file.write_bytes(flipped(file.read_bytes())),
            "{1} is corrupt or not the original: {2} bytes ",
        ),
        (lambda file: file.write_bytes(b""), "{1} is truncated: 0 bytes of {2}; "),
        (
            lambda file: _swap(file, file.with_name("train-labels-idx1-ubyte.gz")),
            "{0}/train-labels-idx1-ubyte.gz holds what belongs into t10k-labels-idx1-ubyte.gz; ",
        ),
        (lambda file: (file.unlink(), file.mkdir()), "{1} cannot be read: Is a directory; "),
    ],
)
def test_damaged_mnist_is_refused_by_one_line(mnist: Path, damage: Callable[[Path], object], message: str) -> None:
    file = mnist / "t10k-labels-idx1-ubyte.gz"
    size = file.stat().st_size
    damage(file)
    with pytest.raises(DataError) as error:
        read_mnist(mnist.parent)
    assert str(error.value).startswith(message.format(mnist, file, size))
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_the_original_is_refused_though_it_is_well_formed(tmp_path: Path) -> None:
    header = bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in (60_000, 28, 28))
    (tmp_path / FIRST).write_bytes(gzip.compress(header + bytes(60_000 * 784)))
    with pytest.raises(DataError, match=f"^{tmp_path / FIRST} is truncated: .*; expected is sha256 440fcabf"):
        read_mnist(tmp_path)


def test_digits_split_is_fixed() -> None:
    """The training images' bytes in order: another split would change every study."""
    raw = read_digits(Path())
    digest = hashlib.sha256(raw.train_inputs.astype(np.uint8).tobytes()).hexdigest()
    assert digest == "1de16fbe01a1323c10524afcd25c20665024eb7d58ef830e78cfd0d5e0ba3f23"


def test_digits_split_has_every_example_once_and_all_classes_alike() -> None:
    raw = read_digits(Path())
    entry = WORKLOADS["digits-logistic"]
    assert (len(raw.train_labels), len(raw.test_labels)) == (entry.n_train, entry.n_test)
    rows = np.concatenate([raw.train_inputs, raw.test_inputs]).astype(np.uint8)
    assert len(np.unique(rows, axis=0)) == 1797  # no two images of the set are equal
    labels = np.concatenate([raw.train_labels, raw.test_labels])
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    shares = np.bincount(labels) / 1797
    for part in (raw.train_labels[: -entry.n_validation], raw.train_labels[-entry.n_validation :], raw.test_labels):
        assert np.abs(np.bincount(part) - shares * len(part)).max() < 2.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_examples_are_scaled_to_one_and_loaded_once(dtype: torch.dtype, settings: Settings) -> None:
    data = load_dataset(find_workload("digits-logistic"), "real", settings, CPU, dtype)
    assert load_dataset(find_workload("digits-logistic"), "real", settings, CPU, dtype) is data
    for examples in (data.train, data.test):
        assert isinstance(examples, DenseExamples)
        assert examples.inputs.dtype == dtype and examples.labels.dtype == torch.int64
        assert examples.inputs.min() == 0.0 and examples.inputs.max() == 1.0


@pytest.mark.parametrize("name", [name for name, entry in WORKLOADS.items() if entry.dataset == "digits"])
def test_digits_have_the_shapes_that_the_catalogue_tells(name: str, settings: Settings) -> None:
    check_shapes(WORKLOADS[name], load_dataset(WORKLOADS[name], "real", settings, CPU, torch.float32))


def test_mnist_has_the_shapes_that_the_catalogue_tells_and_is_mapped(mnist: Path, settings: Settings) -> None:
    settings = replace(settings, data_dir=mnist.parent)
    for entry in (entry for entry in WORKLOADS.values() if entry.dataset == "mnist"):
        check_shapes(entry, load_dataset(entry, "real", settings, CPU, torch.float32))
    (folder,) = settings.cache_dir.glob("mnist-real-v*[!k]")
    assert f"{folder}/train_inputs.npy" in Path("/proc/self/maps").read_text()  # and not copied


@pytest.mark.parametrize(
    "name", ["mnist-logistic", "imdb-logistic", pytest.param("cifar10-cnn", marks=pytest.mark.slow)]
)
def test_synthetic_data_have_the_shapes_that_the_catalogue_tells(name: str, settings: Settings) -> None:
    check_shapes(WORKLOADS[name], load_dataset(WORKLOADS[name], "synthetic", settings, CPU, torch.float32))
    (folder,) = settings.cache_dir.glob(f"{WORKLOADS[name].dataset}-synthetic-v*[!k]")
    assert folder.is_dir()


def test_data_without_files_are_never_synthetic(settings: Settings) -> None:
    with pytest.raises(DataError, match=r"^data must be real for digits, got synthetic$"):
        load_dataset(WORKLOADS["digits-cnn"], "synthetic", settings, CPU, torch.float32)


def check_shapes(entry: Workload, data: Dataset) -> None:
    for examples, n in ((data.train, entry.n_train), (data.test, entry.n_test)):
        assert len(examples) == n and examples.dtype == torch.float32
        assert isinstance(examples, DenseExamples | SparseExamples)
        if isinstance(examples, DenseExamples):
            assert examples.inputs.shape == (n, np.prod(entry.input_shape))
        else:
            assert (examples.n_features,) == entry.input_shape and bool((examples.values == 1).all())
        assert np.unique(examples.labels.numpy()).tolist() == list(range(entry.n_classes or 10))
    assert 0 < entry.n_validation < entry.n_train


def _swap(one: Path, other: Path) -> None:
    aside = shutil.move(one, one.with_name("aside"))
    shutil.move(other, one)
    shutil.move(aside, other)
