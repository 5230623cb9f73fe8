"""The life of a trial array in a worker: prepare, claim, settings, train, record, tell."""

import logging
import math
import threading
import time
from typing import Any

import torch

from studies.db import calibrations, claims, leases, queries, submissions
from studies.db.engine import Database
from studies.db.mirror import mirror
from studies.db.records import Claim, StudyRecord
from studies.db.workers import WorkerIdentity
from studies.dispatch import Bell
from studies.errors import LeaseLostError, NotFoundError, ServiceError
from studies.settings import Settings
from studies.spec import StudySpec, parse_study
from worker.adaptive import drawn_for
from worker.calibration import calibration_kind, choose_block_width, choose_lanes
from worker.checkpoints import CheckpointStore
from worker.datasets.registry import Dataset, load_dataset
from worker.device import is_short_of_memory
from worker.session import Ending, Session
from worker.training import SNAPSHOT_FORMAT, ArrayPlan, ArrayTraining, Lane

STRAIGHT_BACK_SECONDS = 1.0  #: a study that was passed on and is heard of within this time came back
#: How long a worker without memory takes no work, first and at most: others may train what it cannot. A shortage that
#: has passed by the longest rest costs the trials no try; one that has not is answered by smaller arrays.
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 5.0, 60.0
AVOID_SECONDS = 5.0  #: how long a worker leaves an array to others that failed on it for other reasons than memory

_log = logging.getLogger(__name__)


