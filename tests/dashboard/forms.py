"""What the tests of the form of a new study share."""

from typing import Any

import yaml
from streamlit.testing.v1 import AppTest

from studies.spec import parse

DEFAULT_FORM = {
    "name": "adam-on-digits-logistic",
    "workload": "digits-logistic",
    "optimizer": "adam",
    "n_trials": 128,
    "n_seeds": 3,
    "search_space": {
        "alpha": {"low": 1e-5, "high": 0.1, "scale": "log"},
        "beta1": {"low": 0, "high": 0.999, "scale": "log1m"},
        "beta2": {"low": 0.9, "high": 0.9999, "scale": "log1m"},
        "epsilon": {"low": 1e-10, "high": 1, "scale": "log"},
    },
}


def work(app: AppTest) -> list[str]:
    return [metric.value for metric in app.metric]


def submit(app: AppTest) -> None:
    app.button(key="new_submit").click().run()


def choose(app: AppTest, kind: str, workload: str) -> None:
    """Choose a workload's card among those of its kind."""
    app.segmented_control(key="new_kind").set_value(kind).run()
    app.button(key=f"new_choose_{workload}").click().run()


def shown_spec(app: AppTest) -> Any:
    return parse(yaml.safe_load(app.code[0].value))
