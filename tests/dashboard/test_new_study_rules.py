"""The form of a new study: optimizers with their own parameters and options, and how α changes."""

import pytest

from studies.db.engine import Database
from studies.db.queries import find_suite, list_studies
from studies.optimizers import OPTIMIZERS
from studies.schedule import Schedule
from studies.search_space import Range
from studies.spec import parse
from tests.dashboard.conftest import OpenPage, errors, texts
from tests.dashboard.forms import DEFAULT_FORM, shown_spec, submit, work


def test_several_optimizers_make_a_suite(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    app.button_group(key="new_optimizers").set_value(["adam", "adamax"]).run()
    app.text_input(key="new_name").set_value("both").run()
    assert work(app)[0] == "256"
    assert "ε" in texts(app)
    submit(app)
    suite = find_suite(db, list_studies(db)[0].suite_id or "")
    assert suite.name == "both"
    assert {study.name: list(study.spec.search_space) for study in suite.studies} == {
        "both-adam": ["alpha", "beta1", "beta2", "epsilon"],
        "both-adamax": ["alpha", "beta1", "beta2"],
    }
    assert [link.value for link in app.page_link] == [r"both\-adam", r"both\-adamax"]
    app.selectbox(key="new_adamax_epsilon_mode").select("added").run()
    adam, adamax = shown_spec(app).studies
    assert (adam.options["epsilon_mode"], adamax.options["epsilon_mode"]) == ("outside", "added")
    assert "epsilon" in adamax.search_space
    app.button_group(key="new_optimizers").set_value([]).run()
    assert errors(app) == ["optimizer: must be given"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_optimizer_has_its_own_parameters_and_options(db: Database, open_page: OpenPage, name: str) -> None:
    app = open_page("new_study")
    app.button_group(key="new_optimizers").set_value([name]).run()
    assert not errors(app)
    spec = shown_spec(app)
    entry = OPTIMIZERS[name]
    assert list(spec.search_space) == list(entry.default_space)
    assert spec == parse({**DEFAULT_FORM, "name": f"{name}-on-digits-logistic", "optimizer": name, "search_space": {}})
    for option, values in entry.options.items():
        assert app.selectbox(key=f"new_{name}_{option}").options == [str(value).lower() for value in values]


def test_all_optimizers_make_a_suite(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    app.button_group(key="new_optimizers").set_value(list(OPTIMIZERS)).run()
    assert not errors(app)
    suite = shown_spec(app)
    assert suite.suite == "9-optimizers-on-digits-logistic"
    assert [study.optimizer for study in suite.studies] == list(OPTIMIZERS)


def test_options_and_optional_parameters(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    app.button_group(key="new_optimizers").set_value(["rmsprop"]).run()
    app.selectbox(key="new_rmsprop_centered").select("true")
    app.selectbox(key="new_rmsprop_weight_decay_mode").select("decoupled")
    app.selectbox(key="new_rmsprop_averaging").select("exponential")
    app.button_group(key="new_rmsprop_optional").set_value(["momentum"]).run()
    app.selectbox(key="new_rmsprop_beta2_kind").select("constant").run()
    assert not errors(app)
    spec = shown_spec(app)
    assert list(spec.search_space) == ["alpha", "rho", "momentum", "epsilon", "beta2", "weight_decay"]
    assert spec.search_space["beta2"] == 0.999
    assert spec.options == {
        **{"epsilon_mode": "outside", "centered": True},
        **{"weight_decay_mode": "decoupled", "averaging": "exponential"},
    }
    submit(app)
    assert list_studies(db)[0].spec == spec


def test_bias_correction_is_true_false_or_both(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    app.button_group(key="new_adam_optional").set_value(["bias_correction", "beta1_decay"]).run()
    assert not errors(app)
    space = shown_spec(app).search_space
    assert space["bias_correction"] == (True, False)
    assert space["beta1_decay"] == Range(low=0.99, high=0.99999999, scale="log1m")
    app.selectbox(key="new_adam_bias_correction_kind").select("false").run()
    assert shown_spec(app).search_space["bias_correction"] is False


def test_schedules(db: Database, open_page: OpenPage) -> None:
    """The workload's own, unless another is chosen."""
    app = open_page("new_study")
    assert shown_spec(app).schedule == Schedule(alpha="inverse-sqrt")
    app.button(key="new_choose_digits-mlp").click().run()
    assert shown_spec(app).schedule == Schedule(alpha="constant")
    assert "the workload's: constant α" in app.selectbox(key="new_schedule").options
    app.selectbox(key="new_schedule").select("cosine").run()
    assert shown_spec(app).schedule == Schedule(alpha="cosine")
    app.selectbox(key="new_schedule").select("step-decay").run()
    app.selectbox(key="new_per").select("epoch").run()
    app.text_input(key="new_factor").set_value("0.1").run()
    assert shown_spec(app).schedule == Schedule(alpha="step-decay", per="epoch", factor=0.1, every=5)
    app.text_input(key="new_every").set_value("0").run()
    assert errors(app) == ["schedule.every: must be greater than or equal to 1, got 0"]


def test_diagnostics(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    assert shown_spec(app).diagnostics is False
    app.toggle(key="new_diagnostics").set_value(True).run()
    assert shown_spec(app).diagnostics is True
