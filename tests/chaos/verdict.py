"""The verdict on a disturbed study, from the database alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import optuna
import pandas as pd
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy import func, select

from studies.db import queries
from studies.db.connection import Database
from studies.db.models import EpochRow, TrialRow
from studies.samplers import quiet
from tests.chaos.audit import stranger_writes

_KEY = ["trial", "replicate", "epoch"]
_UNLIKE = ["study_id", "study", "seconds", "started_at", "finished_at"]  #: what two equal studies differ in


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a study, in words; nothing where every list is empty."""

    lost: tuple[str, ...]  #: what should be there and is not
    double: tuple[str, ...]  #: what is there more often than once, or was written without the lease
    different: tuple[str, ...]  #: what an undisturbed run of the same seed has otherwise

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, nothing counted twice and nothing changed."""
        return not (self.lost or self.double or self.different)


def judge(db: Database, study_id: str, n_trials: int, undisturbed_id: str | None = None) -> Verdict:
    """Look at a study that should have completed by itself.

    Args:
        db: where all of it stands.
        study_id: the study.
        n_trials: how many trials were asked for.
        undisturbed_id: a study of the same spec that nothing disturbed; only for samplers that do not adapt.
    """
    different: tuple[str, ...] = ()
    if undisturbed_id is not None:
        different = tuple(_differences(db, study_id, undisturbed_id))
    return Verdict(tuple(_lost(db, study_id, n_trials)), tuple(_double(db, study_id, n_trials)), different)


def _lost(db: Database, study_id: str, n_trials: int) -> Iterator[str]:
    record = queries.find_study(db, study_id)
    good = {"complete"} if record.spec.pruner == "none" else {"complete", "pruned"}
    if not record.counts.keys() <= good or sum(record.counts.values()) != n_trials:
        yield f"{n_trials} trials should be {' or '.join(sorted(good))}, got {dict(record.counts)}"
    rows = queries.curves_frame(db, study_id)
    there = set(zip(*(rows[name].tolist() for name in _KEY), strict=True))
    ended = rows[rows["diverged"].astype(bool)]
    diverged = dict(zip(zip(ended["trial"], ended["replicate"], strict=True), ended["epoch"].tolist(), strict=True))
    pruned = _last_epochs(rows, queries.trials_frame(db, study_id))
    for trial in range(n_trials):
        for replicate in range(record.spec.n_seeds):
            last = diverged.get((trial, replicate), pruned.get(trial, record.spec.epochs))
            missing = [epoch for epoch in range(last + 1) if (trial, replicate, epoch) not in there]
            if missing:
                yield f"trial {trial}, replicate {replicate}: no epoch {', '.join(map(str, missing))}"
    yield from _not_mirrored(db, study_id)


def _last_epochs(rows: pd.DataFrame, trials: pd.DataFrame) -> dict[int, int]:
    """Return where the pruned trials ended, by number: all of their replicates did so at once."""
    pruned = trials.loc[trials["state"] == "pruned", "trial"]
    found = rows[rows["trial"].isin(pruned)].groupby("trial")["epoch"].max()
    return {int(trial): int(epoch) for trial, epoch in found.items()}  # type: ignore[call-overload]


def _mirrored(db: Database, study_id: str) -> list[FrozenTrial]:
    name = queries.find_study(db, study_id).optuna_name
    storage = RDBStorage(db.url)
    try:
        with quiet():
            return optuna.load_study(study_name=name, storage=storage).trials
    except KeyError:
        return []
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _not_mirrored(db: Database, study_id: str) -> Iterator[str]:
    """Compare what Optuna's own functions read with our rows."""
    frame = queries.trials_frame(db, study_id)
    mirrored = _mirrored(db, study_id)
    for trial, row in zip(mirrored, frame.itertuples(index=False), strict=False):
        if (trial.number, trial.state.name.lower(), trial.value) != (row.trial, row.state, row.objective):
            yield f"trial {row.trial} is {row.state} with {row.objective}, in Optuna {trial.state.name} {trial.value}"
    if len(mirrored) < len(frame):
        yield f"Optuna has {len(mirrored)} of {len(frame)} trials"


def _double(db: Database, study_id: str, n_trials: int) -> Iterator[str]:
    key = (EpochRow.trial, EpochRow.replicate, EpochRow.epoch)
    twice = select(*key, func.count().label("n")).where(EpochRow.study_id == study_id).group_by(*key)
    with db.read() as connection:
        for row in connection.execute(twice.having(func.count() > 1)):
            yield f"{row.n} x epoch {row.epoch} of trial {row.trial}, replicate {row.replicate}"
        n_rows = connection.execute(select(func.count()).where(TrialRow.study_id == study_id)).scalar_one()
        if n_rows > n_trials:
            yield f"{n_rows} trials, where {n_trials} were asked for"
        if (n_mirrored := len(_mirrored(db, study_id))) > n_trials:
            yield f"Optuna has {n_mirrored} trials, where {n_trials} were asked for"
        if not db.is_sqlite:
            yield from stranger_writes(connection, study_id)


def _differences(db: Database, study_id: str, undisturbed_id: str) -> Iterator[str]:
    readers = {"trials": queries.trials_frame, "curves": queries.curves_frame}
    for what, read in readers.items():
        found, expected = (read(db, one).drop(columns=_UNLIKE, errors="ignore") for one in (study_id, undisturbed_id))
        try:
            pd.testing.assert_frame_equal(found, expected, check_exact=True)
        except AssertionError as error:
            yield f"{what}: {' '.join(str(error).partition('[index]')[0].split())}"
