"""All workloads, and how one is found by its name."""

from studies.errors import NotFoundError
from studies.workloads.digits import DIGITS
from studies.workloads.entry import Workload
from studies.workloads.paper import PAPER

WORKLOADS: dict[str, Workload] = {workload.name: workload for workload in (*PAPER, *DIGITS)}


def find_workload(name: str) -> Workload:
    """Return the workload of this name.

    Raises:
        NotFoundError: no workload has it.
    """
    try:
        return WORKLOADS[name]
    except KeyError:
        raise NotFoundError(f"workload must be one of {', '.join(WORKLOADS)}, got {name!r}") from None
