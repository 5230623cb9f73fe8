"""The Python client: submit studies and suites, wait for them, and read what they found.

from studies import Client, StudySpec

study = Client().submit(StudySpec(name="first", workload="digits-logistic", optimizer="adam", n_trials=16))
study.wait()
print(study.best, study.trials(), study.curves())
"""

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import pandas as pd

from studies.analysis.step_bounds import with_step_bounds
from studies.data_status import require_data
from studies.db import queries
from studies.db.engine import Database, open_database
from studies.db.mirror import mirror
from studies.db.records import StudyRecord, SuiteRecord
from studies.dispatch import Bell
from studies.errors import InputError, NoWorkerWarning, StudyWarning
from studies.local.redis_server import broker_url
from studies.presets import PRESETS
from studies.service import Service
from studies.settings import Settings
from studies.spec import Spec, StudySpec, SuiteSpec, parse
from studies.spec_file import load, override

if TYPE_CHECKING:
    from studies.analysis.estimates import Estimate

_POLL_SECONDS = 0.5

SpecSource = Spec | Mapping[str, Any] | str | PathLike[str]


@dataclass(frozen=True)
class BestTrial:
    """The complete trial with the least objective."""

    trial: int
    setting: dict[str, float]
    objective: "Estimate"  #: mean over the seeds, with its 95 % interval
    diverged: bool  #: in at least one seed


def read_spec(source: SpecSource, assignments: tuple[str, ...] = ()) -> Spec:
    """Return the spec that a mapping, a YAML or JSON file or the name of a preset holds.

    Args:
        source: a string is the name of a preset, else the path of a file.
        assignments: `key=value` changes.

    Raises:
        InputError: what is wrong, by key, value and what is allowed.
    """
    if isinstance(source, str) and source in PRESETS:
        source = PRESETS[source].spec
    if isinstance(source, StudySpec | SuiteSpec):
        if not assignments:
            return source
        source = source.model_dump(mode="json", exclude_unset=True)  # what the space implies may change with it
    elif isinstance(source, str | PathLike):
        path = Path(source)
        if isinstance(source, str) and not path.exists() and not path.suffix:
            raise InputError(f"no preset and no file is called {source!r}; the presets are {', '.join(PRESETS)}")
        source = load(path)
    return parse(override(source, assignments))


