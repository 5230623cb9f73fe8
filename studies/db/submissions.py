"""Writing studies: submit, wishes, retry, extend, delete; each is one transaction."""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from studies.db.engine import Database
from studies.db.models import ArrayRow, DiagnosticsRow, EpochRow, StudyRow, SuiteRow, TrajectoryRow, TrialRow
from studies.db.trial_states import OWN_COLUMNS, cancel_unheld, setting_columns
from studies.errors import NotFoundError, StateError
from studies.samplers import draw_settings
from studies.spec import StudySpec, SuiteSpec, parse_study

_SETTING_COLUMNS = (*OWN_COLUMNS, "params", "other", "sampler_attrs", "is_default")
_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # no letters that read like digits


def insert_study(db: Database, spec: StudySpec) -> str:
    """Write a study with all its trials and return its id."""
    settings = draw_settings(spec)
    with db.write() as connection:
        return _insert_study(connection, spec, settings, None)


def insert_suite(db: Database, spec: SuiteSpec) -> str:
    """Write a suite with all its studies and return its id."""
    drawn = [(study, draw_settings(study)) for study in spec.studies]
    suite_id = _new_id("u")
    with db.write() as connection:
        connection.execute(insert(SuiteRow).values(id=suite_id, name=spec.suite))
        for study, settings in drawn:
            _insert_study(connection, study, settings, suite_id)
    return suite_id


def wish_cancel(db: Database, study_id: str) -> None:
    """Cancel what waits at once; what a worker holds ends when it hears of it."""
    with db.write() as connection:
        row = _locked(connection, study_id)
        if not _unfinished(connection, study_id) and row.wish != "cancel":
            raise StateError(f"study {study_id} has ended, so it cannot be cancelled")
        connection.execute(update(StudyRow).where(StudyRow.id == study_id).values(wish="cancel"))
        connection.execute(
            update(TrialRow)
            .where(TrialRow.study_id == study_id, TrialRow.state == "waiting")
            .values(state="cancelled", finished_at=func.current_timestamp())
        )
        cancel_unheld(connection, study_id)


def wish(db: Database, study_id: str, wanted: str) -> None:
    """Pause a study or let it run again.

    Raises:
        StateError: the study has ended or was cancelled.
    """
    with db.write() as connection:
        row = _locked(connection, study_id)
        verb = "paused" if wanted == "pause" else "resumed"
        if row.wish == "cancel":
            raise StateError(f"study {study_id} was cancelled, so it cannot be {verb}")
        if not _unfinished(connection, study_id):
            raise StateError(f"study {study_id} has ended, so it cannot be {verb}")
        connection.execute(update(StudyRow).where(StudyRow.id == study_id).values(wish=wanted))


def retry_failed(db: Database, study_ids: Sequence[str]) -> list[int]:
    """Add a trial with the same setting for every failed one, which leaves the results; return how many of each study.

    Raises:
        StateError: one of the studies was cancelled; then none is changed.
    """
    with db.write() as connection:
        return [_retry_failed(connection, study_id) for study_id in study_ids]


def extend(db: Database, study_ids: Sequence[str], n_more: int) -> None:
    """Add trials to each of the studies: the sampler's next ones.

    Raises:
        InputError: one of the studies would have more trials than a study may have.
        StateError: one of the studies was cancelled, or its grid has no more points; then none is changed.
    """
    with db.read() as connection:
        rows = [_find(connection, study_id) for study_id in study_ids]
    specs = [_extended(row, n_more) for row in rows]
    drawn = [draw_settings(spec)[row.n_trials :] for row, spec in zip(rows, specs, strict=True)]
    with db.write() as connection:
        for row, spec, settings in zip(rows, specs, drawn, strict=True):
            changed = connection.execute(
                update(StudyRow)
                .where(StudyRow.id == row.id, StudyRow.n_trials == row.n_trials, StudyRow.wish != "cancel")
                .values(n_trials=spec.n_trials, spec=spec.to_json())
            )
            if changed.rowcount != 1:
                raise StateError(f"study {row.id} was changed by somebody else at the same time: look, then try again")
            _insert_trials(connection, row.id, spec, settings, n_more, _n_rows(connection, row.id))


def set_problem(db: Database, study_id: str, problem: str | None) -> None:
    """Say why a worker could not train the study, or that nothing stands in the way any more."""
    with db.write() as connection:
        connection.execute(update(StudyRow).where(StudyRow.id == study_id).values(problem=problem))


def set_notes(db: Database, study_id: str, notes: str | None) -> None:
    """Keep what a user wrote down about the study in the place of what was there.

    Raises:
        NotFoundError: no study has this id.
    """
    with db.write() as connection:
        changed = connection.execute(update(StudyRow).where(StudyRow.id == study_id).values(notes=notes))
        if changed.rowcount != 1:
            raise NotFoundError(f"no study has the id {study_id!r}")


