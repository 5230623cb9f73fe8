"""Presets are valid specs that keep the promises of their descriptions."""

from itertools import product

import pytest

from studies.errors import NotFoundError
from studies.optimizers import OPTIMIZERS
from studies.presets import PRESETS, find_preset
from studies.search_space import Range
from studies.spec import SuiteSpec, parse
from studies.spec_file import override
from studies.workloads import WORKLOADS


def suite(name: str) -> SuiteSpec:
    spec = PRESETS[name].spec
    assert isinstance(spec, SuiteSpec)
    return spec


@pytest.mark.parametrize("name", PRESETS)
def test_preset_survives_json_and_contains_the_papers_default(name: str) -> None:
    preset = find_preset(name)
    assert preset.name == name and preset.title and preset.description
    assert parse(preset.spec.model_dump(mode="json")) == preset.spec
    if name != "reddi-counterexample":  # it is about settings that are not the default
        for study in suite(name).studies:
            assert study.warnings == [] and study.default_setting is not None


def test_quickstart_needs_no_download_and_searches_all_four() -> None:
    adam, adamax = suite("quickstart").studies
    assert (adam.optimizer, adamax.optimizer) == ("adam", "adamax")
    assert adamax.options["epsilon_mode"] == "in-max" and "in-max" in adamax.name
    for study in (adam, adamax):
        assert not study.workload_entry.download
        assert (study.sampler, study.n_trials, study.n_seeds) == ("qmc", 64, 3)
        assert list(study.search_space) == ["alpha", "beta1", "beta2", "epsilon"]
        assert all(isinstance(dimension, Range) for dimension in study.search_space.values())


def test_digits_optimizers_gives_every_optimizer_the_same_budget() -> None:
    studies = suite("digits-optimizers").studies
    assert [study.optimizer for study in studies] == list(OPTIMIZERS)
    for study in studies:
        assert not study.workload_entry.download
        assert (study.n_trials, study.n_seeds, study.epochs, study.schedule.alpha) == (32, 3, 20, "constant")
        alpha = study.search_space["alpha"]
        assert isinstance(alpha, Range) and alpha.high / alpha.low == pytest.approx(1e5)


def test_mnist_adam_vs_adamax() -> None:
    adam, adamax = suite("mnist-adam-vs-adamax").studies
    assert (adam.optimizer, adamax.optimizer) == ("adam", "adamax")
    assert adamax.options["epsilon_mode"] == "none"
    for study in (adam, adamax):
        assert (study.workload, study.n_trials, study.n_seeds, study.epochs) == ("mnist-logistic", 128, 3, 10)
        assert (study.schedule.alpha, study.schedule.per) == ("inverse-sqrt", "step")
        assert study.search_space["alpha"] == Range(low=1e-4, high=1.0, scale="log")


def test_reddi_counterexample_differs_in_what_decides() -> None:
    failing, amsgrad, default = suite("reddi-counterexample").studies
    assert [study.optimizer for study in (failing, amsgrad, default)] == ["adam", "amsgrad", "adam"]
    assert failing.search_space == amsgrad.search_space
    assert failing.search_space["beta1"] == 0.0 and failing.search_space["beta2"] == 1 / (1 + 3**2)
    assert (default.search_space["beta1"], default.search_space["beta2"]) == (0.9, 0.999)
    for study in (failing, amsgrad, default):
        alphas = study.search_space["alpha"]
        assert isinstance(alphas, tuple) and max(alphas) < (1 - 0.1) ** 0.5
        assert (study.schedule.alpha, study.schedule.per, study.n_trials) == ("inverse-sqrt", "step", 5)


def test_surfaces_pairs_adam_and_adamax_on_every_surface() -> None:
    studies = suite("surfaces").studies
    surfaces = [name for name in WORKLOADS if name.startswith("surface-")]
    assert [(study.workload, study.optimizer) for study in studies] == list(product(surfaces, ("adam", "adamax")))
    for study in studies:
        assert (study.n_trials, study.n_seeds, study.epochs, study.schedule.alpha) == (16, 3, 200, "constant")


def test_preset_can_be_changed() -> None:
    changed = parse(override(PRESETS["quickstart"].spec.model_dump(mode="json"), ("n_trials=8", "seed=3")))
    assert isinstance(changed, SuiteSpec)
    assert {(study.n_trials, study.seed) for study in changed.studies} == {(8, 3)}


def test_unknown_preset() -> None:
    with pytest.raises(
        NotFoundError, match=r"^preset must be one of quickstart, digits-optimizers, mnist-adam-vs-adamax, .*, got 'x'$"
    ):
        find_preset("x")
