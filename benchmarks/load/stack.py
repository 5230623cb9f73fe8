"""The stack under load: PostgreSQL, Redis, workers that play a trace, and the counters of all of them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import redis
import torch
from sqlalchemy import func, select

from benchmarks.load import trace
from benchmarks.load.statements import Times, difference, total
from studies.db import calibrations
from studies.db.connection import Database, connect
from studies.db.migrate import upgrade
from studies.db.mirror import MIRROR_LOCK
from studies.dispatch import QUEUES, Bell
from studies.local.process import Child, end
from studies.local.redis_server import RedisServer
from studies.service import Service
from studies.settings import Settings
from studies.spec import StudySpec
from tests.chaos.postgres import Postgres, free_port
from tests.processes import wait_until
from worker.calibration import calibration_kind

ROOT = Path(__file__).parents[2]
_BLOCK_WIDTH = 8
_MOST_CONNECTIONS = 400
_TABLES = ("result_trials", "result_epochs", "result_arrays")
_SENT = ("lpush", "rpush")


@dataclass(frozen=True)
class Counters:
    """Sums since the stack's start; a difference of two says what happened between them."""

    numbers: dict[str, float]
    statements: Times

    def __sub__(self, earlier: Counters) -> Counters:
        """Return what came since `earlier`."""
        numbers = {name: value - earlier.numbers[name] for name, value in self.numbers.items()}
        return Counters(numbers, difference(self.statements, earlier.statements))


