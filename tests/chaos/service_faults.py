"""Faults of Redis, PostgreSQL, the network between, and the command; each ends with everything up again."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

import psycopg
import redis
import yaml

from studies.spec import StudySpec
from tests.chaos import audit
from tests.chaos.postgres import Postgres
from tests.chaos.stack import Stack, Worker
from tests.chaos.worker_entry import LEASE_SECONDS
from tests.chaos.worker_faults import HOUR
from tests.factories import make_spec
from tests.processes import wait_until

SUBMITTED_NAME, SUBMITTED_TRIALS = "submitted", 4  #: of the studies whose submission is cut short
_QUEUES = ("any", "cpu")


def messages_lost(stack: Stack, study_id: str, rng: random.Random) -> None:
    """Redis forgets every message."""
    with redis.Redis.from_url(stack.redis_server.url) as client:
        client.flushall()


def messages_doubled(stack: Stack, study_id: str, rng: random.Random) -> None:
    """Every message that waits is there twice, and twenty more come that nobody needs."""
    for _ in range(20):
        stack.bell.ring(study_id, rng.choice(_QUEUES))
    with redis.Redis.from_url(stack.redis_server.url) as client:
        for queue in _QUEUES:
            if waiting := client.lrange(queue, 0, -1):
                client.rpush(queue, *waiting)


def same_message_for_all(stack: Stack, study_id: str, rng: random.Random) -> None:
    """Every worker is handed the same message, byte for byte."""
    stack.bell.ring(study_id, "chaos")  # a queue that nobody serves
    with redis.Redis.from_url(stack.redis_server.url) as client:
        message = client.lpop("chaos")
        client.rpush("any", *[message] * len(stack.workers))


def redis_restarts(stack: Stack, study_id: str, rng: random.Random) -> None:
    """Redis is killed, and comes back with what its log holds."""
    stack.kill_redis()
    time.sleep(rng.uniform(0.0, 2.0))
    stack.start_redis()


def redis_restarts_empty(stack: Stack, study_id: str, rng: random.Random) -> None:
    """Redis is killed, and comes back without its log."""
    stack.kill_redis()
    time.sleep(rng.uniform(0.0, 2.0))
    for file in (stack.settings.home / "redis").glob("*.aof"):
        file.unlink()
    stack.start_redis()


def postgres_restarts(stack: Stack, study_id: str, rng: random.Random) -> None:
    """PostgreSQL is killed with all its processes, and recovers from its log."""
    postgres = _postgres(stack)
    postgres.kill()
    time.sleep(rng.uniform(0.0, 2.0))
    postgres.start()


def postgres_process_dies(stack: Stack, study_id: str, rng: random.Random) -> None:
    """One of PostgreSQL's processes is killed: the server throws everybody out and recovers by itself."""
    postgres = _postgres(stack)
    with suppress(ProcessLookupError):
        os.kill(rng.choice(postgres.children()), SIGKILL)
    time.sleep(0.2)
    postgres.wait_until_up()


def connections_cut(stack: Stack, study_id: str, rng: random.Random) -> None:
    """The administrator ends every connection to the database."""
    with open_postgres(stack) as connection:
        _end_connections(connection)


def connections_exhausted(stack: Stack, study_id: str, rng: random.Random) -> None:
    """Others take every connection that PostgreSQL gives, for two seconds."""
    postgres, taken = _postgres(stack), []
    with postgres.connect() as connection:
        _end_connections(connection)
    with suppress(psycopg.OperationalError):
        while True:
            taken.append(postgres.connect())
    time.sleep(2.0)
    for connection in taken:
        connection.close()


def database_disk_full(stack: Stack, study_id: str, rng: random.Random) -> None:
    """PostgreSQL can write no file beyond 64 KiB, its log included, until its administrator starts it again."""
    postgres = _postgres(stack)
    postgres.limit_files(65_536)
    time.sleep(1.0)
    postgres.kill()
    postgres.start()


def database_clock_steps(stack: Stack, study_id: str, rng: random.Random) -> None:
    """The database's clock is set an hour ahead or back, and stays so, just before a worker is killed."""
    with stack.db.write() as connection:
        audit.set_clock(connection, rng.choice((-HOUR, 0.0, HOUR)))
    if rng.random() < 0.5:
        worker = stack.holder(study_id, rng)
        worker.child.signal(SIGKILL)


def network_cut(stack: Stack, study_id: str, rng: random.Random) -> None:
    """A worker, or all of them, cannot reach the database for a while: connections end, new ones are refused."""
    _cut(rng.choice((stack.workers, [stack.holder(study_id, rng)])), LEASE_SECONDS * rng.uniform(0.2, 1.5))


def network_cut_for_long(stack: Stack, study_id: str, rng: random.Random) -> None:
    """No worker can reach the database for eight leases: with the product's, that would be almost three minutes."""
    _cut(stack.workers, 8 * LEASE_SECONDS)


def network_silent(stack: Stack, study_id: str, rng: random.Random) -> None:
    """Nothing of a worker, or of all, reaches the database for longer than a lease; then all of it arrives."""
    chosen = rng.choice((stack.workers, [stack.holder(study_id, rng)]))
    for worker in chosen:
        assert worker.proxy is not None
        worker.proxy.hold()
    time.sleep(LEASE_SECONDS * rng.uniform(0.5, 1.6))
    for worker in chosen:
        if worker.proxy is not None:
            worker.proxy.heal()


def submitted_spec() -> StudySpec:
    """Return the spec of the studies that are submitted beside the one that is watched."""
    return make_spec(name=SUBMITTED_NAME, n_trials=SUBMITTED_TRIALS, n_seeds=1, epochs=3)


def submit_killed(stack: Stack, study_id: str, rng: random.Random) -> None:
    """`adam-studies submit` is killed while it talks to the database; its study is there whole, or not at all."""
    file = stack.settings.home / "study.yaml"
    file.write_text(yaml.safe_dump(submitted_spec().to_json()))
    environ = {
        **os.environ,
        "ADAM_STUDIES_HOME": str(stack.settings.home),
        "ADAM_STUDIES_DATABASE_URL": stack.settings.database_url,
        "ADAM_STUDIES_BROKER_URL": stack.settings.broker_url or "",
        "PGAPPNAME": "chaos-submit",
    }
    argv = [str(Path(sys.executable).with_name("adam-studies")), "submit", str(file)]
    with (stack.settings.home / "logs" / "submit.log").open("ab") as log:
        process = subprocess.Popen(argv, env=environ, stdout=log, stderr=log)
    with open_postgres(stack) as connection:
        seen = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'chaos-submit'"
        wait_until(lambda: connection.execute(seen).fetchone() is not None or process.poll() is not None)
    time.sleep(rng.uniform(0.0, 0.3))
    process.kill()
    process.wait()


def _cut(chosen: Sequence[Worker], seconds: float) -> None:
    for worker in chosen:
        assert worker.proxy is not None
        worker.proxy.drop()
    time.sleep(seconds)
    for worker in chosen:
        if worker.proxy is not None:
            worker.proxy.heal()


def open_postgres(stack: Stack) -> "psycopg.Connection[tuple[object, ...]]":
    """Connect to the stack's database as the superuser."""
    return _postgres(stack).connect()


def _postgres(stack: Stack) -> Postgres:
    assert stack.postgres is not None, "a fault of PostgreSQL"
    return stack.postgres


def _end_connections(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
