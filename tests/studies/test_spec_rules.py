"""What a spec says of its update rule: options, optional parameters, truths and schedules."""

from typing import Any

import pytest

from studies.errors import InputError
from studies.optimizers import OPTIMIZERS
from studies.search_space import Range
from studies.spec import StudySpec, parse
from studies.spec_file import override

SMALL: dict[str, Any] = {"name": "x", "workload": "digits-logistic", "optimizer": "adam"}


def study(**keys: Any) -> StudySpec:
    spec = parse({**SMALL, **keys})
    assert isinstance(spec, StudySpec)
    return spec


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_has_defaults_that_its_default_space_contains(name: str) -> None:
    entry, spec = OPTIMIZERS[name], study(optimizer=name)
    assert list(spec.search_space) == [key for key in entry.defaults if key not in entry.optional]
    assert spec.default_setting == {key: entry.defaults[key] for key in spec.search_space}
    assert spec.warnings == []
    assert spec.options == {option: values[0] for option, values in entry.options.items()}
    assert parse(spec.to_json()) == spec


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optional_parameter_takes_the_dimension_that_is_offered(name: str) -> None:
    entry = OPTIMIZERS[name]
    for parameter, offered in entry.optional.items():
        spec = study(optimizer=name, search_space={parameter: offered})
        assert parameter in spec.search_space
        if parameter in entry.switches:
            option, values = entry.switches[parameter]
            assert spec.options[option] == values[0]


def test_defaults_are_named_after_their_owners() -> None:
    space = {"alpha": {"low": 2, "high": 3}}
    whose = {name: study(optimizer=name, search_space=space).warnings[0] for name in ("adam", "sgd", "adadelta")}
    assert whose == {
        "adam": "x: the search space does not contain the paper's defaults, so they are not tried",
        "sgd": "x: the search space does not contain torch's defaults, so they are not tried",
        "adadelta": "x: the search space does not contain Zeiler's defaults, so they are not tried",
    }


def test_adamax_has_epsilon_only_where_named() -> None:
    assert study(optimizer="adamax").options["epsilon_mode"] == "none"
    assert "epsilon" not in study(optimizer="adamax").search_space
    named = {"optimizer": "adamax", "search_space": {"epsilon": 1e-8}}
    assert study(**named).options["epsilon_mode"] == "in-max"
    assert study(**named, options={"epsilon_mode": "added"}).options["epsilon_mode"] == "added"


def test_weight_decay_is_l2_unless_it_is_decoupled() -> None:
    space = {"weight_decay": [0.0, 0.01]}
    assert study(search_space=space).options["weight_decay_mode"] == "l2"
    spec = study(optimizer="sgd", search_space=space, options={"weight_decay_mode": "decoupled"})
    assert spec.options["weight_decay_mode"] == "decoupled"
    assert spec.default_setting == {"alpha": 0.001, "weight_decay": 0.0}


def test_averaging_brings_beta2_where_there_is_none() -> None:
    exponential = {"averaging": "exponential"}
    assert study(options=exponential).options["averaging"] == "exponential"
    spec = study(optimizer="sgd", options=exponential, search_space={"beta2": 0.99})
    assert list(spec.search_space) == ["alpha", "beta2"]


def test_bias_correction_is_true_false_or_both() -> None:
    both = study(search_space={"bias_correction": [True, False]})
    assert both.search_space["bias_correction"] == (True, False)
    assert both.default_setting is not None and both.default_setting["bias_correction"] is True
    assert both.to_json()["search_space"]["bias_correction"] == [True, False]
    without = study(search_space={"bias_correction": False})
    assert without.search_space["bias_correction"] is False and without.default_setting is None
    assert (
        study(search_space={"bias_correction": [True, False]}, enqueue=[{"bias_correction": False}]).first_settings[1][
            "bias_correction"
        ]
        is False
    )


