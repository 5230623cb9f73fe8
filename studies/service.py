"""What users ask of the service, by id of a study or of a suite: submit, wishes, retry, extend, delete."""

from collections.abc import Callable

from studies.db import queries, submissions
from studies.db.engine import Database
from studies.db.mirror import forget, mirror
from studies.db.records import StudyRecord
from studies.dispatch import Bell
from studies.errors import InputError
from studies.spec import Spec, StudySpec

MAX_NOTES = 10_000  #: characters of the notes on a study


class Service:
    """Writes wishes into the database, which is the truth, and rings for them."""

    def __init__(self, db: Database, bell: Bell | None) -> None:
        """Use this database; without a bell, idle workers find what is new within 10 seconds."""
        self.db = db
        self._bell = bell

    def submit(self, spec: Spec) -> str:
        """Write the study or suite and ring for it; return its id."""
        if isinstance(spec, StudySpec):
            submitted = submissions.insert_study(self.db, spec)
        else:
            submitted = submissions.insert_suite(self.db, spec)
        for record in self.studies(submitted):
            self._ring(record)
        return submitted

    def studies(self, study_or_suite: str) -> tuple[StudyRecord, ...]:
        """Return the study of this id, or the studies of the suite.

        Raises:
            NotFoundError: nothing has the id.
        """
        if study_or_suite.startswith("u-"):
            return queries.find_suite(self.db, study_or_suite).studies
        return (queries.find_study(self.db, study_or_suite),)

    def cancel(self, study_or_suite: str) -> None:
        """End the studies: waiting trials at once, running ones within seconds."""
        self._wish(study_or_suite, lambda record: submissions.wish_cancel(self.db, record.id))
        for record in self.studies(study_or_suite):
            mirror(self.db, record.id)

    def pause(self, study_or_suite: str) -> None:
        """Have the workers checkpoint the studies and put them down."""
        self._wish(study_or_suite, lambda record: submissions.wish(self.db, record.id, "pause"))

    def resume(self, study_or_suite: str) -> None:
        """Let paused studies run on."""
        self._wish(study_or_suite, lambda record: submissions.wish(self.db, record.id, "run"))

    def retry(self, study_or_suite: str) -> int:
        """Run failed trials again, as new trials that take their places; return how many."""
        records = self.studies(study_or_suite)
        retried = submissions.retry_failed(self.db, [record.id for record in records])
        for record, n_trials in zip(records, retried, strict=True):
            if n_trials:
                self._ring(record)
        return sum(retried)

    def extend(self, study_or_suite: str, n_trials: int) -> None:
        """Add so many trials to each of the studies.

        Raises:
            InputError: the number is not positive, or is too large.
            StateError: a study was cancelled, or is a grid; then none is changed.
        """
        if n_trials < 1:
            raise InputError(f"the number of trials to add must be at least 1, got {n_trials}")
        records = self.studies(study_or_suite)
        submissions.extend(self.db, [record.id for record in records], n_trials)
        for record in records:
            self._ring(record)

    def annotate(self, study_id: str, notes: str) -> None:
        """Keep notes on a study, in the place of those that it had; blank ones remove them.

        Raises:
            InputError: they are too long, or hold a character that no database keeps.
            NotFoundError: no study has this id.
        """
        if len(notes) > MAX_NOTES:
            raise InputError(f"notes must have at most {MAX_NOTES:,} characters, got {len(notes):,}")
        if "\0" in notes:
            raise InputError("notes must not hold the character U+0000, which PostgreSQL does not keep")
        submissions.set_notes(self.db, study_id, notes.strip() or None)

    def delete(self, study_or_suite: str) -> None:
        """Delete the studies with all their results; what a worker still trains of them is dropped."""
        for record in self.studies(study_or_suite):
            submissions.delete_study(self.db, record.id)
            forget(self.db, record.optuna_name)

    def _wish(self, study_or_suite: str, act: Callable[[StudyRecord], None]) -> None:
        """Act on every study that the wish applies to; a suite's studies that have ended are left as they are."""
        records = self.studies(study_or_suite)
        open_records = [record for record in records if not record.is_final] or records[:1]
        for record in open_records:
            act(record)
            self._ring(record)

    def _ring(self, record: StudyRecord) -> None:
        if self._bell is not None:
            self._bell.ring_if_possible(record.id, record.spec.device)