class Runner:
    """Runs one array at a time on one device."""

    def __init__(
        self,
        db: Database,
        bell: Bell,
        worker: WorkerIdentity,
        device: torch.device,
        store: CheckpointStore,
        settings: Settings,
        max_lanes: int | None,
        slice_seconds: float,
    ) -> None:
        """Serve this database on this device, with at most `max_lanes` lanes an array (None: what the device takes)."""
        self._db, self._bell, self.worker, self._device = db, bell, worker, device
        self._store, self._settings = store, settings
        self._max_lanes, self._slice_seconds = max_lanes, slice_seconds
        self.stopping = threading.Event()  #: set by SIGTERM: checkpoint, hand over, end
        self._measured_lanes: dict[str, int] = {}
        self._passed_on: dict[str, float] = {}  # when, by study
        self._rest_seconds = 0.0  # before it takes more work
        self._failed: dict[int, float] = {}  # when, by array
        self.study_id: str | None = None  #: what it trains at present
        self.is_preparing = False  #: whether it is busy with what may take a minute while it holds nothing

    def run(self, study_id: str) -> None:
        """Do one array's worth of work for the study, if there is any; never raises for what can be told in a line."""
        if self.stopping.is_set():
            return
        self.study_id = study_id
        try:
            self._run(study_id)
        except (NotFoundError, LeaseLostError) as error:
            _log.info("%s", error)
        except ServiceError as error:
            _log.warning("%s", error)
        finally:
            self.study_id = None
        self.stopping.wait(self._rest_seconds)

    def _run(self, study_id: str) -> None:
        record = queries.find_study(self._db, study_id)
        if record.state == "cancelling":
            claims.end_cancelled(self._db, study_id)
            mirror(self._db, study_id)
        if record.state not in ("waiting", "running"):
            return
        self.is_preparing = True
        try:
            prepared = self._prepare(record)
        finally:
            self.is_preparing = False
        if prepared is None or self.stopping.is_set():  # in this order: whoever stops may end what still prepares
            return
        data, n_lanes = prepared
        spec = record.spec
        held = claims.claim(self._db, study_id, self.worker, n_lanes, self._avoided())
        if held is None:
            return
        self._ring_for_rest(record)
        ending = self._train(held, spec, data)
        _log.info("array %s of study %s: %s", held.array_id, study_id, ending.value)
        mirror(self._db, study_id)
        self._ring_for_rest(record)

    def _prepare(self, record: StudyRecord) -> tuple[Dataset, int] | None:
        """Load the data, fix lane block and K before anything is claimed; None where that is impossible here."""
        started = time.monotonic()
        try:
            data = self._load_data(parse_study(record.spec_json))  # valid where it was submitted: here too?
            if record.block_width is None:
                calibrations.set_block_width(self._db, record.id, self._block_width(record.spec, data))
            n_lanes = self._max_lanes or self._lanes(record, data)
        except ServiceError:
            raise
        except Exception as error:  # whatever a model or a device raises must not come back every ten seconds
            problem = f"{self.worker.host}: {_one_line(error)}"
            _log.error("study %s cannot be trained here: %s", record.id, problem)
            submissions.set_problem(self._db, record.id, problem)
            self._pass_on(record, started)
            return None
        if record.problem is not None:
            submissions.set_problem(self._db, record.id, None)
        return data, n_lanes

    def _pass_on(self, record: StudyRecord, started: float) -> None:
        """Ring for another worker, which may be able to train it; what comes straight back here finds none idle."""
        others = [worker for worker in queries.list_workers(self._db) if worker.is_live and worker.id != self.worker.id]
        if others and started - self._passed_on.get(record.id, -math.inf) > STRAIGHT_BACK_SECONDS:
            self._bell.ring_if_possible(record.id, record.spec.device)
            self._passed_on[record.id] = time.monotonic()

    def _load_data(self, spec: StudySpec) -> Dataset:
        return load_dataset(spec.workload_entry, spec.data, self._settings, self._device, torch.float32)

    def _block_width(self, spec: StudySpec, data: Dataset) -> int:
        """Return the width of blocks for studies of this kind, measured by the first of them."""
        kind = calibration_kind(spec, self._device)
        known = calibrations.find_block_width(self._db, kind)
        if known is not None:
            return known
        return calibrations.keep_block_width(self._db, kind, choose_block_width(spec, data))

    def _lanes(self, record: StudyRecord, data: Dataset) -> int:
        """Return the lanes of an array of this study here, measured at the first claim of a study of this kind."""
        width = queries.find_study(self._db, record.id).block_width
        assert width is not None, "the study was prepared"
        kind = (
            f"{calibration_kind(record.spec, self._device)}, {record.n_trials} x {record.spec.n_seeds}, width {width}"
        )
        if kind not in self._measured_lanes:
            self._measured_lanes[kind] = choose_lanes(record.spec, data, width)
        return self._measured_lanes[kind]

    def _checkpoint_of(self, held: Claim) -> dict[str, Any] | None:
        """Return what the array goes on from; None where it starts anew, as after a version with other checkpoints."""
        snapshot = None if held.checkpoint is None else self._store.load(held.checkpoint)
        return snapshot if snapshot and snapshot.get("format") == SNAPSHOT_FORMAT else None

    def _train(self, held: Claim, spec: StudySpec, data: Dataset) -> Ending:
        try:
            drawn = drawn_for(self._db, held, spec, self.stopping.is_set)
            if drawn is None:
                leases.release(self._db, held)
                claims.end_cancelled(self._db, held.study_id)
                return Ending.HANDED_OVER
            training = ArrayTraining(self._plan(drawn, spec), data, resume=self._checkpoint_of(drawn))
            ending = Session(self._db, drawn, spec, training, self._store, self._must_yield).run()
            self._rest_seconds = 0.0
            return ending
        except (LeaseLostError, ServiceError):
            raise
        except Exception as error:  # whatever training raises must not cost the trials: the array is tried again
            _log.exception("array %s of study %s failed", held.array_id, held.study_id)
            is_short = is_short_of_memory(error)
            passes = is_short and self._rest_seconds < LONGEST_REST_SECONDS
            leases.release(self._db, held, error=None if passes else _one_line(error))
            if is_short:
                longer = max(FIRST_REST_SECONDS, 2 * self._rest_seconds)
                self._rest_seconds = min(longer, LONGEST_REST_SECONDS)
            else:
                self._failed[held.array_id] = time.monotonic()
            return Ending.HANDED_OVER

    def _avoided(self) -> frozenset[int]:
        """Return the arrays that failed here a short while ago."""
        since = time.monotonic() - AVOID_SECONDS
        self._failed = {array: when for array, when in self._failed.items() if when > since}
        return frozenset(self._failed)

    def _plan(self, held: Claim, spec: StudySpec) -> ArrayPlan:
        block_width = queries.find_study(self._db, held.study_id).block_width
        assert block_width is not None, "the study was prepared"
        array_lanes = tuple(
            Lane(trial.number, replicate, trial.setting)
            for trial in held.trials
            if trial.setting is not None
            for replicate in range(spec.n_seeds)
        )
        return ArrayPlan.of(spec, array_lanes, block_width)

    def _must_yield(self, seconds: float) -> bool:
        if self.stopping.is_set():
            return True
        if seconds < self._slice_seconds:
            return False
        return any(
            study.id != self.study_id and study.device in self.worker.devices and study.problem is None
            for study in claims.studies_with_work(self._db)
        )

    def sweep_checkpoints(self) -> None:
        """Delete the checkpoints that no array names any more."""
        self._store.sweep(queries.named_checkpoints(self._db, self._store.name))

    def _ring_for_rest(self, record: StudyRecord) -> None:
        """Ring once more if the study has work left that nobody holds."""
        if any(study.id == record.id for study in claims.studies_with_work(self._db)):
            self._bell.ring_if_possible(record.id, record.spec.device)


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
