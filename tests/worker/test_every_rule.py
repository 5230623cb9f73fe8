"""Small studies of every optimizer, option and schedule, trained by the runner: settings in, trials that learn out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from studies.db import calibrations, queries, submissions
from studies.db.engine import Database, open_database
from studies.optimizers import OPTIMIZERS
from studies.settings import Settings
from studies.spec import StudySpec
from tests.factories import make_spec
from tests.worker.test_runner import finish, make_runner
from worker.array_plan import ArrayPlan, Lane, build_array

#: An α with which the softmax regression on the digits learns within two epochs, where the default is too small.
ALPHAS = {"adam": 0.05, "adamax": 0.1, "amsgrad": 0.05, "sgd": 0.5, "adagrad": 0.1, "adadelta": 10.0}
ALPHAS |= {"sgd-momentum": 0.1, "sgd-nesterov": 0.1, "rmsprop": 0.02}
BUDGET: dict[str, Any] = {"n_trials": 3, "n_seeds": 1, "epochs": 2, "schedule": {"alpha": "constant"}}


@pytest.fixture
def sqlite(sqlite_settings: Settings) -> Iterator[Database]:
    db = open_database(sqlite_settings)
    yield db
    db.close()


def trained(db: Database, folder: Path, spec: StudySpec) -> pd.DataFrame:
    """Return the study's trials, after asserting that all are complete."""
    study_id = submissions.insert_study(db, spec)
    calibrations.set_block_width(db, study_id, 4)
    finish(make_runner(db, folder, lanes=64), db, study_id)
    trials = queries.trials_frame(db, study_id)
    assert trials["state"].tolist() == ["complete"] * spec.n_trials
    return trials


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_learns_with_every_option(sqlite: Database, tmp_path: Path, optimizer: str, place: int) -> None:
    """The first values of all options, then the second, then the third; optional parameters from the second on."""
    entry = OPTIMIZERS[optimizer]
    options = {option: values[min(place, len(values) - 1)] for option, values in entry.options.items()}
    space: dict[str, Any] = {name: entry.defaults[name] for name in entry.default_space}
    for name, dimension in entry.optional.items():
        option, uses = entry.switches.get(name, ("", ()))
        if options[option] in uses if option else place:
            space[name] = dimension
    near = {"low": ALPHAS[optimizer] / 1.1, "high": ALPHAS[optimizer] * 1.1}
    spec = make_spec(optimizer=optimizer, options=options, search_space={**space, "alpha": near}, **BUDGET)
    assert spec.options == options
    assert trained(sqlite, tmp_path, spec)["train_loss"].max() < 2.0 < np.log(10)


@pytest.mark.parametrize(
    "schedule",
    [
        *({"alpha": alpha, "per": per} for alpha in ("inverse-sqrt", "cosine") for per in ("step", "epoch")),
        *({"alpha": "step-decay", "per": per, "factor": 0.5, "every": n} for per, n in (("step", 4), ("epoch", 1))),
    ],
    ids=lambda schedule: f"{schedule['alpha']}-{schedule['per']}",
)
def test_schedules_change_what_is_trained(sqlite: Database, tmp_path: Path, schedule: dict[str, Any]) -> None:
    space = {"alpha": {"low": 0.05, "high": 0.1}}
    constant = trained(sqlite, tmp_path, make_spec(search_space=space, **BUDGET))
    changed = trained(sqlite, tmp_path, make_spec(search_space=space, **{**BUDGET, "schedule": schedule}))
    assert not np.isclose(constant["train_loss"], changed["train_loss"], rtol=1e-3).any()
    assert changed["train_loss"].max() < np.log(10)


def test_bias_correction_is_the_trials_own(sqlite: Database, tmp_path: Path) -> None:
    space = {"alpha": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "bias_correction": [True, False]}
    both = make_spec(sampler="grid", search_space=space, **{**BUDGET, "n_trials": 2})
    together = trained(sqlite, tmp_path, both).set_index("bias_correction")["train_loss"]
    assert together[True] != together[False]
    for truth in (True, False):
        alone = make_spec(search_space={**space, "bias_correction": truth}, **{**BUDGET, "n_trials": 1})
        assert trained(sqlite, tmp_path, alone)["train_loss"].tolist() == [together[truth]]


def test_a_plan_has_all_hyperparameters_of_its_rule() -> None:
    spec = make_spec(optimizer="rmsprop", search_space={"alpha": 0.01}, schedule={"alpha": "cosine"}, epochs=3)
    plan = ArrayPlan.of(spec, (Lane(0, 0, {"alpha": 0.01, "rho": 0.9, "epsilon": 1e-8}),), block_width=1)
    assert plan.lanes[0].hyperparameters == {
        **{"alpha": 0.01, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-8},
        **{"beta2": 0.999, "weight_decay": 0.0},
    }
    assert (plan.schedule.kind, plan.schedule.total) == ("cosine", 3 * 12)
    per_epoch = make_spec(schedule={"alpha": "cosine", "per": "epoch"}, epochs=3)
    assert ArrayPlan.of(per_epoch, (), 1).schedule.total == 3
    truths = {type(value) for value in ArrayPlan.of(make_spec(), plan.lanes, 1).lanes[0].hyperparameters.values()}
    assert truths == {float}, "what is true or false is 1.0 or 0.0"
    assert build_array(plan, torch.device("cpu"), torch.float32).lanes == (0,)
