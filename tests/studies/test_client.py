"""The Python client, against a real database; where trials must run, with a real Redis and a real worker."""

import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

from studies.client import Client, StudyHandle, SuiteHandle, read_spec
from studies.db.queries import list_studies
from studies.errors import DataError, InputError, NotFoundError, NoWorkerWarning, StudyWarning
from studies.settings import Settings
from studies.spec import StudySpec, SuiteSpec
from tests.factories import fill_study, insert_study, insert_suite, insert_worker, make_spec, make_suite
from tests.processes import running_redis, running_worker


@pytest.fixture
def client(sqlite_settings: Settings) -> Client:
    client = Client(sqlite_settings)
    insert_worker(client.database, "w-1")
    return client


def test_import_is_light() -> None:
    """`import studies` alone must not pay for pandas and SQLAlchemy."""
    code = "import studies, sys; print('pandas' in sys.modules, studies.StudySpec.__name__, studies.Client.__name__)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False StudySpec Client\n"
    with pytest.raises(ImportError, match="cannot import name 'Studio' from 'studies'"):
        exec("from studies import Studio")


def as_file(given: dict[str, Any], folder: Path) -> Path:
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(given))
    return path


@pytest.mark.parametrize(
    "form",
    [
        lambda spec, folder: spec,
        lambda spec, folder: spec.to_json(),
        lambda spec, folder: as_file(spec.to_json(), folder),
        lambda spec, folder: str(as_file(spec.to_json(), folder)),
    ],
    ids=["spec", "mapping", "path", "string"],
)
def test_submit_takes_every_form_of_a_spec(
    client: Client, tmp_path: Path, form: Callable[[StudySpec, Path], Any]
) -> None:
    spec = make_spec()
    study = client.submit(form(spec, tmp_path))
    assert isinstance(study, StudyHandle) and study.id.startswith("s-")
    assert (study.record.spec, study.record.state) == (spec, "waiting")
    assert len(study.trials()) == 8 and len(study.curves()) == 0 and study.best is None


