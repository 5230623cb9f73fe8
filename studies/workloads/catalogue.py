"""All workloads, and how one is found by its name."""

from dataclasses import dataclass

from studies.errors import NotFoundError
from studies.settings import Settings
from studies.words import quoted
from studies.workloads.digits import DIGITS
from studies.workloads.entry import Workload
from studies.workloads.online import ONLINE
from studies.workloads.own import load_allowed, load_registered, names_in, registered_names
from studies.workloads.paper import PAPER
from studies.workloads.surfaces import SURFACE_WORKLOADS

#: The product's own, by kind.
_KINDS = {
    "The paper's": PAPER,
    "On digits": DIGITS,
    "Online": ONLINE,
    "Surfaces": SURFACE_WORKLOADS,
}
_OWN = "Your own"

WORKLOADS: dict[str, Workload] = {workload.name: workload for kind in _KINDS.values() for workload in kind}


@dataclass(frozen=True)
class Catalogue:
    """What can be trained here."""

    workloads: dict[str, Workload]  #: by name, the product's own ones first
    problems: tuple[str, ...]  #: why others that are installed cannot, a line each

    @property
    def kinds(self) -> dict[str, tuple[Workload, ...]]:
        """The workloads by kind; the user's own last, where there are any."""
        own = tuple(workload for name, workload in self.workloads.items() if name not in WORKLOADS)
        return {**_KINDS, **({_OWN: own} if own else {})}


def find_workload(name: str) -> Workload:
    """Return the workload of this name: the product's, or one that is installed or allowed here.

    Raises:
        NotFoundError: none has it here, or it cannot be loaded.
    """
    if name in WORKLOADS:
        return WORKLOADS[name]
    if ":" in name:
        return load_allowed(name)
    try:
        return load_registered(name)
    except NotFoundError:
        registered = registered_names()
        if name in registered:
            raise
    raise NotFoundError(
        f"workload must be one of {', '.join((*WORKLOADS, *registered))}, or module:object of a module that "
        f"ADAM_STUDIES_WORKLOAD_MODULES names, got {quoted(name)}"
    )


def all_workloads() -> Catalogue:
    """Return every workload that can be trained here; a package or module that is broken hides no other."""
    found, problems = dict(WORKLOADS), []
    names = registered_names()
    for name in names:
        if name in WORKLOADS:
            problems.append(f"workload {name} of an installed package is left out: the product's own has this name")
    for module in Settings.from_environ().workload_modules:
        try:
            names += names_in(module)
        except NotFoundError as error:
            problems.append(str(error))
    for name in names:
        try:
            found.setdefault(name, find_workload(name))
        except NotFoundError as error:
            problems.append(str(error))
    return Catalogue(found, tuple(problems))
