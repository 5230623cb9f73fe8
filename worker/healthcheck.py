"""A container's health check: exit code 0 if a worker of this host has a fresh heartbeat in the study database."""

import socket
import sys

from studies.db.engine import open_database
from studies.db.queries import list_workers
from studies.errors import AdamStudiesError
from studies.settings import Settings


def main() -> int:
    """Return the exit code, after a line that says what was found."""
    host = socket.gethostname()
    try:
        workers = list_workers(open_database(Settings.from_environ()))
    except AdamStudiesError as error:
        print(error, file=sys.stderr)
        return 1
    n_live = sum(worker.is_live for worker in workers if worker.host == host)
    print(f"{n_live} live workers on {host}")
    return 0 if n_live else 1


if __name__ == "__main__":
    sys.exit(main())
