"""The door to the study database: opened only if its tables are those that this version knows."""

from studies.db.connection import Database, connect, now
from studies.db.migrate import bring_up_to_date, is_up_to_date
from studies.errors import AdamStudiesError, ServiceError
from studies.settings import Settings

__all__ = ["Database", "now", "open_database"]


def open_database(settings: Settings) -> Database:
    """Return the study database; a SQLite file is created and upgraded on the spot.

    Raises:
        InputError: the URL cannot be used.
        ServiceError: the database cannot be reached or used, is newer than this version, or is a PostgreSQL database
            that `adam-studies db upgrade` has not prepared.
    """
    database = connect(settings.database_url)
    try:
        if database.is_sqlite:
            bring_up_to_date(database)
        elif not is_up_to_date(database):
            raise ServiceError(f"the database {database.location} is not prepared: run `adam-studies db upgrade`")
    except AdamStudiesError:
        database.close()
        raise
    return database
