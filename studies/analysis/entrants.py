"""Studies that are compared: what each is called, which can be paired, and what should be known before reading on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from studies.db.records import StudyRecord
from studies.spec import ADAPTIVE_SAMPLERS, StudySpec


def by_workload(records: Sequence[StudyRecord]) -> dict[str, tuple[StudyRecord, ...]]:
    """Return the studies of each workload by its name, in their order."""
    names = dict.fromkeys(record.spec.workload_label for record in records)
    return {name: tuple(one for one in records if one.spec.workload_label == name) for name in names}


def labels(records: Sequence[StudyRecord]) -> dict[str, str]:
    """Return what each study is called, by its id: its optimizer, as long as that tells it from the others.

    Where two studies of a workload have one optimizer their modes follow, where these are the same too their names,
    and at last their ids. The label of an optimizer is the same on every workload.
    """
    makers: tuple[Callable[[StudyRecord], str], ...] = (
        lambda record: record.spec.optimizer_entry.title,
        lambda record: ", ".join([record.spec.optimizer_entry.title, *record.spec.modes]),
        lambda record: f"{record.spec.optimizer_entry.title} ({record.name})",
        lambda record: f"{record.spec.optimizer_entry.title} ({record.id})",
    )
    found: dict[str, str] = {}
    for optimizer in dict.fromkeys(record.spec.optimizer for record in records):
        own = [record for record in records if record.spec.optimizer == optimizer]
        for maker in makers:
            made = {record.id: maker(record) for record in own}
            if all(_are_unlike(made[record.id] for record in group) for group in by_workload(own).values()):
                break
        found |= made
    return found


def common_quantity(specs: Sequence[StudySpec]) -> str:
    """Return what studies of one workload are compared by: their objective if they share it, else train_loss."""
    objectives = {(spec.objective, spec.target) for spec in specs}
    return specs[0].objective if len(objectives) == 1 else "train_loss"


def can_pair(specs: Iterable[StudySpec]) -> bool:
    """Whether replicate r of each has the same initial weights and batches: seed, batch and examples are the same."""
    return len({(spec.seed, spec.batch_size, spec.holdout, spec.data) for spec in specs}) <= 1


def remarks(records: Sequence[StudyRecord]) -> tuple[str, ...]:
    """Return what makes the comparison less than fair or final, a sentence each."""
    lines = []
    open_ones = [record.name for record in records if not record.is_final]
    if open_ones:
        verb = "has" if len(open_ones) == 1 else "have"
        lines.append(f"{_listed(open_ones)} {verb} not ended: the figures will change.")
    for workload, group in by_workload(records).items():
        lines += _remarks_of([record.spec for record in group], workload)
    adaptive = [record.name for record in records if record.spec.sampler in ADAPTIVE_SAMPLERS]
    if adaptive:
        lines.append(
            f"The sampler of {_listed(adaptive)} looks at results: its tuning curve is that of the one order in which "
            "trials completed, without a band."
        )
    pruned = [record.name for record in records if record.spec.pruner != "none"]
    if pruned:
        lines.append(f"{_listed(pruned)} pruned trials, and only complete ones are compared.")
    return tuple(lines)


def _remarks_of(specs: Sequence[StudySpec], workload: str) -> list[str]:
    lines = []
    seeds = sorted({spec.seed for spec in specs})
    if len(seeds) > 1:
        lines.append(
            f"{workload}: the studies have the seeds {_listed(map(str, seeds))}, so nothing can be paired. Submit them "
            "as one suite, which shares its seed."
        )
    elif not can_pair(specs):
        lines.append(f"{workload}: the batch size or the training examples differ, so nothing can be paired.")
    given: Mapping[str, set[Any]] = {
        "trials": {spec.n_trials for spec in specs},
        "epochs": {spec.epochs for spec in specs},
        "seeds per trial": {spec.n_seeds for spec in specs},
    }
    for what, values in given.items():
        if len(values) > 1:
            lines.append(f"{workload}: the studies differ in their {what} ({min(values):,} to {max(values):,}).")
    schedules = {spec.schedule.words for spec in specs}
    if len(schedules) > 1:
        lines.append(f"{workload}: the schedules differ ({'; '.join(sorted(schedules))}).")
    if len({(spec.objective, spec.target) for spec in specs}) > 1:
        lines.append(f"{workload}: the objectives differ, so the studies are compared by train_loss.")
    return lines


def _are_unlike(names: Iterable[str]) -> bool:
    listed = list(names)
    return len(set(listed)) == len(listed)


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