def test_submit_takes_the_name_of_a_preset(client: Client) -> None:
    suite = client.submit("quickstart")
    assert isinstance(suite, SuiteHandle) and suite.id.startswith("u-")
    assert [study.record.name for study in suite.studies] == ["adam-on-digits", "adamax-in-max-on-digits"]
    assert suite.record.name == "quickstart" and len(suite.trials()) == 128


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "quikstart",
            "^no preset and no file is called 'quikstart'; the presets are quickstart, digits-optimizers, mnist-adam-",
        ),
        ("nowhere.yaml", "^cannot read nowhere.yaml: No such file or directory$"),
        (Path("nowhere"), "^cannot read nowhere: No such file or directory$"),
        ({"name": "x", "workload": "digits-logistic", "optimizer": "lion"}, "^optimizer must be one of adam, adamax"),
        ({"name": "x", "workload": "digits-logistic", "optimizer": "adam", "n_trial": 3}, "n_trial"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_written(client: Client, source: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        client.submit(source)
    assert list_studies(client.database) == ()


def test_assignments_change_a_spec_of_any_form(tmp_path: Path) -> None:
    spec = make_spec()
    for source in (spec, spec.to_json(), as_file(spec.to_json(), tmp_path)):
        changed = read_spec(source, ("seed=7", "search_space.alpha=0.01"))
        assert isinstance(changed, StudySpec)
        assert (changed.seed, changed.search_space["alpha"]) == (7, 0.01)
    preset = read_spec("quickstart", ("n_seeds=1",))
    assert isinstance(preset, SuiteSpec) and {study.n_seeds for study in preset.studies} == {1}


def test_missing_data_are_refused_before_anything_is_written(client: Client, tmp_path: Path) -> None:
    client.settings = replace(client.settings, data_dir=tmp_path / "data")
    with pytest.raises(DataError, match=rf"^mnist-logistic needs the data set mnist in {tmp_path}/data/mnist, which"):
        client.submit("mnist-adam-vs-adamax")
    assert list_studies(client.database) == ()


def test_warnings(sqlite_settings: Settings) -> None:
    client = Client(sqlite_settings)
    with pytest.warns(NoWorkerWarning, match="^no live worker has been seen"):
        client.submit(make_spec())
    insert_worker(client.database, "w-1")
    with pytest.warns(StudyWarning, match="the search space does not contain the paper's defaults"):
        client.submit(make_spec(search_space={"alpha": {"low": 0.1, "high": 1}}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.submit(make_spec())


def test_a_broker_out_of_reach_keeps_the_study(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.settings = replace(client.settings, broker_url="redis://:secret@127.0.0.1:1/0")
    study = client.submit(make_spec())
    assert study.record.state == "waiting"
    (line,) = (record.getMessage() for record in caplog.records if record.name == "studies.dispatch")
    assert line.startswith("cannot reach Redis at redis://:**@127.0.0.1:1/0: ") and "secret" not in line


def test_reading_a_study(client: Client) -> None:
    study = client.study(insert_study(client.database, diverged=[3]))
    best, trials = study.best, study.trials()
    assert best is not None
    row = trials.sort_values("objective").iloc[0]
    assert (best.trial, best.objective.value, best.diverged) == (row["trial"], row["objective"], False)
    assert best.setting == {name: row[name] for name in ("alpha", "beta1", "beta2", "epsilon")}
    assert best.objective.low is not None and best.objective.low < best.objective.value
    assert set(study.curves()["trial"]) == set(range(8))


def test_reading_a_suite(client: Client) -> None:
    suite = client.suite(insert_suite(client.database))
    assert list(suite.trials()["study_id"].unique()) == [study.id for study in suite.studies]
    assert len(suite.curves()) == sum(len(study.curves()) for study in suite.studies) > 0
    assert suite.trials().dtypes.equals(suite.studies[0].trials().dtypes)


def test_find_tells_studies_from_suites(client: Client) -> None:
    study_id, suite_id = insert_study(client.database), insert_suite(client.database)
    assert isinstance(client.find(study_id), StudyHandle) and isinstance(client.find(suite_id), SuiteHandle)
    for wrong in ("s-nothing", "", "../x"):
        with pytest.raises(NotFoundError, match=f"^no study has the id '{wrong}'$"):
            client.find(wrong)
    with pytest.raises(NotFoundError, match=r"^no suite has the id 'u-nothing'$"):
        client.find("u-nothing")


def test_wishes(client: Client) -> None:
    study, suite = client.submit(make_spec()), client.submit(make_suite())
    study.pause()
    assert study.record.state == "paused"
    study.resume()
    assert study.record.state == "waiting"
    suite.cancel()
    assert {record.state for record in suite.records} == {"cancelled"}
    assert [record.state for record in suite.wait()] == ["cancelled", "cancelled"]


def test_wait_returns_once_all_is_final_and_optuna_has_it(client: Client) -> None:
    suite = client.submit(make_suite())
    fill_study(client.database, suite.studies[0].id)
    seen: list[list[str]] = []

    def finish_the_other() -> None:
        time.sleep(0.7)
        fill_study(client.database, suite.studies[1].id)

    thread = threading.Thread(target=finish_the_other)
    thread.start()
    records = suite.wait(30, on_poll=lambda records: seen.append([record.state for record in records]))
    thread.join()
    assert {record.state for record in records} == {"complete"}
    assert seen[0] == ["complete", "waiting"] and seen[-1] == ["complete", "complete"]
    for study in suite.studies:
        twin = optuna.load_study(study_name=study.record.optuna_name, storage=client.settings.database_url)
        assert [trial.value for trial in twin.trials] == study.trials()["objective"].tolist()


def test_wait_gives_up(client: Client) -> None:
    study = client.submit(make_spec())
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=f"^{study.id} has not ended within 0.2 seconds: {study.id} is waiting$"):
        study.wait(0.2)
    assert time.monotonic() - started < 5


def test_a_study_through_a_real_worker(sqlite_settings: Settings) -> None:
    with running_redis(sqlite_settings) as settings, running_worker(settings):
        client = Client(settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoWorkerWarning)
            study = client.submit(make_spec(n_trials=4, epochs=2))
        (record,) = study.wait(60)
    assert record.state == "complete"
    assert study.best is not None and 0 < study.best.objective.value < 3
    assert len(study.curves()) == 4 * 2 * 3
