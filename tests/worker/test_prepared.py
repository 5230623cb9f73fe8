"""What workers train on, made from the files: scaled, whitened and counted as the catalogue says."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from studies.data_files import DATA_FILES
from studies.errors import DataError
from tests.small_data import N_REVIEWS, reviews, use_small_cifar10, use_small_imdb, write_tree
from worker.datasets.cache import Arrays
from worker.datasets.cifar10 import read_cifar10
from worker.datasets.imdb import read_imdb
from worker.datasets.order import stratified_order
from worker.datasets.preparations import prepared_arrays
from worker.datasets.whitening import Whitening
from worker.datasets.words import bags, vocabulary, words_of

needs_data = pytest.mark.skipif("ADAM_STUDIES_DATA" not in os.environ, reason="the real data lie nowhere")
REAL = Path(os.environ.get("ADAM_STUDIES_DATA", "nowhere"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "prepared"


# Words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("This film's the BEST!", ["this", "film's", "the", "best"]),
        ("a<br /><br />b", ["a", "b"]),
        ("'quoted' rock'n'roll 80's", ["quoted", "rock'n'roll", "80's"]),
        ("naïve café_bar 10/10", ["naïve", "café", "bar", "10", "10"]),
        ("... <br />", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_vocabulary_is_by_frequency_and_then_by_the_alphabet() -> None:
    texts = ["b a c", "b a d", "B zz", "e"]
    assert vocabulary(texts, 10) == ["b", "a", "c", "d", "e", "zz"]
    assert vocabulary(texts, 3) == ["b", "a", "c"]


def test_bags_hold_each_known_word_once_in_the_vocabularys_order() -> None:
    starts, words = bags(["c a a unknown", "", "b c", "unknown"], ["a", "b", "c"])
    assert starts.tolist() == [0, 2, 2, 4, 4] and words.tolist() == [0, 2, 1, 2]
    assert starts.dtype == np.int64 and words.dtype == np.int32


def test_stratified_order_has_every_example_once_and_equal_shares_everywhere() -> None:
    labels = np.repeat([1, 0], [600, 300])
    order = stratified_order(labels)
    assert sorted(order) == list(range(900)) and np.array_equal(order, stratified_order(labels))
    assert all(abs(labels[order][start : start + 90].sum() - 60) <= 3 for start in range(0, 900, 90))
    assert not np.array_equal(order[labels[order] == 1], np.arange(600))  # nor does a class keep its order


# Whitening


def test_whitening_turns_each_eigenvalue_v_into_v_over_v_plus_a_tenth() -> None:
    random = np.random.RandomState(0)
    mixing = random.randn(24, 24) * np.linspace(0.05, 2, 24)
    images = 128 + 30 * random.randn(6_000, 24) @ mixing
    centred = images - images.mean(axis=1, keepdims=True)
    normalised = centred * 55 / np.sqrt(10 + (centred**2).sum(axis=1, keepdims=True))
    covariance = np.cov(normalised.T, bias=True)
    values, vectors = np.linalg.eigh(covariance)
    whitened = Whitening.fit(images).apply(images)
    assert whitened.dtype == np.float32
    expected = vectors @ np.diag(values / (values + 0.1)) @ vectors.T
    assert np.allclose(np.cov(whitened.T, bias=True), expected, atol=1e-4)
    assert np.abs(whitened.mean(axis=0)).max() < 1e-4
    root = vectors @ np.diag((values + 0.1) ** -0.5) @ vectors.T
    assert np.allclose(whitened, (normalised - normalised.mean(axis=0)) @ root, atol=1e-4)  # zero-phase: no turning


def test_a_flat_image_is_not_blown_up() -> None:
    images = np.concatenate([np.random.RandomState(0).randint(0, 256, (100, 12)), np.full((1, 12), 37)])
    assert np.abs(Whitening.fit(images).apply(images)[-1]).max() < 5


def test_whitening_is_fitted_on_the_training_images_alone(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(use_small_cifar10(monkeypatch)["cifar-10-python.tar.gz"])
    raw, arrays = read_cifar10(tmp_path), prepared_arrays("cifar-10", "real", tmp_path, cache)
    whitening = Whitening.fit(raw.train_inputs)
    assert np.array_equal(arrays["test_inputs"], whitening.apply(raw.test_inputs))
    assert np.array_equal(arrays["train_inputs"], whitening.apply(raw.train_inputs))
    assert arrays["train_labels"].tolist() == raw.train_labels.tolist()


# The cache's keys


def kept(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.is_dir())


def test_small_imdb_and_what_it_was_made_from(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = use_small_imdb(monkeypatch)
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "aclImdb_v1.tar.gz").write_bytes(archive)
    write_tree(tmp_path / "single" / "aclImdb", reviews())
    packed = prepared_arrays("imdb", "real", tmp_path / "packed", cache)
    single = prepared_arrays("imdb", "real", tmp_path / "single", cache)
    assert len(kept(cache)) == 2
    assert all(np.array_equal(packed[name], single[name]) for name in packed)
    assert sorted(packed["train_labels"]) == [0] * N_REVIEWS + [1] * N_REVIEWS
    raw = read_imdb(tmp_path / "packed")
    words = vocabulary(raw.train_texts, 10_000)
    first = packed["train_words"][: packed["train_starts"][1]]
    expected = raw.train_texts[stratified_order(raw.train_labels)[0]]
    assert {words[place] for place in first} == set(words_of(expected))


def test_a_folder_whose_files_changed_is_read_anew_and_refused(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_small_imdb(monkeypatch)
    write_tree(tmp_path / "aclImdb", reviews())
    prepared_arrays("imdb", "real", tmp_path, cache)
    write_tree(tmp_path / "aclImdb", {"train/pos/0_8.txt": "quite another text of many more words"})
    with pytest.raises(DataError, match=r"/train/pos does not hold the original reviews"):
        prepared_arrays("imdb", "real", tmp_path, cache)
    assert len(kept(cache)) == 1


def test_prepared_data_are_read_without_the_files(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "aclImdb_v1.tar.gz"
    archive.write_bytes(use_small_imdb(monkeypatch))
    before = prepared_arrays("imdb", "real", tmp_path, cache)
    archive.unlink()
    assert np.array_equal(prepared_arrays("imdb", "real", tmp_path, cache)["train_words"], before["train_words"])


# The real data


@pytest.fixture(scope="module")
def real_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("prepared")
    yield folder
    for file in folder.rglob("*.npy"):  # hundreds of megabytes
        file.unlink()


def prepared(name: str, cache: Path) -> Arrays:
    return prepared_arrays(name, "real", REAL, cache)


@needs_data
def test_real_mnist(real_cache: Path) -> None:
    arrays = prepared("mnist", real_cache)
    assert arrays["train_inputs"].shape == (60_000, 784) and arrays["test_inputs"].shape == (10_000, 784)
    assert arrays["train_inputs"].dtype == np.float32
    assert (arrays["train_inputs"].min(), arrays["train_inputs"].max()) == (0.0, 1.0)
    assert arrays["train_inputs"].mean() == pytest.approx(0.1307, abs=1e-4)  # as everybody who centres MNIST has it
    assert np.bincount(arrays["test_labels"]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.slow
@needs_data
def test_real_imdb(real_cache: Path) -> None:
    arrays = prepared("imdb", real_cache)
    words = vocabulary(read_imdb(REAL).train_texts, 10_000)
    assert words[:12] == ["the", "and", "a", "of", "to", "is", "in", "it", "i", "this", "that", "was"]
    assert len(words) == len(set(words)) == 10_000
    for part in ("train", "test"):
        labels, lengths = arrays[f"{part}_labels"], np.diff(arrays[f"{part}_starts"])
        assert len(lengths) == len(labels) == 25_000 and np.bincount(labels).tolist() == [12_500, 12_500]
        assert lengths.min() > 0 and arrays[f"{part}_words"].max() == 9_999
        assert abs(labels[-5_000:].mean() - 0.5) < 0.001  # what may be held out
    lengths = np.diff(arrays["train_starts"])
    assert lengths.mean() == pytest.approx(129.4, abs=0.1) and np.median(lengths) == 107
    shares = np.bincount(arrays["train_words"], minlength=10_000) / 25_000
    assert shares[0] == pytest.approx(0.99, abs=0.01) and shares.min() > 0  # almost every review says "the"


@pytest.mark.slow
@pytest.mark.timeout(600)
@needs_data
def test_real_cifar10(real_cache: Path) -> None:
    arrays = prepared("cifar-10", real_cache)
    for part, n in (("train", 50_000), ("test", 10_000)):
        assert arrays[f"{part}_inputs"].shape == (n, 3072) and arrays[f"{part}_inputs"].dtype == np.float32
        assert np.bincount(arrays[f"{part}_labels"]).tolist() == [n // 10] * 10
    assert arrays["train_labels"][:5].tolist() == [6, 9, 9, 4, 1]  # frog, truck, truck, deer, automobile
    train = arrays["train_inputs"]
    assert np.abs(train.mean(axis=0)).max() < 1e-3
    values = np.linalg.eigvalsh(train.T.astype(np.float64) @ train / len(train))
    assert values.max() <= 1 + 1e-3  # v / (v + 0.1): near 1 where the images vary, smaller where they hardly do
    assert values[-100:].min() > 0.95 and values.min() >= -1e-6
    test = arrays["test_inputs"]
    assert np.square(test).mean() == pytest.approx(np.square(train).mean(), rel=0.05)


def test_the_published_checksums_are_not_changed_by_chance() -> None:
    """The identities name prepared folders; another one prepares everything anew."""
    digests = {name: hashlib.sha256(files.identity.encode()).hexdigest()[:8] for name, files in DATA_FILES.items()}
    assert digests == {"mnist": "7867cfd1", "cifar-10": "52233c0c", "imdb": "23904cd4"}
