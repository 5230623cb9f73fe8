"""How trials and arrays end; the caller has the transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, update

from studies.db.engine import now
from studies.db.final_figures import final_figures
from studies.db.models import ArrayRow, TrialRow
from studies.search_space import to_optuna
from studies.spec import StudySpec

LEASE_SECONDS = 20.0  #: ten renewals at the loop's pace
RELEASED = 0.0  #: expiry of a lease that its holder gave back

#: Hyperparameters with a column of their own; the others share the JSON column `other`.
OWN_COLUMNS = ("alpha", "beta1", "beta2", "epsilon", "bias_correction")


def unheld() -> ColumnElement[bool]:
    """Whether nobody holds an array: its lease ran out, or expires so late that the clock was set back since."""
    expiry = ArrayRow.lease_expires_at
    return or_(expiry <= now(), expiry > now() + 3 * LEASE_SECONDS)


def end_trials(connection: Connection, study_id: str, ended: Mapping[int, str]) -> None:
    """Give the trials their final states and the figures that their curves make; a final state never changes."""
    figures = final_figures(connection, study_id, ended)
    for number, state in ended.items():
        connection.execute(
            update(TrialRow)
            .where(TrialRow.study_id == study_id, TrialRow.number == number, TrialRow.state == "running")
            .values(state=state, finished_at=func.current_timestamp(), **figures[number])
        )


def cancel_running(connection: Connection, study_id: str, array_id: int) -> None:
    """End the running trials of an array as cancelled."""
    numbers = connection.execute(
        select(TrialRow.number).where(TrialRow.array_id == array_id, TrialRow.state == "running")
    ).scalars()
    end_trials(connection, study_id, dict.fromkeys(numbers, "cancelled"))
    finish_if_ended(connection, array_id)


def cancel_unheld(connection: Connection, study_id: str) -> None:
    """End the trials of a cancelled study whose arrays nobody holds."""
    arrays = select(ArrayRow.id).where(ArrayRow.study_id == study_id, ~ArrayRow.finished, unheld())
    arrays = arrays.with_for_update(skip_locked=True)  # a holder that is writing just now lives, and will hear
    for array_id in connection.execute(arrays).scalars().all():
        cancel_running(connection, study_id, array_id)


def finish_if_ended(connection: Connection, array_id: int) -> None:
    """Close an array none of whose trials is running any more."""
    running = select(TrialRow.number).where(TrialRow.array_id == array_id, TrialRow.state == "running")
    connection.execute(
        update(ArrayRow)
        .where(ArrayRow.id == array_id, ~running.exists())
        .values(finished=True, lease_expires_at=RELEASED, checkpoint=None, store=None)
    )


def setting_columns(spec: StudySpec, setting: Mapping[str, float]) -> dict[str, object]:
    """Return the columns of a trial that hold its setting."""
    other = {name: value for name, value in setting.items() if name not in OWN_COLUMNS}
    return {
        "params": to_optuna(spec.search_space, setting),
        "other": other or None,
        **{name: setting.get(name) for name in OWN_COLUMNS},
    }


def setting_of(row: Row[Any]) -> dict[str, float]:
    """Return the setting that a trial's columns hold."""
    own = {name: getattr(row, name) for name in OWN_COLUMNS if getattr(row, name) is not None}
    return {**own, **(row.other or {})}
