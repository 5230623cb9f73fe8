"""`python -m worker`: one worker process on one device."""

import argparse
import os
import secrets
import socket
import sys
from typing import NoReturn

from studies.db import workers
from studies.db.engine import open_database
from studies.dispatch import Bell
from studies.errors import AdamStudiesError, ServiceError
from studies.local.redis_server import broker_url
from studies.settings import Settings
from worker import logs
from worker.app import build_app, serve
from worker.checkpoints import CheckpointStore
from worker.device import choose_device, device_kind, use_one_thread
from worker.runner import Runner

SLICE_SECONDS = 300.0  #: how long an array keeps the device while another study waits


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def main() -> int:
    """Run the worker until it is told to end; return the exit code."""
    parser = _Parser(prog="adam-studies worker", description=__doc__)
    parser.add_argument("--lanes", type=_positive_int, help="most lanes in an array (default: what the device takes)")
    parser.add_argument(
        "--slice-seconds",
        type=_seconds,
        default=SLICE_SECONDS,
        help="how long an array keeps the device while another study waits (default: %(default)g)",
    )
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    parser.add_argument("--log-format", choices=logs.FORMATS, default="text")
    arguments = parser.parse_args()
    worker_id = f"w-{secrets.token_hex(4)}"
    logs.set_up(arguments.log_level, arguments.log_format, worker_id)
    try:
        return _run(arguments, worker_id)
    except AdamStudiesError as error:
        print(f"adam-studies worker: {error}", file=sys.stderr)
        return error.exit_code


def _run(arguments: argparse.Namespace, worker_id: str) -> int:
    settings = Settings.from_environ()
    url = broker_url(settings)
    if url is None:
        raise ServiceError(
            "no Redis: set ADAM_STUDIES_BROKER_URL, or start the embedded one of this ADAM_STUDIES_HOME with "
            "`adam-studies up`"
        )
    device = choose_device(settings.device)
    use_one_thread()
    db = open_database(settings)
    store = CheckpointStore(settings.checkpoint_dir)
    worker = workers.WorkerIdentity(
        id=worker_id,
        host=socket.gethostname(),
        pid=os.getpid(),
        device=device_kind(device),
        is_gpu=device.type != "cpu",
        store=store.name,
    )
    bell = Bell(url)
    runner = Runner(db, bell, worker, device, store, settings, arguments.lanes, arguments.slice_seconds)
    serve(build_app(url, runner), db, bell, runner, arguments.log_level)
    return 0


def _positive_int(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"must be greater than 0, got {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
