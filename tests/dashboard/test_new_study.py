"""The form of a new study."""

import re

import pytest
import yaml

from studies.db.engine import Database
from studies.db.queries import list_studies
from studies.presets import PRESETS
from studies.spec import SuiteSpec, parse
from studies.words import duration
from tests.dashboard.conftest import OpenPage, errors, texts
from tests.dashboard.forms import DEFAULT_FORM, choose, shown_spec, submit, work
from tests.factories import insert_study, insert_worker, make_spec


def test_untouched_form_is_a_valid_study(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    assert not app.error
    assert work(app) == ["128", "384", "7,680"]
    assert "128 trials × 3 seeds × 20 epochs" in texts(app)
    submit(app)
    (study,) = list_studies(db)
    assert study.spec == parse(DEFAULT_FORM) == shown_spec(app)
    assert app.success[0].value.startswith(f"Submitted as `{study.id}`")
    assert app.page_link[0].value == r"adam\-on\-digits\-logistic"
    assert app.page_link[0].proto.query_string == f"id={study.id}"


def test_second_click_submits_nothing_new(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    button = app.button(key="new_submit")
    button.click().run()
    assert app.button(key="new_submit").disabled
    button.click().run()  # as the browser sends it that has not heard yet
    assert len(list_studies(db)) == 1
    app.text_input(key="new_seed").set_value("1").run()
    assert not app.button(key="new_submit").disabled
    submit(app)
    assert [study.spec.seed for study in list_studies(db)] in ([0, 1], [1, 0])


def test_workload_cards(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    choose(app, "The paper's", "mnist-logistic")
    shown = texts(app).replace("\\", "")
    assert "**Softmax regression on MNIST**" in shown
    assert "L2-regularised softmax regression, 784 inputs, 10 classes" in shown
    assert "Kingma & Ba 2015, section 6.1, Figure 1 left" in shown
    assert "*Left open by the paper:* The paper states neither the L2 strength (here 1e-4)" in shown
    assert work(app) == ["128", "384", "3,840"], "epochs left empty are those of the workload"
    assert app.text_input(key="new_epochs").placeholder == "10"
    assert shown_spec(app).workload == "mnist-logistic"


@pytest.mark.parametrize(
    ("key", "typed", "line"),
    [
        ("new_adam_alpha_low", "2", "search_space.alpha: low must be less than high, got 2 and 0.1"),
        ("new_adam_alpha_low", "0", r"search_space.alpha: low must be in \(0, inf\), got 0"),
        ("new_adam_alpha_high", "x", "search_space.alpha.high: must be .*, got 'x'"),
        ("new_adam_beta2_high", "1.2", r"search_space.beta2: high must be in \[0, 1\), got 1.2"),
        ("new_n_trials", "0", "n_trials: must be .*, got 0"),
        ("new_n_trials", "1.5", "n_trials: must be .*, got 1.5"),
        ("new_n_seeds", "", "n_seeds: must be .*, got ''"),
        ("new_epochs", "-1", "epochs: must be .*, got -1"),
        ("new_batch_size", "5000", "batch_size: must be at most the 1437 training examples, got 5000"),
        ("new_seed", "-1", "seed: must be .*, got -1"),
        ("new_name", "x" * 101, "name: .* at most 100 characters.*"),
    ],
)
def test_what_is_wrong_is_said_as_one_types(db: Database, open_page: OpenPage, key: str, typed: str, line: str) -> None:
    app = open_page("new_study")
    assert app.text_input(key=key).proto.live_debounce_ms == 250, "sent without leaving the field"
    app.text_input(key=key).set_value(typed).run()
    (shown,) = errors(app)
    assert re.fullmatch(line, shown)
    assert app.button(key="new_submit").disabled
    assert not app.metric


def test_lists_constants_and_a_grid(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    app.selectbox(key="new_sampler").select("grid").run()
    assert errors(app) == ["search_space.alpha: must be a list or a constant for the sampler grid, got a range"]
    for name, kind in (("alpha", "list"), ("beta1", "list"), ("beta2", "constant"), ("epsilon", "constant")):
        app.selectbox(key=f"new_adam_{name}_kind").select(kind)
    app.run()
    app.text_input(key="new_adam_alpha_list").set_value("0.1, 0.01, 1e-3,")
    app.text_input(key="new_adam_beta1_list").set_value("0, 0.9").run()
    assert work(app)[0] == "6"
    assert app.text_input(key="new_n_trials").disabled
    spec = shown_spec(app)
    assert spec.search_space == {"alpha": (0.1, 0.01, 0.001), "beta1": (0, 0.9), "beta2": 0.999, "epsilon": 1e-8}
    app.text_input(key="new_adam_beta1_list").set_value("0, y").run()
    assert errors(app)[0].startswith("search_space.beta1.1: must be ")


def test_objective_with_a_target(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    assert app.text_input(key="new_target").disabled
    app.selectbox(key="new_objective").select("epochs_to_target").run()
    app.text_input(key="new_target").set_value("0.25").run()
    spec = shown_spec(app)
    assert (spec.objective, spec.target) == ("epochs_to_target", 0.25)
    app.text_input(key="new_target").set_value("0").run()
    assert errors(app) == ["target: must be greater than 0, got 0"]


def test_preview_shows_the_settings_of_the_chosen_study(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    app.button_group(key="new_optimizers").set_value(["adam", "adamax"]).run()
    assert "first 128 settings of adam-vs-adamax-on-digits-logistic-adam " in app.get("plotly_chart")[0].proto.alt
    app.selectbox(key="new_preview_study").select("adam-vs-adamax-on-digits-logistic-adamax").run()
    assert "first 128 settings of adam-vs-adamax-on-digits-logistic-adamax " in app.get("plotly_chart")[0].proto.alt
    app.text_input(key="new_n_trials").set_value("20000").run()
    assert "The first 500 settings of 20,000." in texts(app)
    app.selectbox(key="new_sampler").select("tpe").run()
    assert "The first 1 setting of 20,000." in texts(app)


def test_warns_without_the_papers_default(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    app.text_input(key="new_adam_alpha_low").set_value("0.01").run()
    assert "does not contain the paper's defaults" in app.warning[0].value.replace("\\", "")
    assert not app.button(key="new_submit").disabled


@pytest.mark.parametrize("name", PRESETS)
def test_presets(db: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("ADAM_STUDIES_BROKER_URL", "redis://127.0.0.1:1/0")  # workers elsewhere have their own data
    app = open_page("new_study")
    app.button_group(key="new_mode").set_value("preset").run()
    app.radio(key="new_preset").set_value(name).run()
    assert shown_spec(app) == PRESETS[name].spec
    submit(app)
    spec = PRESETS[name].spec
    assert isinstance(spec, SuiteSpec)
    assert {study.spec.name: study.spec for study in list_studies(db)} == {one.name: one for one in spec.studies}


def test_missing_data_are_said_before_the_submit(
    db: Database, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAM_STUDIES_DATA", "/nowhere")
    app = open_page("new_study")
    choose(app, "The paper's", "mnist-logistic")
    (shown,) = errors(app)
    assert "mnist-logistic needs the data set mnist in /nowhere/mnist, which lacks the original" in shown
    assert app.button(key="new_submit").disabled


def test_yaml(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    app.button_group(key="new_mode").set_value("yaml").run()
    assert not app.error, "the first text is an example that works"
    app.text_area(key="new_yaml").set_value(
        "name: mine\nworkload: digits-logistic\noptimizer: adamax\nn_trials: 4"
    ).run()
    assert work(app) == ["4", "12", "240"]
    submit(app)
    assert list_studies(db)[0].spec.optimizer == "adamax"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1", "this is not valid YAML: "),
        ("", "a spec must be a mapping of keys, got NoneType"),
        ("- a\n- b", "a spec must be a mapping of keys, got list"),
        ("name: x\nworkload: digits-logistic\noptimizer: adam\ntrials: 3", "trials: no such key"),
        ("name: x\nworkload: none\noptimizer: adam", "workload must be one of mnist-logistic, imdb-logistic, "),
    ],
)
def test_wrong_yaml(db: Database, open_page: OpenPage, text: str, line: str) -> None:
    app = open_page("new_study")
    app.button_group(key="new_mode").set_value("yaml").run()
    app.text_area(key="new_yaml").set_value(text).run()
    (shown,) = errors(app)
    assert shown.startswith(line) and "\n" not in shown
    assert app.button(key="new_submit").disabled


def test_form_goes_on_as_yaml(db: Database, open_page: OpenPage) -> None:
    app = open_page("new_study")
    app.text_input(key="new_n_trials").set_value("7").run()
    before = shown_spec(app)
    app.button(key="new_edit_yaml").click().run()
    assert app.button_group(key="new_mode").value == "yaml"
    assert parse(yaml.safe_load(app.text_area(key="new_yaml").value or "")) == before == shown_spec(app)
    app.button_group(key="new_mode").set_value("form").run()
    assert app.text_input(key="new_n_trials").value == "7", "what was typed is kept"


def test_what_was_not_measured_is_not_guessed(db: Database, open_page: OpenPage) -> None:
    shown = texts(open_page("new_study"))
    assert "How long it takes is not known yet" in shown
    assert "Cost: not measured here yet" in shown.replace("\\", "")


def test_time_and_cost_follow_from_what_was_measured(db: Database, open_page: OpenPage) -> None:
    insert_study(db, make_spec(n_trials=4))  # a quarter of a second for an epoch of a run
    for name in ("one", "two"):
        insert_worker(db, name)
    app = open_page("new_study")
    assert "A run of 20 epochs: 5.0 s of a worker (CPU)" in texts(app).replace("\\", "")
    assert f"About **{duration(7680 * 0.25 / 2)}** on 2 workers (CPU)" in texts(app)
    app.text_input(key="new_n_trials").set_value("64").run()
    assert f"About **{duration(3840 * 0.25 / 2)}** on 2 workers" in texts(app)
    app.text_input(key="new_batch_size").set_value("64").run()
    assert "How long it takes is not known yet" in texts(app)
    app.text_input(key="new_batch_size").set_value("").run()
    app.selectbox(key="new_device").set_value("gpu").run()
    assert "How long it takes is not known yet" in texts(app), "what a CPU needs says nothing of a GPU"
