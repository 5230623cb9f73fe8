"""Errors that reach a user: one clear line each, and the exit code that the command ends with; and warnings."""


class AdamStudiesError(Exception):
    """An error whose message is one line that a user can act on."""

    exit_code = 1


class InputError(AdamStudiesError):
    """What the user asked for is wrong; the message names the key, the value and what is allowed."""

    exit_code = 2


class NotFoundError(InputError, LookupError):
    """No study, suite, trial, preset or workload has the given name or id."""


class StateError(InputError):
    """The study's state does not allow the wish (`resume` of a cancelled study, say)."""


class DataError(InputError):
    """A data set is missing, truncated or corrupt; the message names the file and what is expected."""


class ServiceError(AdamStudiesError):
    """The database, the broker or the disk cannot be used; the message says which and where."""


class LeaseLostError(AdamStudiesError):
    """The lease of a trial array went to another worker: what its former holder still has is dropped."""


class StudyWarning(UserWarning):
    """What somebody who submits a study should know."""


class NoWorkerWarning(StudyWarning):
    """Nobody trains at present."""