class Handle:
    """A study or suite that was submitted."""

    def __init__(self, client: "Client", study_or_suite: str) -> None:
        self.id = study_or_suite
        self._client = client

    @property
    def database(self) -> Database:
        """The study database."""
        return self._client.database

    @property
    def records(self) -> tuple[StudyRecord, ...]:
        """The study, or the studies of the suite, as they are now."""
        return self._client.service.studies(self.id)

    def wait(
        self,
        timeout_seconds: float | None = None,
        on_poll: Callable[[tuple[StudyRecord, ...]], None] | None = None,
    ) -> tuple[StudyRecord, ...]:
        """Wait until every study is final, and return the studies: complete, failed or cancelled.

        Workers must run (`adam-studies up` starts some); a study that is paused is waited for.

        Args:
            timeout_seconds: None waits for ever.
            on_poll: called about twice a second with the studies as they are.

        Raises:
            TimeoutError: the time is over; the studies go on.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while True:
            records = self.records
            if on_poll is not None:
                on_poll(records)
            if all(record.is_final for record in records):
                for record in records:
                    mirror(self._client.database, record.id, wait=True)  # workers may end before they get to it
                return records
            if deadline is not None and time.monotonic() >= deadline:
                states = ", ".join(f"{record.id} is {record.state}" for record in records)
                raise TimeoutError(f"{self.id} has not ended within {timeout_seconds:g} seconds: {states}")
            time.sleep(_POLL_SECONDS)

    def trials(self) -> pd.DataFrame:
        """Return a row per trial, with the columns of the view `results`."""
        return self._frame(queries.trials_frame)

    def curves(self) -> pd.DataFrame:
        """Return a row per replicate and epoch, with the columns of the view `curves`."""
        return self._frame(queries.curves_frame)

    def diagnostics(self) -> pd.DataFrame:
        """Return a row per replicate and epoch, with the columns of the view `diagnostics` and the step bounds.

        There are rows where the spec says `diagnostics: true`.
        """
        return with_step_bounds(self._frame(queries.diagnostics_frame), self.trials())

    def trajectories(self) -> pd.DataFrame:
        """Return a row per replicate and epoch, with the columns of the view `trajectories`.

        There are rows where the workload has one or two parameters; of one, `y` is missing.
        """
        return self._frame(queries.trajectories_frame)

    def cancel(self) -> None:
        """End it: waiting trials at once, running ones within seconds."""
        self._client.service.cancel(self.id)

    def pause(self) -> None:
        """Have the workers save checkpoints and put it down."""
        self._client.service.pause(self.id)

    def resume(self) -> None:
        """Let it run on after a pause."""
        self._client.service.resume(self.id)

    def _frame(self, read: Callable[[Database, str], pd.DataFrame]) -> pd.DataFrame:
        return pd.concat([read(self._client.database, record.id) for record in self.records], ignore_index=True)


class StudyHandle(Handle):
    """A study that was submitted."""

    @property
    def record(self) -> StudyRecord:
        """The study with its state and progress, as they are now."""
        return queries.find_study(self._client.database, self.id)

    @property
    def best(self) -> BestTrial | None:
        """The best trial so far; None without a complete one."""
        from studies.analysis.trials import complete_trials  # SciPy behind it takes half a second

        table = complete_trials(self.record.spec, self.trials())
        if table.best is None:
            return None
        return BestTrial(
            trial=int(table.numbers[table.best]),
            setting=table.setting(table.best),
            objective=table.estimate(table.best),
            diverged=bool(table.diverged[table.best]),
        )


class SuiteHandle(Handle):
    """A suite that was submitted."""

    @property
    def record(self) -> SuiteRecord:
        """The suite with its studies, as they are now."""
        return queries.find_suite(self._client.database, self.id)

    @property
    def studies(self) -> tuple[StudyHandle, ...]:
        """Its studies."""
        return tuple(StudyHandle(self._client, record.id) for record in self.records)


class Client:
    """The service, reached through the study database and the broker that the settings name.

    Args:
        settings: where things live; None reads the environment.

    Raises:
        InputError: a setting that cannot be used.
        ServiceError: the database cannot be used.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_environ()
        self.database = open_database(self.settings)

    def close(self) -> None:
        """Close the connections to the database."""
        self.database.close()

    @property
    def service(self) -> Service:
        """The service; it rings through the broker that can be reached at this moment."""
        url = broker_url(self.settings)
        return Service(self.database, None if url is None else Bell(url))

    @property
    def has_live_workers(self) -> bool:
        """Whether a worker has been heard of lately."""
        return any(worker.is_live for worker in queries.list_workers(self.database))

    @overload
    def submit(self, spec: StudySpec) -> StudyHandle: ...
    @overload
    def submit(self, spec: SuiteSpec) -> SuiteHandle: ...
    @overload
    def submit(self, spec: SpecSource) -> StudyHandle | SuiteHandle: ...

    def submit(self, spec: SpecSource) -> StudyHandle | SuiteHandle:
        """Validate a study or suite, write it into the database and ring for it.

        Args:
            spec: a spec, a mapping, the path of a YAML or JSON file, or the name of a preset.

        Raises:
            InputError: what is wrong, by key, value and what is allowed.
            DataError: a data set that this machine's workers need is missing or corrupt.
        """
        parsed = read_spec(spec)
        self.require_data(parsed)
        for message in (message for study in parsed.members for message in study.warnings):
            warnings.warn(message, StudyWarning, stacklevel=2)
        submitted = self.service.submit(parsed)
        if not self.has_live_workers:
            where = self.database.location
            message = f"no live worker has been seen in {where}, so the study waits: `adam-studies up` starts some"
            warnings.warn(message, NoWorkerWarning, stacklevel=2)
        return self.find(submitted)

    def require_data(self, spec: Spec) -> None:
        """Refuse a study or suite whose data sets are not whole where the embedded stack would train it.

        Raises:
            DataError: a data set is missing or corrupt.
        """
        for study in spec.members:
            require_data(self.settings, study.workload, study.data)

    def find(self, study_or_suite: str) -> StudyHandle | SuiteHandle:
        """Return the study or suite of this id.

        Raises:
            NotFoundError: nothing has it.
        """
        return self.suite(study_or_suite) if study_or_suite.startswith("u-") else self.study(study_or_suite)

    def study(self, study_id: str) -> StudyHandle:
        """Return the study of this id.

        Raises:
            NotFoundError: no study has it.
        """
        return StudyHandle(self, queries.find_study(self.database, study_id).id)

    def suite(self, suite_id: str) -> SuiteHandle:
        """Return the suite of this id.

        Raises:
            NotFoundError: no suite has it.
        """
        return SuiteHandle(self, queries.find_suite(self.database, suite_id).id)