def delete_study(db: Database, study_id: str) -> None:
    """Delete all that our tables have of a study, and its suite with the last of its studies."""
    with db.write() as connection:
        row = _locked(connection, study_id)
        # first of all the leases: a holder that writes just now is waited for, and none writes from here on
        connection.execute(update(ArrayRow).where(ArrayRow.study_id == study_id).values(token="", finished=True))
        for table in (TrajectoryRow, DiagnosticsRow, EpochRow, TrialRow, ArrayRow):
            connection.execute(delete(table).where(table.study_id == study_id))
        connection.execute(delete(StudyRow).where(StudyRow.id == study_id))
        if row.suite_id is not None:
            others = select(StudyRow.id).where(StudyRow.suite_id == row.suite_id)
            connection.execute(delete(SuiteRow).where(SuiteRow.id == row.suite_id, ~others.exists()))


def _retry_failed(connection: Connection, study_id: str) -> int:
    row = _locked(connection, study_id)
    if row.wish == "cancel":
        raise StateError(f"study {study_id} was cancelled, so its failed trials cannot be retried")
    failed = connection.execute(
        select(TrialRow.__table__)
        .where(TrialRow.study_id == study_id, TrialRow.state == "failed", TrialRow.replaced_by.is_(None))
        .order_by(TrialRow.number)
    ).all()
    for number, trial in enumerate(failed, _n_rows(connection, study_id)):
        copied = {name: getattr(trial, name) for name in _SETTING_COLUMNS}
        connection.execute(insert(TrialRow).values(study_id=study_id, number=number, state="waiting", **copied))
        replaced = update(TrialRow).where(TrialRow.study_id == study_id, TrialRow.number == trial.number)
        connection.execute(replaced.values(replaced_by=number))
    return len(failed)


def _extended(row: Row[Any], n_more: int) -> StudySpec:
    if row.wish == "cancel":
        raise StateError(f"study {row.id} was cancelled, so it cannot be extended")
    if row.spec["sampler"] == "grid":
        raise StateError(
            f"study {row.id} is a grid, whose {row.n_trials} points are all in it, so it cannot be extended"
        )
    return parse_study({**row.spec, "n_trials": row.n_trials + n_more})


def _insert_study(
    connection: Connection, spec: StudySpec, settings: Sequence[dict[str, float]], suite_id: str | None
) -> str:
    study_id = _new_id("s")
    row = insert(StudyRow).values(
        id=study_id,
        suite_id=suite_id,
        name=spec.name,
        spec=spec.to_json(),
        wish="run",
        n_trials=spec.n_trials,
        n_mirrored=0,
    )
    if suite_id is not None:  # of one moment, so that listings, newest first, keep a suite's studies in order
        moment = select(SuiteRow.created_at).where(SuiteRow.id == suite_id)
        row = row.values(created_at=moment.scalar_subquery())
    connection.execute(row)
    _insert_trials(connection, study_id, spec, settings, spec.n_trials, 0)
    return study_id


def _insert_trials(
    connection: Connection,
    study_id: str,
    spec: StudySpec,
    settings: Sequence[dict[str, float]],
    n_trials: int,
    first: int,
) -> None:
    """Add waiting trials from number `first` on; those that no setting is given for get theirs from the sampler."""
    blank: dict[str, Any] = dict.fromkeys(_SETTING_COLUMNS)
    rows = []
    for index in range(n_trials):
        columns = setting_columns(spec, settings[index]) if index < len(settings) else {}
        default = index < len(settings) and settings[index] == spec.default_setting
        row = {"study_id": study_id, "number": first + index, "state": "waiting"}
        rows.append({**row, **blank, **columns, "is_default": default})
    connection.execute(insert(TrialRow), rows)


def _find(connection: Connection, study_id: str) -> Row[Any]:
    row = connection.execute(select(StudyRow.__table__).where(StudyRow.id == study_id)).first()
    if row is None:
        raise NotFoundError(f"no study has the id {study_id!r}")
    return row


def _locked(connection: Connection, study_id: str) -> Row[Any]:
    """Return the study's row, held against claims and other wishes until the transaction ends.

    Not against checks of foreign keys: a holder that writes makes one, with its array locked, which deletion waits for.
    """
    connection.execute(select(StudyRow.id).where(StudyRow.id == study_id).with_for_update(key_share=True))
    return _find(connection, study_id)


def _unfinished(connection: Connection, study_id: str) -> bool:
    unfinished = select(TrialRow.number).where(
        TrialRow.study_id == study_id, TrialRow.state.in_(["waiting", "running"])
    )
    return connection.execute(unfinished.limit(1)).first() is not None


def _n_rows(connection: Connection, study_id: str) -> int:
    return connection.execute(select(func.count()).where(TrialRow.study_id == study_id)).scalar_one()


def _new_id(kind: str) -> str:
    return f"{kind}-" + "".join(secrets.choice(_ALPHABET) for _ in range(8))
