"""What the results mean for parameters beside Adam's: truths, decays, and those without a column of their own."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from studies.analysis.axes import searched_axes
from studies.analysis.importance import importances
from studies.analysis.ranking import boundary_hits
from studies.analysis.summary import summarise
from studies.analysis.trials import complete_trials
from studies.figures.convergence import convergence_data
from studies.figures.importance import importance_data
from studies.figures.search_space import search_space_figure
from studies.figures.sensitivity import sensitivity_data, sensitivity_figure
from studies.optimizers import OPTIMIZERS
from studies.parameters import PARAMETERS
from studies.samplers import draw_settings
from tests.factories import make_spec
from tests.studies.frames import Setting, curves_of, decades_from, drawn_study, make_record

SPACE = {"bias_correction": [True, False], "weight_decay": {"low": 1e-6, "high": 1e-1}, "epsilon": 1e-8}


def correction_matters(setting: Setting) -> float:
    return 0.1 + 2 * (not setting["bias_correction"]) + 1e-3 * (1e6 * setting["beta1"] % 1)  # the rest is chance


def momentum_matters(setting: Setting) -> float:
    return 0.1 + decades_from(1 - setting["momentum"], 1e-2)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("alpha", 0.00123456, "0.001235"),
        ("beta2", 0.9, "0.9"),
        ("beta2", 0.99985678, "0.999857"),
        ("beta1_decay", 0.99999999, "0.99999999"),
        ("beta1_decay", 1.0, "1"),
        ("momentum", 0.0, "0"),
        ("bias_correction", True, "true"),
        ("bias_correction", 0.0, "false"),
    ],
)
def test_values_in_words(name: str, value: float, text: str) -> None:
    assert PARAMETERS[name].text(value) == text


def test_settings_come_back_whole() -> None:
    spec, trials = drawn_study(correction_matters, n_trials=20, search_space=SPACE)
    table = complete_trials(spec, trials)
    assert [table.setting(index) for index in range(20)] == draw_settings(spec)
    assert table.setting(0)["bias_correction"] in (True, False)


@pytest.mark.parametrize(
    ("objective", "keys", "first"),
    [
        (correction_matters, {"search_space": SPACE}, "bias_correction"),
        (
            momentum_matters,
            {"optimizer": "rmsprop", "search_space": {"momentum": {"low": 0, "high": 0.999}}},
            "momentum",
        ),
    ],
    ids=["truth", "other"],
)
def test_the_one_that_matters_is_found(objective: Callable[[Setting], float], keys: dict[str, Any], first: str) -> None:
    spec, trials = drawn_study(objective, n_trials=128, **keys)
    found = importances(spec, trials)
    assert found.values[0].parameter == first
    assert sum(one.share.value for one in found.values) == pytest.approx(1.0)
    assert importance_data(spec, found).labels[0] == PARAMETERS[first].symbol


def test_a_truth_has_two_places_and_says_them() -> None:
    spec, trials = drawn_study(correction_matters, n_trials=64, search_space=SPACE)
    axes = {axis.parameter.name: axis for axis in searched_axes(spec)}
    assert axes["bias_correction"].choices == (0.0, 1.0)
    assert [axis.label for axis in axes.values()][-2:] == ["bias correction", "weight decay (log)"]
    figure = sensitivity_figure(sensitivity_data(make_record(spec), trials))
    (truths,) = (axis for axis in figure.select_xaxes() if axis.title.text == "bias correction")
    assert truths.ticktext == ("false", "true")
    dots = figure.data[0]
    first = draw_settings(spec)[int(dots.customdata[0][0])]
    assert f"bias correction = {str(first['bias_correction']).lower()}" in dots.text[0]
    preview = search_space_figure(spec, draw_settings(spec))
    assert {"true", "false"} <= {text for trace in preview.data for text in trace.text or ()}
    assert json.loads(figure.to_json()) and json.loads(preview.to_json())


def test_decays_are_drawn_by_their_distance_from_1() -> None:
    spec, trials = drawn_study(
        momentum_matters, n_trials=64, optimizer="sgd-momentum", search_space={"momentum": {"low": 0, "high": 0.999}}
    )
    data = sensitivity_data(make_record(spec), trials)
    assert [panel.axis.label for panel in data.panels] == ["α (log)", "1 − μ (log)"]
    momentum = np.array([setting["momentum"] for setting in draw_settings(spec)])
    np.testing.assert_allclose(data.panels[1].coordinates, 1 - momentum, rtol=1e-9)


def test_neither_a_truth_nor_the_end_of_a_domain_can_be_widened() -> None:
    space = {**SPACE, "beta1_decay": [0.9, 0.99, 1.0], "weight_decay": 0.0}
    spec, trials = drawn_study(
        lambda setting: correction_matters(setting) + 1 - setting["beta1_decay"], n_trials=60, search_space=space
    )
    hits = boundary_hits(complete_trials(spec, trials), searched_axes(spec))
    assert {hit.parameter for hit in hits} <= {"alpha", "beta1", "beta2"}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizers_study_is_analysed_and_drawn(name: str) -> None:
    spec, trials = drawn_study(lambda setting: 1 + setting["alpha"], n_trials=40, optimizer=name)
    record, curves = make_record(spec), curves_of({(0, 0): [2.0, 0.1], (1, 0): [2.0, 0.5]})
    summary = summarise(record, trials, curves)
    assert summary.default is not None and summary.default.setting == spec.default_setting
    assert len(summary.importances.values) == len(spec.search_space)
    label = OPTIMIZERS[name].default_label
    assert any(series.label == f"{label} (trial 0)" for series in convergence_data(record, trials, curves).series)
    for figure in (
        sensitivity_figure(sensitivity_data(record, trials)),
        search_space_figure(spec, draw_settings(spec)),
    ):
        assert any(trace.name.startswith(label) for trace in figure.data if trace.name)
    assert make_spec(optimizer=name).optimizer_entry is OPTIMIZERS[name]
