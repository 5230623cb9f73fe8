"""The page of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from benchmarks.load.cases import Asking, Fairness, Load, Mirroring
from benchmarks.load.statements import Times, named
from benchmarks.load.trace import N_LANES

_N_STATEMENTS = 12


@dataclass(frozen=True)
class Found:
    """All that was measured."""

    machine: dict[str, str]
    command: str
    one: list[tuple[Load, Mirroring]]  #: one study at a time, by size
    many: Load
    fairness: Fairness
    asked: list[Asking]


def page(found: Found) -> str:
    """Return the page, in Markdown."""
    loads = [load for load, _ in found.one]
    facts = (*found.machine.items(), ("command", f"`{found.command}`"))
    lines = ["# Load and scale", "", *(f"- {what}: {it}" for what, it in facts), "", _METHOD]
    lines += ["", "## One study", "", *_loads(loads), "", _growth(loads), "", *_dearest(loads[-1])]
    lines += ["", "## Optuna's mirror", "", *_mirrors(found.one)]
    lines += ["", "## Many studies at once", "", *_loads([found.many]), "", _first_claims(found.many)]
    lines += ["", "## A small study among large ones", "", *_fairness(found.fairness)]
    lines += ["", "## Asking for an array", "", *_asking(found.asked)]
    return "\n".join([*lines, ""])


_METHOD = f"""\
Real PostgreSQL (`fsync` on), real Redis and real worker processes on one machine; only the training of a block is left
out: each worker plays the curves recorded from a real array of digits-logistic, with no pause but where one is given.
So these workers ask of the database what far more workers that train would. Arrays have at most {N_LANES} trials of one
seed. *Server*: processor time of all of PostgreSQL's processes. *Waited*: for answers, locks and busy processors,
summed over workers. *Bytes*: growth of tables with their indexes. Optuna's tables are written by one worker at a time,
when trials are final: under *One study* not at all, under *Optuna's mirror* afterwards, by workers that are idle
otherwise, else as they come."""


def _loads(loads: Sequence[Load]) -> list[str]:
    cells = [_cells(load) for load in loads]
    lines = [f"| | {' | '.join(f'{load.n_studies:,} x {load.n_trials:,} trials' for load in loads)} |"]
    lines.append("|" + " --- |" * (len(loads) + 1))
    return lines + [f"| {name} | {' | '.join(each[name] for each in cells)} |" for name in cells[0]]


def _cells(load: Load) -> dict[str, str]:
    found, n_trials, n_rows, arrays = load.numbers, load.all_trials, load.all_rows, load.numbers["result_arrays"]
    waited = sum(seconds for _, seconds in load.statements.values())
    ours = found["result_trials_bytes"] + found["result_arrays_bytes"]
    return {
        "epochs": str(load.epochs),
        "arrays": f"{arrays:,.0f}",
        "submit, s": f"{load.submit_seconds:.2f}",
        "wall, s": f"{load.wall_seconds:.1f}",
        "epoch rows/s": f"{n_rows / load.wall_seconds:,.0f}",
        "server, ms/trial": f"{1e3 * found['server_seconds'] / n_trials:.2f}",
        "server, ms/epoch row": f"{1e3 * found['server_seconds'] / n_rows:.3f}",
        "waited, ms/trial": f"{1e3 * waited / n_trials:.1f}",
        "statements/trial": f"{sum(count for count, _ in load.statements.values()) / n_trials:.2f}",
        "transactions/array": f"{found['xact_commit'] / arrays:.1f}",
        "bytes/trial, trials and arrays": f"{ours / n_trials:,.0f}",
        "bytes/epoch row": f"{found['result_epochs_bytes'] / n_rows:.0f}",
        "bytes of log (WAL)/trial": f"{found['wal_bytes'] / n_trials:,.0f}",
        "messages/array": f"{found['messages'] / arrays:.1f}",
        "Redis commands/array": f"{found['redis_commands'] / arrays:.0f}",
        "Redis bytes/array": f"{found['redis_bytes'] / arrays:,.0f}",
        "most messages queued": str(load.most_queued),
        "deadlocks": f"{found['deadlocks']:.0f}",
    }


def _mirrors(found: Sequence[tuple[Load, Mirroring]]) -> list[str]:
    lines = [
        "| trials | mirrored | s | trials/s | server, ms/trial | statements/trial | bytes/trial |",
        "|" + " --- |" * 7,
    ]
    for _, one in found:
        n_statements = sum(count for count, _ in one.statements.values())
        cells = (
            f"{one.n_waiting:,}",
            f"{one.n_mirrored:,}",
            f"{one.seconds:.1f}",
            f"{one.n_mirrored / one.seconds:.1f}",
            f"{1e3 * one.numbers['server_seconds'] / one.n_mirrored:.1f}",
            f"{n_statements / one.n_mirrored:.1f}",
            f"{one.numbers['optuna_bytes'] / one.n_mirrored:,.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def growth(loads: Sequence[Load]) -> list[float]:
    """Return, for each load but the first, its server time a trial in terms of the load before it: 1 is linear."""
    each = [load.numbers["server_seconds"] / load.all_trials for load in loads]
    return [after / before for before, after in pairwise(each)]


def _growth(loads: Sequence[Load]) -> str:
    steps = zip(pairwise(loads), growth(loads), strict=True)
    said = (f"{one.all_trials:,} to {two.all_trials:,} trials x {ratio:.2f}" for (one, two), ratio in steps)
    return f"Server time a trial, by size: from {'; from '.join(said)} (1 is linear, less is better than that)."


def _dearest(load: Load) -> list[str]:
    """Return the statements that workers waited for longest."""
    head = f"What workers waited for longest, with {load.all_trials:,} trials:"
    lines = [head, "", "| statement | sent/trial | ms each | ms/trial |", "|" + " --- |" * 4]
    for name, (count, seconds) in _by_name(load.statements)[:_N_STATEMENTS]:
        each, n_trials = 1e3 * seconds / count, load.all_trials
        lines.append(f"| {name} | {count / n_trials:.2f} | {each:.2f} | {1e3 * seconds / n_trials:.2f} |")
    return lines


def _by_name(statements: Times) -> list[tuple[str, list[float]]]:
    sums: Times = {}
    for statement, (count, seconds) in statements.items():
        known = sums.setdefault(named(statement), [0, 0.0])
        known[0] += count
        known[1] += seconds
    return sorted(sums.items(), key=lambda one: -one[1][1])


def _first_claims(load: Load) -> str:
    waits = [wait for wait in load.first_claims if wait is not None]
    return (
        f"First claims: {len(waits)} of {load.n_studies} studies, {median(waits):.1f} s after their submit (median), "
        f"{max(waits):.1f} s at the latest."
    )


def _fairness(found: Fairness) -> list[str]:
    waits = ", ".join("never" if wait is None else f"{wait:.1f}" for wait in found.waits)
    late = sum(wait is None or wait > 2 * found.slice_seconds for wait in found.waits)
    return [
        f"{found.n_large} large studies have all {found.n_workers} workers, each array for {found.array_seconds:.0f} s "
        f"if nobody else waited, slices of {found.slice_seconds:.0f} s; after six slices a small study is submitted "
        "every second slice.",
        "",
        f"- seconds from submit to first claim: {waits} ({late} of {len(found.waits)} later than two slices)",
        f"- messages in the queue at these submits: {', '.join(map(str, found.queued))}",
    ]


def _asking(asked: Sequence[Asking]) -> list[str]:
    lines = ["| way | trials before | trials asked for | s | ms/trial |", "|" + " --- |" * 5]
    return lines + [
        f"| {one.way} | {one.n_before:,} | {one.n_trials:,} | {one.seconds:.3f} | {per_trial:.2f} |"
        for one in asked
        for per_trial in [1e3 * one.seconds / one.n_trials]
    ]
