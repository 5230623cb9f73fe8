"""The service: database, broker, clocks, workers and studies."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import redis
from sqlalchemy import select

from studies.db import queries
from studies.db.connection import Database, connect, now
from studies.db.migrate import current_revision, head_revision, is_up_to_date
from studies.dispatch import QUEUES
from studies.doctor.finding import Finding, ok, problem, warning
from studies.errors import AdamStudiesError
from studies.local.redis_server import broker_url
from studies.settings import Settings

_ANSWER_SECONDS = 3.0
_SLOW_SECONDS = 0.1
_CLOCK_SECONDS = 5.0  #: clocks further apart than this are told
_START = "start some: `adam-studies up` on this machine, `adam-studies worker` on others"


def examine_service(settings: Settings) -> Iterator[Finding]:
    """Look at what studies run through; writes nothing."""
    yield examine_broker(settings)
    try:
        with closing(connect(settings.database_url)) as database:
            if database.is_sqlite and not database.file.exists():
                yield ok("database", f"{database.location} is not there yet: the first command that needs it makes it")
            else:
                yield from _database(database)
    except AdamStudiesError as error:
        yield problem("database", str(error), "set ADAM_STUDIES_DATABASE_URL, start the server, or mend what it says")


def examine_broker(settings: Settings, patience_seconds: float = _ANSWER_SECONDS) -> Finding:
    """Look whether Redis answers, and how many messages wait in it."""
    url = broker_url(settings)
    if url is None:
        return warning("broker", "the embedded Redis of this home does not run", "adam-studies up starts it")
    where = "set by ADAM_STUDIES_BROKER_URL" if settings.broker_url else "embedded"
    patience = {"socket_timeout": patience_seconds, "socket_connect_timeout": patience_seconds}
    started = time.monotonic()
    try:
        with redis.Redis.from_url(url, **patience) as client:
            version = client.info("server")["redis_version"]
            seconds = time.monotonic() - started
            n_messages = sum(int(client.llen(queue)) for queue in QUEUES)
    except ValueError:  # whose text would quote a part of the password
        told = f"the URL of Redis ({where}) cannot be read: characters such as / and # of a password must be %-encoded"
        return problem("broker", told, "set ADAM_STUDIES_BROKER_URL to redis://:PASSWORD@HOST:PORT/0")
    except (redis.RedisError, OSError) as error:
        told = f"Redis ({where}) does not answer: {' '.join(str(error).split())}"
        return problem("broker", told, "start it, or set ADAM_STUDIES_BROKER_URL")
    waiting = {0: "no message waits", 1: "1 message waits"}.get(n_messages, f"{n_messages:,} messages wait")
    told = f"Redis {version} ({where}) answers in {seconds * 1e3:.0f} ms; {waiting}"
    if seconds > _SLOW_SECONDS:
        return warning("broker", told, "a broker nearer to the workers, or less load on this one")
    return ok("broker", told)


def _database(database: Database) -> Iterator[Finding]:
    revision = current_revision(database)
    if not is_up_to_date(database):
        told = f"{database.location} is at revision {revision or 'none'}, this version needs {head_revision()}"
        yield problem("database", told, "adam-studies db upgrade")
        return
    started = time.time()
    with database.read() as connection:
        clock: float = connection.execute(select(now())).scalar_one()
    seconds = time.time() - started
    yield ok("database", f"{database.location}, revision {revision}, answers in {seconds * 1e3:.0f} ms")
    yield _clock(clock - (started + seconds / 2))
    yield from _workers(database)
    yield from _studies(database)


def _clock(ahead_seconds: float) -> Finding:
    told = f"the database's is {abs(ahead_seconds):.1f} s {'ahead' if ahead_seconds > 0 else 'behind'}"
    if abs(ahead_seconds) > _CLOCK_SECONDS:
        return warning("clocks", told, "synchronise them (NTP); leases use the database's clock alone and stay right")
    return ok("clocks", told)


def _workers(database: Database) -> Iterator[Finding]:
    known = queries.list_workers(database)
    living = [worker for worker in known if worker.is_live]
    if not living:
        yield warning("workers", "none is alive, so nothing trains", _START)
        return
    kinds = Counter(f"{worker.host} {worker.device}" for worker in living)
    shown = ", ".join(f"{count} on {kind}" for kind, count in sorted(kinds.items()))
    n_busy = sum(worker.study_id is not None for worker in living)
    yield ok("workers", f"{len(living)} alive ({shown}), {n_busy} training")
    silent = [f"{worker.id} on {worker.host}" for worker in known if not worker.is_live]
    if silent:
        mend = "nothing, if they were ended by force: others take their arrays over; else look at their logs"
        yield warning("workers", f"silent for more than half a minute: {', '.join(silent)}", mend)


def _studies(database: Database) -> Iterator[Finding]:
    records = queries.list_studies(database)
    states = Counter(record.state for record in records)
    yield ok("studies", ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none yet")
    for record in records:
        if record.problem is not None:
            told = f"{record.id} ({record.name}) cannot be trained by {record.problem}"
            yield problem("studies", told, f"mend it there, or adam-studies cancel {record.id}")
