"""The lane block of each kind of study: the first measurement stays, since results depend on it in their last bits."""

from sqlalchemy import select, update

from studies.db.engine import Database
from studies.db.models import CalibrationRow, StudyRow
from studies.db.upsert import insert_missing
from studies.errors import NotFoundError


def find_block_width(db: Database, kind: str) -> int | None:
    """Return the width measured for this kind of study, if any was."""
    with db.read() as connection:
        return connection.execute(select(CalibrationRow.block_width).where(CalibrationRow.kind == kind)).scalar()


def keep_block_width(db: Database, kind: str, width: int) -> int:
    """Store the width measured for this kind unless there is one, and return what is stored."""
    with db.write() as connection:
        insert_missing(connection, CalibrationRow, [{"kind": kind, "block_width": width}])
        kept = select(CalibrationRow.block_width).where(CalibrationRow.kind == kind)
        return connection.execute(kept).scalar_one()


def set_block_width(db: Database, study_id: str, width: int) -> int:
    """Give the study its width unless it has one, and return what it has.

    Raises:
        NotFoundError: the study is gone.
    """
    with db.write() as connection:
        unset = update(StudyRow).where(StudyRow.id == study_id, StudyRow.block_width.is_(None))
        connection.execute(unset.values(block_width=width))
        found = connection.execute(select(StudyRow.block_width).where(StudyRow.id == study_id)).scalar()
    if found is None:
        raise NotFoundError(f"no study has the id {study_id!r}")
    return found
