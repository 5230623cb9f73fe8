"""Exported files say what the frames say."""

import csv
import io
import json
import os
import threading
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import update

from studies.db.engine import Database
from studies.db.models import TrialRow
from studies.db.queries import curves_frame, trials_frame
from studies.errors import InputError, NotFoundError
from studies.export import render, write_file
from tests.factories import insert_study, make_spec


def export(
    database: Database, study_id: str, what: str, format: Literal["csv", "parquet", "json"], path: Path | None = None
) -> bytes:
    """Return the file's content, and write it where a path is given, as the command does."""
    content = render({"trials": trials_frame, "curves": curves_frame}[what](database, study_id), format)
    if path is not None:
        write_file(path, content)
    return content


@pytest.fixture
def study_id(database: Database) -> str:
    """Return a study with a trial of every kind of value: missing, infinite, nested, tiny."""
    study_id = insert_study(database, make_spec(n_trials=4), trials=3, states={1: "running"}, diverged=[2])
    with database.write() as connection:
        odd = update(TrialRow).where(TrialRow.study_id == study_id, TrialRow.number == 2)
        connection.execute(odd.values(objective=float("inf"), other={"momentum": 0.5}, seconds=0.1 + 0.2))
    return study_id


def test_csv(database: Database, study_id: str) -> None:
    rows = list(csv.DictReader(io.StringIO(export(database, study_id, "trials", "csv").decode())))
    frame = trials_frame(database, study_id)
    assert list(rows[0]) == list(frame.columns) and [row["trial"] for row in rows] == ["0", "1", "2", "3"]
    assert float(rows[0]["objective"]) == frame.objective[0] and float(rows[2]["seconds"]) == 0.1 + 0.2
    assert [row["objective"] for row in rows[1:]] == ["", "inf", ""]
    assert [row["diverged"] for row in rows] == ["False", "", "True", ""]
    assert json.loads(rows[2]["other"]) == {"momentum": 0.5} and rows[0]["other"] == ""
    assert pd.Timestamp(rows[0]["started_at"]) == frame.started_at[0]
    curves = csv.DictReader(io.StringIO(export(database, study_id, "curves", "csv").decode()))
    losses = [float(row["train_loss"] or "nan") for row in curves]
    np.testing.assert_array_equal(losses, curves_frame(database, study_id).train_loss)


def test_json(database: Database, study_id: str) -> None:
    rows = json.loads(export(database, study_id, "trials", "json"))
    frame = trials_frame(database, study_id)
    assert [row["trial"] for row in rows] == [0, 1, 2, 3] and list(rows[0]) == list(frame.columns)
    assert rows[0]["objective"] == frame.objective[0] and rows[2]["objective"] is None
    assert [row["diverged"] for row in rows] == [False, None, True, None]
    assert rows[2]["other"] == {"momentum": 0.5} and rows[0]["other"] is None and rows[0]["suite"] is None
    assert pd.Timestamp(rows[0]["started_at"]) == frame.started_at[0] and rows[3]["started_at"] is None
    curves = json.loads(export(database, study_id, "curves", "json"))
    assert [row["train_loss"] for row in curves if row["diverged"]] == [None]


def test_parquet(database: Database, study_id: str) -> None:
    found = pd.read_parquet(io.BytesIO(export(database, study_id, "curves", "parquet")))
    pd.testing.assert_frame_equal(found, curves_frame(database, study_id))
    trials, frame = pd.read_parquet(io.BytesIO(export(database, study_id, "trials", "parquet"))), trials_frame(database)
    assert json.loads(trials.other[2]) == {"momentum": 0.5}
    pd.testing.assert_frame_equal(trials.drop(columns="other"), frame.drop(columns="other"))


def test_a_study_without_curves(database: Database) -> None:
    study_id = insert_study(database, trials=0)
    frame = curves_frame(database, study_id)
    assert export(database, study_id, "curves", "csv").decode() == ",".join(frame.columns) + "\n"
    assert json.loads(export(database, study_id, "curves", "json")) == []
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(export(database, study_id, "curves", "parquet"))), frame)


def test_a_file(database: Database, study_id: str, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "trials.csv"
    path.parent.mkdir()
    path.write_text("what was there before")
    content = export(database, study_id, "trials", "csv", path)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_study_that_is_not_there_leaves_the_file_as_it_is(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "trials.csv"
    path.write_text("what was there before")
    with pytest.raises(NotFoundError, match="no study has the id 's-xyz'"):
        export(database, "s-xyz", "trials", "csv", path)
    assert path.read_text() == "what was there before"


def test_a_place_where_nothing_can_be_written(database: Database, study_id: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, reason in (
        (tmp_path / "nowhere" / "x.csv", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "file" / "x.csv", "Not a directory"),
    ):
        with pytest.raises(InputError, match=rf"^cannot write {path}: {reason}$"):
            export(database, study_id, "trials", "csv", path)


def test_a_pipe_stays_a_pipe(database: Database, study_id: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    content = export(database, study_id, "trials", "json", pipe)
    reader.join(timeout=10)
    assert received == [content] and pipe.is_fifo()
