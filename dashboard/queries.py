"""What the pages ask the study database, kept for a moment where many sessions ask the same."""

import json

import pandas as pd
import streamlit as st

from studies import data_status
from studies.db import queries
from studies.db.engine import Database, open_database
from studies.db.leases import count_lost
from studies.db.records import StudyRecord, SuiteRecord, WorkerRecord
from studies.db.speed import Speed, measured_speeds
from studies.dispatch import Bell
from studies.doctor.finding import Finding
from studies.doctor.service import examine_broker
from studies.local.redis_server import broker_url
from studies.service import Service
from studies.settings import Settings
from studies.spec import Spec

_BROKER_SECONDS = 5.0  #: one that does not answer makes every look wait
_SPEED_SECONDS = 60.0
_MOMENT_SECONDS = 1.0  #: below the two seconds after which a live page asks again


def database() -> Database:
    """Return the study database of this process's settings.

    Raises:
        InputError: a setting cannot be used.
        ServiceError: the database cannot be opened.
    """
    settings = Settings.from_environ()
    return _database(settings.database_url, settings)


def service() -> Service:
    """Return the service that submits studies and writes wishes."""
    broker = broker_url(Settings.from_environ())
    return Service(database(), _bell(broker) if broker else None)


def require_data(spec: Spec) -> None:
    """Refuse a spec whose data sets are not whole where the workers of this home would train it.

    Raises:
        DataError: a data set is missing or corrupt.
    """
    for study in spec.members:
        data_status.require_data(Settings.from_environ(), study.workload, study.data)


def all_studies() -> tuple[StudyRecord, ...]:
    """Return every study, the newest first."""
    db = database()
    return _all_studies(db.url, db)


def all_workers() -> tuple[WorkerRecord, ...]:
    """Return the worker processes that the database knows, the one heard of last first."""
    db = database()
    return _workers(db.url, db)


def workers() -> tuple[WorkerRecord, ...]:
    """Return the worker processes that are alive."""
    return tuple(worker for worker in all_workers() if worker.is_live)


def broker() -> Finding:
    """Return whether Redis answers, as of a moment ago."""
    return _broker(Settings.from_environ())


def n_lost_arrays() -> int:
    """Return the number of trial arrays whose workers fell silent and which no other has taken over yet."""
    db = database()
    return _n_lost_arrays(db.url, db)


def speeds() -> tuple[Speed, ...]:
    """Return how fast each workload was trained on each device, as of a minute ago."""
    db = database()
    return _speeds(db.url, db)


def find_study(study_id: str) -> StudyRecord:
    """Return the study of this id.

    Raises:
        NotFoundError: no study has it.
    """
    return queries.find_study(database(), study_id)


def find_suite(suite_id: str) -> SuiteRecord:
    """Return the suite of this id.

    Raises:
        NotFoundError: no suite has it.
    """
    return queries.find_suite(database(), suite_id)


def version(study: StudyRecord) -> str:
    """Return a key that changes whenever results of the study were added."""
    return json.dumps([study.id, study.n_trials, study.epochs_done, study.counts, study.n_diverged], sort_keys=True)


def trials(study: StudyRecord) -> pd.DataFrame:
    """Return the study's rows of the view `results`; shared, so not to be changed."""
    db = database()
    return _trials(db.url, version(study), study.id, db)


def curves(study: StudyRecord) -> pd.DataFrame:
    """Return the study's rows of the view `curves`; they can be many, so only what is made of them is kept."""
    return queries.curves_frame(database(), study.id)


def trajectories(study: StudyRecord) -> pd.DataFrame:
    """Return the study's rows of the view `trajectories`; they can be many, so only what is made of them is kept."""
    return queries.trajectories_frame(database(), study.id)


def forget_listings() -> None:
    """Have the next run ask for studies anew, since one was just changed."""
    _all_studies.clear()


@st.cache_resource(show_spinner=False, on_release=Database.close)
def _database(url: str, _settings: Settings) -> Database:
    return open_database(_settings)


@st.cache_resource(show_spinner=False)
def _bell(broker: str) -> Bell:
    return Bell(broker)


@st.cache_data(ttl=_MOMENT_SECONDS, show_spinner=False)
def _all_studies(url: str, _db: Database) -> tuple[StudyRecord, ...]:
    return queries.list_studies(_db)


@st.cache_data(ttl=_MOMENT_SECONDS, show_spinner=False)
def _workers(url: str, _db: Database) -> tuple[WorkerRecord, ...]:
    return queries.list_workers(_db)


@st.cache_data(ttl=_BROKER_SECONDS, show_spinner=False)
def _broker(settings: Settings) -> Finding:
    return examine_broker(settings, patience_seconds=1.0)


@st.cache_data(ttl=_MOMENT_SECONDS, show_spinner=False)
def _n_lost_arrays(url: str, _db: Database) -> int:
    return count_lost(_db)


@st.cache_data(ttl=_SPEED_SECONDS, show_spinner=False)
def _speeds(url: str, _db: Database) -> tuple[Speed, ...]:
    return measured_speeds(_db)


@st.cache_resource(max_entries=8, show_spinner=False)
def _trials(url: str, version: str, study_id: str, _db: Database) -> pd.DataFrame:
    return queries.trials_frame(_db, study_id)
