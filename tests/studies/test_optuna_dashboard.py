"""Stock optuna-dashboard opens the study database and shows the same trials, values and states."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from studies.db.engine import Database
from studies.db.mirror import mirror
from studies.db.queries import find_study, trials_frame
from tests.factories import insert_study
from tests.processes import wait_until

STATES = {"complete": "Complete", "pruned": "Pruned", "failed": "Fail", "cancelled": "Fail"}


def test_stock_dashboard_shows_the_same(database: Database, tmp_path: Path) -> None:
    study_id = insert_study(database, states={3: "pruned", 4: "failed", 5: "cancelled"}, diverged=[2])
    mirror(database, study_id)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("optuna-dashboard")
    command = [str(program), database.url, "--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: _get(port, "") is not None, 60)
            (summary,) = _get(port, "")["study_summaries"]
            shown = _get(port, f"/{summary['study_id']}?after=0")["trials"]
        finally:
            process.terminate()
    assert summary["study_name"] == find_study(database, study_id).optuna_name
    ours = trials_frame(database, study_id).to_dict("records")
    assert [trial["number"] for trial in shown] == [row["trial"] for row in ours]
    assert [trial["state"] for trial in shown] == [STATES[row["state"]] for row in ours]
    for trial, row in zip(shown, ours, strict=True):
        params = {param["name"]: float(param["param_external_value"]) for param in trial["params"]}
        assert params["alpha"] == pytest.approx(row["alpha"], rel=1e-12)
        assert params["one_minus_beta2"] == pytest.approx(1 - row["beta2"], rel=1e-9)
        if row["state"] == "complete":
            assert trial["values"] == [pytest.approx(row["objective"], rel=1e-12)]


def _get(port: int, path: str) -> Any:
    try:
        with urlopen(f"http://127.0.0.1:{port}/api/studies{path}", timeout=5) as answer:
            return json.load(answer)
    except (URLError, OSError):
        return None