class LoadStack:
    """The parts of the stack."""

    def __init__(self, settings: Settings, postgres: Postgres, server: RedisServer) -> None:
        """Use these servers; there is no worker yet."""
        assert settings.broker_url is not None
        self.settings, self.postgres, self.server = settings, postgres, server
        self.db: Database = connect(settings.database_url)
        self.bell = Bell(settings.broker_url)
        self.service = Service(self.db, self.bell)
        self.redis = redis.Redis.from_url(settings.broker_url)
        self.workers: list[Child] = []

    def start_workers(self, n_workers: int, slice_seconds: float) -> None:
        """Start workers and wait until all have said that they live."""
        home = self.settings.home
        self.set_pace(0.0)
        for number in range(n_workers):
            environ = {
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "ADAM_STUDIES_HOME": str(home),
                "ADAM_STUDIES_DATABASE_URL": self.settings.database_url,
                "ADAM_STUDIES_BROKER_URL": self.settings.broker_url or "",
                "ADAM_STUDIES_DEVICE": "cpu",
                "OMP_NUM_THREADS": "1",
                trace.TRACE_VARIABLE: str(home / "trace.pt"),
                trace.PACE_VARIABLE: str(home / "pace"),
                "LOAD_STATEMENTS": str(home / f"statements-{number}.json"),
            }
            options = ["--lanes", str(trace.N_LANES), "--slice-seconds", str(slice_seconds), "--log-level", "warning"]
            argv = [sys.executable, "-P", "-m", "benchmarks.load.worker_entry", *options]
            child = Child(f"worker-{number}", argv, home / "logs" / f"worker-{number}.log", environ)
            child.start()
            self.workers.append(child)
        wait_until(lambda: self._scalar("SELECT count(*) FROM result_workers") >= n_workers, 600)

    def set_pace(self, epoch_seconds: float) -> None:
        """Let an epoch last so long when it is played, in the arrays that begin from now on."""
        (self.settings.home / "pace").write_text(str(epoch_seconds), "ascii")

    @contextmanager
    def mirror_held(self) -> Iterator[None]:
        """Keep all workers from writing to Optuna's tables, as if another process did so just now."""
        with self.db.engine.connect() as connection:
            connection.execute(select(func.pg_advisory_lock(MIRROR_LOCK)))
            connection.commit()
            yield
            connection.execute(select(func.pg_advisory_unlock(MIRROR_LOCK)))

    def end_workers(self) -> None:
        """End all workers."""
        end(self.workers, patience_seconds=60)
        self.workers.clear()

    def submit(self, spec: StudySpec) -> str:
        """Submit a study whose lane block is known, so that no worker measures it."""
        calibrations.keep_block_width(self.db, calibration_kind(spec, torch.device("cpu")), _BLOCK_WIDTH)
        return self.service.submit(spec)

    def counters(self) -> Counters:
        """Read all counters."""
        files = self.settings.home.glob("statements-*.json")
        return Counters(
            {**self._database_numbers(), **self._broker_numbers()},
            total(json.loads(file.read_text("utf-8")) for file in files),
        )

    @property
    def queued(self) -> int:
        """How many messages wait."""
        return sum(self.redis.llen(queue) for queue in QUEUES)

    @property
    def worker_bytes(self) -> int:
        """The memory of all workers that they share with nobody, at present."""
        return sum(_private_bytes(child.pid) for child in self.workers if child.pid is not None)

    @property
    def n_mirrored(self) -> int:
        """How many trials Optuna's tables have."""
        return int(self._scalar("SELECT coalesce(sum(n_mirrored), 0) FROM result_studies"))

    def n_final(self, study_ids: list[str]) -> int:
        """Return how many trials of these studies are complete."""
        marks = ", ".join(f"'{study_id}'" for study_id in study_ids)
        return int(
            self._scalar(f"SELECT count(*) FROM result_trials WHERE state = 'complete' AND study_id IN ({marks})")
        )

    def seconds_to_first_claim(self, study_ids: list[str]) -> list[float | None]:
        """Return, for each study, the time from its submit to its first claim; None where there was none."""
        query = (
            "SELECT extract(epoch FROM min(t.started_at) - s.created_at) FROM result_studies s "
            "JOIN result_trials t ON t.study_id = s.id WHERE s.id = %(study_id)s GROUP BY s.id, s.created_at"
        )
        with self.db.read() as connection:
            found = [connection.exec_driver_sql(query, {"study_id": one}).scalar() for one in study_ids]
        return [None if seconds is None else float(seconds) for seconds in found]

    def _scalar(self, query: str) -> float:
        with self.db.read() as connection:
            return float(connection.exec_driver_sql(query).scalar_one())

    def _database_numbers(self) -> dict[str, float]:
        with self.db.read() as connection:
            query = (
                "SELECT deadlocks, xact_commit, active_time, pg_database_size(datname) AS bytes, "
                "(SELECT wal_bytes FROM pg_stat_wal) AS wal_bytes "
                "FROM pg_stat_database WHERE datname = current_database()"
            )
            row = connection.exec_driver_sql(query).one()
            numbers = {name: float(value) for name, value in row._mapping.items()}
            for table in _TABLES:
                size = connection.exec_driver_sql(f"SELECT pg_total_relation_size('{table}')").scalar_one()
                numbers[f"{table}_bytes"] = float(size)
            optuna = (
                "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
                "WHERE nspname = 'public' AND relkind = 'r' AND NOT starts_with(relname, 'result')"
            )
            numbers["optuna_bytes"] = float(connection.exec_driver_sql(optuna).scalar_one())
            for name in ("result_epochs", "result_arrays"):
                numbers[name] = float(connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one())
        pids = [self.postgres.pid, *self.postgres.children()]
        return {**numbers, "server_seconds": sum(_cpu_seconds(pid) for pid in pids)}

    def _broker_numbers(self) -> dict[str, float]:
        stats, commands = self.redis.info("stats"), self.redis.info("commandstats")
        calls = {name: float(found["calls"]) for name, found in commands.items()}
        return {
            "redis_commands": float(stats["total_commands_processed"]),
            "redis_bytes": float(stats["total_net_input_bytes"] + stats["total_net_output_bytes"]),
            "messages": sum(calls.get(f"cmdstat_{name}", 0.0) for name in _SENT),
            "redis_seconds": sum(float(found["usec"]) for found in commands.values()) / 1e6,
        }


@contextmanager
def load_stack() -> Iterator[LoadStack]:
    """Start the servers in a temporary folder, with a recorded trace beside them."""
    folder = Path(tempfile.mkdtemp(prefix="adam-studies-load-"))
    home = folder / "home"
    home.mkdir()
    trace.record(home / "trace.pt", epochs=40)
    port = free_port()
    server, postgres = RedisServer(home), Postgres(folder, port)
    try:
        server.start()
        postgres.start("-c", f"max_connections={_MOST_CONNECTIONS}", "-c", "fsync=on")
        url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        given = Settings.from_environ({"ADAM_STUDIES_HOME": str(home)})
        settings = replace(given, broker_url=server.url, database_url=url)
        upgrade(settings)
        stack = LoadStack(settings, postgres, server)
        try:
            yield stack
        finally:
            stack.end_workers()
            stack.redis.close()
            stack.db.close()
    finally:
        server.stop()
        postgres.stop()
    shutil.rmtree(folder)


def _cpu_seconds(pid: int) -> float:
    """Return the processor's time of a process and of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0  # it ended just now: its parent has its time
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _private_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))
