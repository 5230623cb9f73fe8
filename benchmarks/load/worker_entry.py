"""`python -m worker` whose arrays play a recorded trace, and which counts its SQL statements; all else is the product.

LOAD_TRACE       the recording
LOAD_PACE        a file with the seconds that an epoch lasts when it is played, read at the start of each array
LOAD_STATEMENTS  the file that the counts go to
"""

import os
import sys
from pathlib import Path

import worker.__main__ as entry
from benchmarks.load.statements import StatementTimes
from benchmarks.load.trace import TracePlayer
from worker import runner

if __name__ == "__main__":
    StatementTimes().write_to(Path(os.environ["LOAD_STATEMENTS"]))
    setattr(runner, "ArrayTraining", TracePlayer)  # noqa: B010  # it does what a session asks of a training
    sys.exit(entry.main())