def test_a_decay_of_beta1_may_be_none_at_all() -> None:
    spec = study(search_space={"beta1_decay": [1.0, 0.99999999]})
    assert spec.default_setting is not None and spec.default_setting["beta1_decay"] == 1.0
    space = study(search_space={"beta1_decay": {"low": 0.9, "high": 0.99999999}}).search_space
    assert space["beta1_decay"] == Range(low=0.9, high=0.99999999, scale="log1m")


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({}, "α/√t per step"),
        ({"alpha": "constant"}, "constant α"),
        ({"alpha": "cosine", "per": "epoch"}, "cosine α per epoch"),
        ({"alpha": "step-decay", "per": "epoch", "factor": 0.5, "every": 10}, "α × 0.5 every 10 epochs"),
    ],
)
def test_schedules(schedule: dict[str, Any], words: str) -> None:
    spec = study(schedule=schedule)
    assert spec.schedule.words == words
    assert parse(spec.to_json()) == spec


def test_modes_in_words() -> None:
    assert study(optimizer="sgd").modes == []
    assert study(optimizer="adamax").modes == ["epsilon_mode none"]
    spec = study(optimizer="rmsprop", options={"centered": True, "averaging": "polyak"})
    assert spec.modes == ["epsilon_mode outside", "centered", "averaging polyak"]


@pytest.mark.parametrize("optimizer", ["adam", "adamax"])
def test_specs_of_before_still_parse(optimizer: str) -> None:
    """Keys that were added since have defaults."""
    spec = study(optimizer=optimizer, search_space={"epsilon": 1e-8}, n_trials=4)
    old = {key: value for key, value in spec.to_json().items() if key not in ("options", "diagnostics")}
    old["schedule"] = {"alpha": "inverse-sqrt", "per": "step"}
    assert parse(old) == spec


def test_a_change_of_the_space_changes_what_it_implies() -> None:
    given = study().model_dump(mode="json", exclude_unset=True)
    changed = parse(override(given, ("search_space.weight_decay=1e-4",)))
    assert isinstance(changed, StudySpec) and changed.options["weight_decay_mode"] == "l2"


