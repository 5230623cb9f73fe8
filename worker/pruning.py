"""Which trials of an array a pruner ends at an epoch."""

from collections.abc import Sequence

from studies.db import leases
from studies.db.engine import Database
from studies.db.history import intermediate_values, past_trials, report_epochs
from studies.db.records import Claim
from studies.pruners import judge
from studies.spec import StudySpec


def prunable_epochs(spec: StudySpec) -> list[int]:
    """Return the epochs at whose ends the study's pruner is asked."""
    return [] if spec.pruner == "none" else report_epochs(spec.epochs)


def pruned_trials(db: Database, held: Claim, spec: StudySpec, epoch: int, numbers: Sequence[int]) -> frozenset[int]:
    """Ask the pruner about these running trials of the array, record its verdicts, and return the pruned ones."""
    history = past_trials(db, held.study_id)
    values = intermediate_values(db, held.study_id, spec, [past.number for past in history])
    verdicts = judge(spec, history, values, [number for number in numbers if epoch in values.get(number, {})])
    pruned = frozenset(number for number, verdict in verdicts.items() if verdict.is_pruned)
    leases.record_verdicts(db, held, {n: verdict.attrs for n, verdict in verdicts.items()}, pruned)
    return pruned
