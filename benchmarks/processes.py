"""Running ways of doing the same work in turn, each in processes of its own, so that all meet the same machine."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Self, TypeVar

import torch

#: Does a piece of work and returns how much it was (trial-steps, flops or bytes).
Step = Callable[[], float]

_Result = TypeVar("_Result")

#: Children fork from a server that has imported what they need, but computed nothing.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["benchmarks.ours", "benchmarks.rivals", "benchmarks.ceilings"])

_WARM_UP_SECONDS = 0.2


@dataclass(frozen=True)
class Way:
    """One way of doing the work.

    Args:
        name: what the table calls it.
        processes: how many work at the same time, each on its own trials.
        threads: of each process.
        build: makes the step in the process that runs it; can be pickled.
    """

    name: str
    processes: int
    threads: int
    build: Callable[[], Step]


def measure(ways: Sequence[Way], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Run the ways in turn for some rounds; nothing else of ours computes meanwhile.

    Args:
        ways: what to measure.
        rounds: how often each has its turn.
        seconds: of one turn.

    Returns:
        By way, the work per second of each round, summed over the way's processes.
    """
    with ExitStack() as stack:
        crews = {way.name: stack.enter_context(_Crew(way)) for way in ways}
        for crew in crews.values():
            crew.run(_WARM_UP_SECONDS)
        rates: dict[str, list[float]] = {way.name: [] for way in ways}
        for _ in range(rounds):
            for name, crew in crews.items():
                rates[name].append(crew.run(seconds))
    return rates


def call(function: Callable[..., _Result], *arguments: Any) -> _Result:
    """The function's result, computed in a fresh process.

    Raises:
        RuntimeError: it failed there; the message is the traceback.
    """
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_answer, args=(theirs, function, arguments), daemon=True)
    process.start()
    theirs.close()
    result: _Result = _receive(ours)
    process.join()
    return result


def finish() -> None:
    """Wait until a GPU, where one is used, has done what it was asked for."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()


class _Crew:
    """The processes of one way."""

    def __init__(self, way: Way) -> None:
        self._unfinished = _CONTEXT.Value("i", 0)
        self._together = _CONTEXT.Barrier(way.processes)
        pipes = [_CONTEXT.Pipe() for _ in range(way.processes)]
        self._connections = [ours for ours, _ in pipes]
        self._processes = [
            _CONTEXT.Process(target=_serve, args=(way, theirs, self._together, self._unfinished), daemon=True)
            for _, theirs in pipes
        ]
        for process, (_, theirs) in zip(self._processes, pipes, strict=True):
            process.start()
            theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.join()

    def run(self, seconds: float) -> float:
        """The work per second of one turn, summed over the processes."""
        self._unfinished.value = len(self._processes)
        for connection in self._connections:
            connection.send(seconds)
        rates: list[float] = [_receive(connection) for connection in self._connections]
        return sum(rates)


def _serve(way: Way, connection: Connection, together: Any, unfinished: Any) -> None:
    """Take turns, each as long as the parent says, until the parent closes the connection."""
    torch.set_num_threads(way.threads)
    try:
        step = way.build()
        while True:
            connection.send((_turn(step, connection.recv(), together, unfinished), None))
    except EOFError:
        pass
    except Exception:
        connection.send((None, traceback.format_exc()))
        together.abort()
        unfinished.value = 0


def _turn(step: Step, seconds: float, together: Any, unfinished: Any) -> float:
    """The work per second of one process, while its mates work too."""
    step()  # the first finds cold caches and sleeping threads
    finish()
    together.wait()
    started, done = time.perf_counter(), 0.0
    while time.perf_counter() - started < seconds:
        done += step()
    finish()
    elapsed = time.perf_counter() - started
    with unfinished:
        unfinished.value -= 1
    while unfinished.value > 0:  # a mate that is still measuring must not have the machine to itself
        step()
    return done / elapsed


def _answer(connection: Connection, function: Callable[..., Any], arguments: Sequence[Any]) -> None:
    try:
        connection.send((function(*arguments), None))
    except Exception:
        connection.send((None, traceback.format_exc()))


def _receive(connection: Connection) -> Any:
    try:
        result, error = connection.recv()
    except EOFError:
        raise RuntimeError("a measuring process died, perhaps for want of memory") from None
    if error is not None:
        raise RuntimeError(error)
    return result
