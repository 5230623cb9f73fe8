"""Lines of a worker's log, as people and as programs read them."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.db.engine import Database
from tests.factories import make_spec
from tests.worker.test_runner import make_runner, submit
from worker import logs

LOG = logging.getLogger("worker.somewhere")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the lines go to; what Python's root logger was is restored."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:], root.level = handlers, level


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_text_names_worker_study_and_array(stream: io.StringIO) -> None:
    logs.set_up("info", "text", "w-1", stream)
    with logs.about(study="s-1"), logs.about(array=7):
        LOG.warning("%s is short", "memory")
    LOG.info("idle")
    LOG.debug("nothing")
    first, second = stream.getvalue().splitlines()
    assert first.endswith(" WARNING worker.somewhere [worker=w-1 study=s-1 array=7] memory is short")
    assert second.endswith(" INFO worker.somewhere [worker=w-1] idle")


def test_an_error_is_one_line_of_json(stream: io.StringIO) -> None:
    logs.set_up("info", "json", "w-1", stream)
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        LOG.exception('array "%s"\nfailed', "é")
    (line,) = lines(stream)
    assert line["message"] == 'array "é"\nfailed'
    assert str(line["exception"]).endswith("ZeroDivisionError: division by zero")
    assert {key: line[key] for key in ("level", "logger", "worker")} == {
        "level": "error",
        "logger": "worker.somewhere",
        "worker": "w-1",
    }


def test_other_threads_name_nothing_of_it(stream: io.StringIO) -> None:
    logs.set_up("info", "json", "w-1", stream)
    with logs.about(study="s-1"):
        heart = threading.Thread(target=LOG.info, args=("beat",))
        heart.start()
        heart.join()
        with pytest.raises(KeyError), logs.about(array=1):
            raise KeyError
        LOG.info("trains")
    assert [(line["message"], line.get("study"), line.get("array")) for line in lines(stream)] == [
        ("beat", None, None),
        ("trains", "s-1", None),
    ]


def test_a_study_is_named_from_preparation_to_end(stream: io.StringIO, database: Database, tmp_path: Path) -> None:
    logs.set_up("info", "json", "w-1", stream)
    study = submit(database, make_spec(n_trials=1))
    make_runner(database, tmp_path).run(study)
    (end,) = (line for line in lines(stream) if str(line["message"]).endswith(": finished"))
    assert (end["study"], end["array"]) == (study, 1)
