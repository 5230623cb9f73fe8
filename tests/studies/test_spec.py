"""Specs: defaults filled in, round trips, and one clear line for whatever is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.errors import InputError
from studies.spec import StudySpec, SuiteSpec, parse
from studies.spec_file import load, override

SMALL: dict[str, Any] = {"name": "x", "workload": "mnist-logistic", "optimizer": "adam"}


def study(**keys: Any) -> StudySpec:
    spec = parse({**SMALL, **keys})
    assert isinstance(spec, StudySpec)
    return spec


def test_defaults_are_filled_in() -> None:
    spec = study(search_space={"beta2": [0.99, 0.999], "epsilon": 1e-8})
    assert (spec.epochs, spec.batch_size, spec.n_trials, spec.n_seeds, spec.sampler) == (10, 128, 128, 3, "qmc")
    assert spec.to_json()["search_space"] == {
        "alpha": {"low": 1e-5, "high": 0.1, "scale": "log"},
        "beta1": {"low": 0.0, "high": 0.999, "scale": "log1m"},
        "beta2": [0.99, 0.999],
        "epsilon": 1e-8,
    }
    assert spec.default_setting == {"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    assert spec.warnings == []


def test_yaml_json_and_python_are_the_same(tmp_path: Path) -> None:
    spec = study(search_space={"alpha": {"low": 1e-4, "high": 1}}, enqueue=[{"alpha": 0.5}], schedule={"per": "epoch"})
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(spec.to_json()))
    (tmp_path / "a.json").write_text(json.dumps(spec.to_json()))
    assert parse(load(tmp_path / "a.yaml")) == parse(load(tmp_path / "a.json")) == spec


def test_numbers_as_yaml_writes_them() -> None:
    assert study(search_space=yaml.safe_load("{epsilon: 1e-8}")).search_space["epsilon"] == 1e-8, "YAML reads a text"


def test_default_outside_of_the_space_is_left_out_with_a_warning() -> None:
    spec = study(search_space={"alpha": {"low": 0.01, "high": 1}})
    assert spec.default_setting is None
    assert spec.warnings == ["x: the search space does not contain the paper's defaults, so they are not tried"]


def test_first_settings_are_the_default_then_the_enqueued_each_once() -> None:
    spec = study(enqueue=[{"alpha": 0.05}, {"alpha": 0.001}, {"alpha": 0.05}, {"beta1": 0.5}])
    assert [(s["alpha"], s["beta1"]) for s in spec.first_settings] == [(0.001, 0.9), (0.05, 0.9), (0.001, 0.5)]


def test_grid_counts_its_points() -> None:
    space = {"alpha": [0.1, 0.01], "beta1": [0.0, 0.9, 0.99], "beta2": 0.999, "epsilon": 1e-8}
    assert study(sampler="grid", search_space=space).n_trials == 6


_MANY = [i / 400 for i in range(400)]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": 3}, "name: must be text, got 3"),
    ({"name": ""}, "name: String must have at least 1 character, got ''"),
    ({"name": "a\nb"}, "name: must be one line of text that is not blank, got 'a\\nb'"),
    ({"workload": "mnist"}, "workload must be one of mnist-logistic, imdb-logistic, "),
    ({"workload": None}, "workload: must be text, got None"),
    (
        {"optimizer": "lion"},
        "optimizer must be one of adam, adamax, amsgrad, sgd, sgd-momentum, sgd-nesterov, adagrad,",
    ),
    ({"optimizer": ["adam"]}, "optimizer: must be text, got ['adam']"),
    ({"search_space": [1]}, "search_space: must be a mapping of keys, got [1]"),
    ({"search_space": {"gamma": 1}}, "search_space: must name only alpha, beta1, beta2, epsilon, bias_corr"),
    ({"search_space": {"alpha": 0}}, "search_space.alpha: must be in (0, inf), got 0"),
    ({"search_space": {"beta1": 1.0}}, "search_space.beta1: must be in [0, 1), got 1"),
    ({"search_space": {"beta2": {"low": 0.9, "high": 1.2}}}, "search_space.beta2: high must be in [0, 1), got 1.2"),
    ({"search_space": {"beta2": {"low": 0.9, "high": 0.9}}}, "low must be less than high, got 0.9 and 0.9"),
    ({"search_space": {"epsilon": {"low": 0, "high": 1}}}, "low must be greater than 0 on a log scale, got 0"),
    ({"search_space": {"alpha": {"low": 1, "high": 2, "scale": "log1m"}}}, "scale must be one of log, linear"),
    ({"search_space": {"alpha": {"low": 1, "high": 2, "scale": "ln"}}}, "must be 'linear', 'log' or 'log1m', got 'ln'"),
    ({"search_space": {"alpha": {"low": 1}}}, "search_space.alpha.high: must be given"),
    ({"search_space": {"alpha": {"min": 1}}}, "search_space.alpha.min: no such key, allowed are low, high, scale"),
    ({"search_space": {"alpha": []}}, "search_space.alpha: must hold at least one value, got []"),
    ({"search_space": {"alpha": [1, 1]}}, "search_space.alpha: must not name a value twice, got"),
    ({"search_space": {"alpha": True}}, "search_space.alpha: must be a number, got True"),
    ({"search_space": {"alpha": "big"}}, "search_space.alpha: must be a number, got 'big'"),
    ({"search_space": {"alpha": float("nan")}}, "search_space.alpha: must be a finite number, got nan"),
    ({"search_space": dict.fromkeys(["alpha", "beta1", "beta2", "epsilon"], 0.5)}, "n_trials: must be 1 where"),
    ({"sampler": "nsga"}, "sampler: must be 'random', 'qmc', 'grid', 'tpe', 'gp' or 'cmaes', got 'nsga'"),
    ({"sampler": "grid"}, "search_space.alpha: must be a list or a constant for the sampler grid, got a range"),
    (
        {"sampler": "grid", "search_space": {"beta1": _MANY, "beta2": _MANY, "alpha": 0.1, "epsilon": 1e-8}},
        "search_space: must hold at most 100000 points of a grid, got 160000",
    ),
    ({"pruner": "asha"}, "pruner: must be 'none', 'successive-halving', 'hyperband' or 'median', got 'asha'"),
    ({"n_trials": 0}, "n_trials: must be greater than or equal to 1, got 0"),
    ({"n_trials": 10**7}, "n_trials: must be less than or equal to 100000, got 10000000"),
    ({"n_trials": "many"}, "n_trials: must be a whole number, got 'many'"),
    ({"n_trials": 2.5}, "n_trials: must be a whole number, got 2.5"),
    ({"n_trials": True}, "n_trials: must be a whole number, got True"),
    ({"n_seeds": 0}, "n_seeds: must be greater than or equal to 1, got 0"),
    ({"epochs": -1}, "epochs: must be greater than or equal to 1, got -1"),
    ({"epochs": None}, "epochs: must be a whole number, got None"),
    ({"batch_size": 60_001}, "batch_size: must be at most the 60000 training examples, got 60001"),
    ({"batch_size": [128]}, "batch_size: must be a whole number, got [128]"),
    (
        {"workload": "online-convex", "batch_size": 8},
        "batch_size: must be 1 for online-convex, an online problem, got 8",
    ),
    (
        {"workload": "surface-cliff", "objective": "validation_loss"},
        "objective: must be train_loss or epochs_to_target for surface-cliff, which has no examples to hold out",
    ),
    ({"schedule": "constant"}, "schedule: must be a mapping of keys, got 'constant'"),
    ({"schedule": {"beta": 1}}, "schedule.beta: no such key, allowed are alpha, per, factor, every"),
    ({"diagnostics": "yes"}, "diagnostics: must be true or false, got 'yes'"),
    ({"objective": "accuracy"}, "objective: must be 'train_loss', 'validation_loss', 'validation_error' or"),
    ({"objective": "epochs_to_target"}, "target: the train_loss to reach must be given"),
    ({"target": 0.3}, "target: the train_loss to reach must be given"),
    ({"objective": "epochs_to_target", "target": -1}, "target: must be greater than 0, got -1"),
    ({"seed": -1}, "seed: must be greater than or equal to 0, got -1"),
    ({"seed": "0"}, "seed: must be a whole number, got '0'"),
    ({"device": "tpu"}, "device: must be 'any', 'gpu' or 'cpu', got 'tpu'"),
    ({"enqueue": {"alpha": 1}}, "enqueue: must be a list, got {'alpha': 1}"),
    ({"enqueue": [{"alpha": 5}]}, "enqueue[0].alpha: must lie in the search space, got 5"),
    ({"enqueue": [{"lr": 5}]}, "enqueue[0]: must name only alpha, beta1, beta2, epsilon, got 'lr'"),
    (
        {"enqueue": [{"alpha": 0.1}] * 3, "n_trials": 1},
        "enqueue: must leave room for the paper's default in n_trials=1, got 2",
    ),
    ({"batchsize": 64}, "batchsize: no such key, allowed are name, workload, optimizer"),
    ({"suite": "s"}, "studies: must be given"),
    ({"suite": "s", "studies": [], **dict.fromkeys(SMALL)}, "studies: must hold at least one value, got []"),
]


@pytest.mark.parametrize(("keys", "expected"), WRONG, ids=[str(keys)[:60] for keys, _ in WRONG])
def test_wrong_input_is_one_clear_line(keys: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError) as raised:
        parse({**SMALL, **keys})
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("missing", ["name", "workload", "optimizer"])
def test_required_keys(missing: str) -> None:
    with pytest.raises(InputError, match=f"{missing}: must be given"):
        parse({key: value for key, value in SMALL.items() if key != missing})


def test_suite_spreads_its_defaults() -> None:
    given = {"suite": "s", "defaults": {**SMALL, "seed": 4}, "studies": [{"name": "a"}, {"name": "b", "epochs": 3}]}
    suite = parse(given)
    assert isinstance(suite, SuiteSpec)
    assert [(spec.name, spec.seed, spec.epochs) for spec in suite.studies] == [("a", 4, 10), ("b", 4, 3)]


@pytest.mark.parametrize(
    ("studies", "expected"),
    [
        ([{"name": "a", "seed": 1}, {"name": "b"}], "all studies of a suite must share one seed, got [0, 1]"),
        ([{"name": "a"}, {"name": "a"}], "every study of a suite must have a name of its own, got 'a' twice"),
        ([{"name": "a", "epoch": 3}], "studies.0.epoch: no such key, allowed are name, workload"),
        ([{"name": "a", "n_seeds": "x"}], "studies.0.n_seeds: must be a whole number, got 'x'"),
        ([{"name": "a"}, {"n_seeds": 0}], "studies.1.n_seeds: must be greater than or equal to 1, got 0"),
        (["a"], "studies.0: must be a mapping of keys, got 'a'"),
    ],
)
def test_wrong_suites(studies: list[Any], expected: str) -> None:
    with pytest.raises(InputError) as raised:
        parse({"suite": "s", "defaults": SMALL, "studies": studies})
    assert str(raised.value).startswith(expected) or str(raised.value).startswith(f"studies: {expected}")
    assert ";" not in str(raised.value)


def test_override_changes_nested_keys_and_all_studies_of_a_suite() -> None:
    changed = override(
        {**SMALL, "search_space": {"alpha": 1}}, ("n_trials=8", "search_space.alpha={low: 0.1, high: 1}")
    )
    assert changed["n_trials"] == 8
    assert changed["search_space"]["alpha"] == {"low": 0.1, "high": 1}
    suite = override(
        {"suite": "s", "defaults": {"epochs": 9}, "studies": [{"name": "a"}, {"name": "b"}]}, ("epochs=2",)
    )
    assert [given["epochs"] for given in suite["studies"]] == [2, 2]


def test_override_of_a_dotted_key_keeps_the_rest_of_the_defaults() -> None:
    space = {"alpha": 0.1, "beta1": 0.5}
    given = {"suite": "s", "defaults": {"search_space": space}, "studies": [{"name": "a"}]}
    (changed,) = override(given, ("search_space.beta1=0.9",))["studies"]
    assert changed["search_space"] == {"alpha": 0.1, "beta1": 0.9}
    assert space["beta1"] == 0.5, "what was given stays"


@pytest.mark.parametrize("assignment", ["n_trials", "=3", "n_trials=[1"])
def test_wrong_overrides(assignment: str) -> None:
    with pytest.raises(InputError, match="--set"):
        override(SMALL, (assignment,))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff\xfe", "not UTF-8 text"),
        (b"a: [1", "is not valid YAML"),
        (b"- 1", "must hold a mapping of keys, got list"),
        (b"", "must hold a mapping of keys, got NoneType"),
        (b"x: !!python/object:os.system {}", "is not valid YAML"),
        (None, "No such file"),
    ],
)
def test_unreadable_files(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "spec.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        load(path)
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([*StudySpec.model_fields, "suite", "studies", "defaults", "?"]), _values)
def test_any_value_of_any_key_is_accepted_or_refused_in_one_line(key: str, value: object) -> None:
    try:
        spec = parse({**SMALL, key: value})
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert not isinstance(spec, StudySpec) or parse(spec.to_json()) == spec