EPSILON, DECAY = {"epsilon": 1e-8}, {"weight_decay": 1e-4}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"options": ["l2"]}, "options: must be a mapping of keys, got ['l2']"),
    ({"options": {"mode": "l2"}}, "options: must name only epsilon_mode, weight_decay_mode, averaging, got 'mode'"),
    ({"options": {"epsilon_mode": "in-max"}}, "options.epsilon_mode: must be one of outside, hat, root, got 'in-max'"),
    ({"optimizer": "sgd", "options": {"epsilon_mode": "root"}}, "options: must name only weight_decay_mode, averaging"),
    ({"optimizer": "rmsprop", "options": {"centered": 1}}, "options.centered: must be one of False, True, got '1'"),
    (
        {"optimizer": "rmsprop", "options": {"centered": "yes"}},
        "options.centered: must be one of False, True, got 'yes'",
    ),
    (
        {"optimizer": "adamax", "options": {"epsilon_mode": "none"}, "search_space": EPSILON},
        "options.epsilon_mode: must be in-max or added where the search space names epsilon, got 'none'",
    ),
    (
        {"optimizer": "adamax", "options": {"epsilon_mode": "added"}},
        "options.epsilon_mode: must be left out where the search space lacks epsilon, got 'added'",
    ),
    (
        {"options": {"weight_decay_mode": "l2"}},
        "options.weight_decay_mode: must be left out where the search space lacks weight_decay, got 'l2'",
    ),
    (
        {"options": {"weight_decay_mode": "none"}, "search_space": DECAY},
        "options.weight_decay_mode: must be l2 or decoupled where the search space names weight_decay, got 'none'",
    ),
    (
        {"optimizer": "sgd", "options": {"averaging": "exponential"}},
        "options.averaging: must be left out where the search space lacks beta2, got 'exponential'",
    ),
    (
        {"optimizer": "sgd", "search_space": {"momentum": 0.9}},
        "search_space: must name only alpha, beta2, weight_decay",
    ),
    (
        {"search_space": {"rho": 0.9}},
        "search_space: must name only alpha, beta1, beta2, epsilon, bias_correction, beta1_d",
    ),
    ({"search_space": {"bias_correction": 1}}, "search_space.bias_correction: must be true or false, got 1"),
    (
        {"search_space": {"bias_correction": [True, 0.5]}},
        "search_space.bias_correction: must be true or false, got 0.5",
    ),
    ({"search_space": {"bias_correction": [True, True]}}, "must not name a value twice, got [True, True]"),
    (
        {"search_space": {"bias_correction": {"low": 0, "high": 1}}},
        "search_space.bias_correction: must be true, false or a list of them, got a range",
    ),
    ({"search_space": {"alpha": [0.1, True]}}, "search_space.alpha: must be a number, got True"),
    ({"search_space": {"beta1_decay": 0}}, "search_space.beta1_decay: must be in (0, 1], got 0"),
    ({"search_space": {"beta1_decay": {"low": 0.9, "high": 1}}}, "high must be less than 1 on a log1m scale, got 1"),
    ({"search_space": {"weight_decay": {"low": 0, "high": 1}}}, "low must be greater than 0 on a log scale, got 0"),
    ({"search_space": {"weight_decay": -1}}, "search_space.weight_decay: must be in [0, inf), got -1"),
    ({"optimizer": "rmsprop", "search_space": {"rho": 1}}, "search_space.rho: must be in [0, 1), got 1"),
    ({"enqueue": [{"alpha": True}]}, "enqueue[0].alpha: must be a number, got True"),
    ({"enqueue": [{"alpha": [1]}]}, "enqueue.0.alpha: must be a number, got [1]"),
    (
        {"enqueue": [{"bias_correction": False}]},
        "enqueue[0]: must name only alpha, beta1, beta2, epsilon, got 'bias_co",
    ),
    (
        {"enqueue": [{"bias_correction": 1}], "search_space": {"bias_correction": [True, False]}},
        "enqueue[0].bias_correction: must be true or false, got 1",
    ),
    (
        {"enqueue": [{"bias_correction": False}], "search_space": {"bias_correction": True}},
        "enqueue[0].bias_correction: must lie in the search space, got False",
    ),
    (
        {"optimizer": "sgd", "enqueue": [{"alpha": 0.1}], "n_trials": 1},
        "enqueue: must leave room for torch's default in n_trials=1, got 2 settings to try first",
    ),
    (
        {"optimizer": "sgd", "search_space": {"alpha": 0.1}},
        "n_trials: must be 1 where the search space holds constants",
    ),
    ({"schedule": {"alpha": "linear"}}, "schedule.alpha: must be 'constant', 'inverse-sqrt', 'step-decay' or 'cosine'"),
    ({"schedule": {"alpha": "step-decay"}}, "schedule: factor must be given where alpha is step-decay, got None"),
    (
        {"schedule": {"alpha": "step-decay", "factor": 0.1}},
        "schedule: every must be given where alpha is step-decay, got None",
    ),
    ({"schedule": {"factor": 0.1}}, "schedule: factor must be left out where alpha is inverse-sqrt, got 0.1"),
    ({"schedule": {"alpha": "cosine", "every": 3}}, "schedule: every must be left out where alpha is cosine, got 3"),
    ({"schedule": {"alpha": "step-decay", "factor": 1, "every": 3}}, "schedule.factor: must be less than 1, got 1"),
    ({"schedule": {"alpha": "step-decay", "factor": True, "every": 3}}, "schedule.factor: must be a number, got True"),
    ({"schedule": {"alpha": "step-decay", "factor": 0.5, "every": 0}}, "schedule.every: must be greater than or equal"),
    ({"diagnostics": 1}, "diagnostics: must be true or false, got 1"),
]


@pytest.mark.parametrize(("keys", "expected"), WRONG, ids=[str(keys)[:70] for keys, _ in WRONG])
def test_wrong_input_is_one_clear_line(keys: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError) as raised:
        study(**keys)
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value) and ";" not in str(raised.value)
