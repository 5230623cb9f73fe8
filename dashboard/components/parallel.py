"""Work at the same time: while the database or NumPy works for one, Python is free for another."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import current_thread
from typing import Any

from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

_MAX_THREADS = 4


def in_parallel(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return what the calls return, in their order; they may ask what is cached, and draw nothing."""
    context = get_script_run_ctx()
    with ThreadPoolExecutor(_MAX_THREADS, initializer=lambda: add_script_run_ctx(current_thread(), context)) as pool:
        return [one.result() for one in [pool.submit(call) for call in calls]]
