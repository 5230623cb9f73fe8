"""The life of a trial array in a worker: prepare, claim, settings, train, record, tell."""

import logging
import math
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from studies.db import calibrations, claims, leases, queries, submissions
from studies.db.engine import Database
from studies.db.mirror import mirror
from studies.db.records import Claim
from studies.db.waiting import WaitingStudy, find_work, studies_with_work
from studies.db.workers import WorkerIdentity
from studies.dispatch import Bell
from studies.errors import LeaseLostError, NotFoundError, ServiceError
from studies.settings import Settings
from studies.spec import StudySpec, parse_study
from worker import logs
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


@dataclass(frozen=True)
class _Prepared:
    """What there has to be before anything of a study is claimed."""

    spec: StudySpec
    data: Dataset
    block_width: int
    n_lanes: int  #: most lanes of an array


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
        """Do one array's worth of work for the study, if there is any, or for one that is worse off.

        Never raises for what can be told in a line.
        """
        if self.stopping.is_set():
            return
        try:
            with _told():
                worse_off = self._worse_off(study_id)
                if worse_off is None or not self._run(worse_off):
                    self._run(study_id)
        finally:
            self.study_id = None
        self.stopping.wait(self._rest_seconds)

    def _worse_off(self, study_id: str) -> str | None:
        """Return a study that had no worker yet, or has none, where this one was luckier.

        A message says that there is work, and large studies leave many: behind them, a small one would wait for long.
        """
        found = [
            study
            for study in studies_with_work(self._db)
            if study.id == study_id or (study.device in self.worker.devices and study.problem is None)
        ]
        heard = next((study for study in found if study.id == study_id), None)
        worst = min((study.fortune for study in found), default=None)
        if heard is None or worst is None or heard.fortune <= worst:
            return None
        return random.choice([study.id for study in found if study.fortune == worst])

    def _run(self, study_id: str) -> bool:
        """Do an array's worth of work for this very study, and return whether there was any."""
        self.study_id, was_there = study_id, True
        with logs.about(study=study_id), _told():
            was_there = self._work_for(study_id)
        return was_there

    def _work_for(self, study_id: str) -> bool:
        study = find_work(self._db, study_id)
        if study is None:
            return False
        if study.is_cancelled:
            claims.end_cancelled(self._db, study_id)
            mirror(self._db, study_id)
            return False
        self.is_preparing = True
        try:
            prepared = self._prepare(study)
        finally:
            self.is_preparing = False
        if prepared is None or self.stopping.is_set():  # in this order: whoever stops may end what still prepares
            return False
        held = claims.claim(self._db, study_id, self.worker, prepared.n_lanes, self._avoided())
        if held is None:
            return False
        self._ring_for_rest(study)
        with logs.about(array=held.array_id):
            ending = self._train(held, prepared)
            _log.info("array %s of study %s: %s", held.array_id, study_id, ending.value)
        mirror(self._db, study_id)
        self._ring_for_rest(study)
        return True

    def _prepare(self, study: WaitingStudy) -> _Prepared | None:
        """Load the data, fix lane block and K before anything is claimed; None where that is impossible here."""
        started = time.monotonic()
        try:
            data = self._load_data(parse_study(study.spec_json))  # valid where it was submitted: here too?
            spec = StudySpec.stored(study.spec_json)
            width = study.block_width or calibrations.set_block_width(self._db, study.id, self._block_width(spec, data))
            n_lanes = self._max_lanes or self._lanes(spec, study.n_trials, data, width)
        except ServiceError:
            raise
        except Exception as error:  # whatever a model or a device raises must not come back every ten seconds
            problem = f"{self.worker.host}: {_one_line(error)}"
            _log.error("study %s cannot be trained here: %s", study.id, problem)
            submissions.set_problem(self._db, study.id, problem)
            self._pass_on(study, started)
            return None
        if study.problem is not None:
            submissions.set_problem(self._db, study.id, None)
        return _Prepared(spec, data, width, n_lanes)

    def _pass_on(self, study: WaitingStudy, started: float) -> None:
        """Ring for another worker, which may be able to train it; what comes straight back here finds none idle."""
        others = [worker for worker in queries.list_workers(self._db) if worker.is_live and worker.id != self.worker.id]
        if others and started - self._passed_on.get(study.id, -math.inf) > STRAIGHT_BACK_SECONDS:
            self._bell.ring_if_possible(study.id, study.device)
            self._passed_on[study.id] = time.monotonic()

    def _load_data(self, spec: StudySpec) -> Dataset:
        return load_dataset(spec.workload_entry, spec.data, self._settings, self._device, torch.float32)

    def _block_width(self, spec: StudySpec, data: Dataset) -> int:
        """Return the width of blocks for studies of this kind, measured by the first of them."""
        kind = calibration_kind(spec, self._device)
        known = calibrations.find_block_width(self._db, kind)
        if known is not None:
            return known
        return calibrations.keep_block_width(self._db, kind, choose_block_width(spec, data))

    def _lanes(self, spec: StudySpec, n_trials: int, data: Dataset, width: int) -> int:
        """Return the lanes of an array of this study here, measured at the first claim of a study of this kind."""
        kind = f"{calibration_kind(spec, self._device)}, {n_trials} x {spec.n_seeds}, width {width}"
        if kind not in self._measured_lanes:
            self._measured_lanes[kind] = choose_lanes(spec, data, width)
        return self._measured_lanes[kind]

    def _checkpoint_of(self, held: Claim) -> dict[str, Any] | None:
        """Return what the array goes on from; None where it starts anew, as after a version with other checkpoints."""
        snapshot = None if held.checkpoint is None else self._store.load(held.checkpoint)
        return snapshot if snapshot and snapshot.get("format") == SNAPSHOT_FORMAT else None

    def _train(self, held: Claim, prepared: _Prepared) -> Ending:
        spec = prepared.spec
        try:
            drawn = drawn_for(self._db, held, spec, self.stopping.is_set)
            if drawn is None:
                leases.release(self._db, held)
                claims.end_cancelled(self._db, held.study_id)
                return Ending.HANDED_OVER
            training = ArrayTraining(_plan(drawn, prepared), prepared.data, resume=self._checkpoint_of(drawn))
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

    def _must_yield(self, seconds: float) -> bool:
        if self.stopping.is_set():
            return True
        if seconds < self._slice_seconds:
            return False
        return any(
            study.id != self.study_id and study.device in self.worker.devices and study.problem is None
            for study in studies_with_work(self._db)
        )

    def sweep_checkpoints(self) -> None:
        """Delete the checkpoints that no array names any more."""
        self._store.sweep(queries.named_checkpoints(self._db, self._store.name))

    def _ring_for_rest(self, study: WaitingStudy) -> None:
        """Ring once more if the study has work left that nobody holds."""
        if find_work(self._db, study.id) is not None:
            self._bell.ring_if_possible(study.id, study.device)


def _plan(held: Claim, prepared: _Prepared) -> ArrayPlan:
    lanes = tuple(
        Lane(trial.number, replicate, trial.setting)
        for trial in held.trials
        if trial.setting is not None
        for replicate in range(prepared.spec.n_seeds)
    )
    return ArrayPlan.of(prepared.spec, lanes, prepared.block_width)


@contextmanager
def _told() -> Iterator[None]:
    """Log what can be told in a line, and go on."""
    try:
        yield
    except (NotFoundError, LeaseLostError) as error:
        _log.info("%s", error)
    except ServiceError as error:
        _log.warning("%s", error)


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
