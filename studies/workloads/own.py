"""Workloads that are not the product's: of installed packages, or of modules that the settings name.

A package registers one by an entry point of the group `adam_studies.workloads` under the workload's name. A module that
`ADAM_STUDIES_WORKLOAD_MODULES` names needs no entry point: its workloads are called `module:object`. Nothing else is
ever imported: a name that comes in a spec is compared with these, never followed.
"""

import re
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from pydantic import TypeAdapter, ValidationError

from studies.errors import NotFoundError
from studies.settings import Settings
from studies.spec_errors import one_line
from studies.words import quoted
from studies.workloads.entry import Workload

GROUP = "adam_studies.workloads"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PLACE = re.compile(r"(?=.{3,200}\Z)[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)  # package.module:object
_TYPES = TypeAdapter(Workload)


def registered_names() -> list[str]:
    """Return the names that installed packages register, sorted, without loading any of their code."""
    return sorted({point.name for point in entry_points(group=GROUP) if _NAME.fullmatch(point.name)})


@cache
def load_registered(name: str) -> Workload:
    """Return the workload that an installed package registers under this name.

    Raises:
        NotFoundError: no package registers it, or two do; its module cannot be imported, or the object is no such
            workload.
    """
    points = list(entry_points(group=GROUP, name=name)) if _NAME.fullmatch(name) else []
    if not points:
        raise NotFoundError(f"no installed package registers the workload {quoted(name)}")
    packages = " and ".join(sorted(map(_package, points)))
    if len({point.value for point in points}) > 1:
        raise NotFoundError(f"workload {name} is registered by {packages}: uninstall all but one")
    where = f"workload {name}, registered by {packages} as {points[0].value},"
    try:
        found = points[0].load()
    except (Exception, SystemExit) as error:  # whatever a module of others raises is told, and harms nothing else
        raise NotFoundError(f"{where} cannot be loaded: {_in_words(error)}") from error
    workload = _checked(where, found)
    if workload.name != name:
        raise NotFoundError(f"{where} must have this name, got {quoted(workload.name)}")
    return workload


def load_allowed(name: str) -> Workload:
    """Return the workload `module:object`, called so, if the settings name the module.

    Raises:
        NotFoundError: they do not, the module cannot be imported, or the object is missing or no such workload.
    """
    module, _, attribute = name.partition(":")
    allowed = Settings.from_environ().workload_modules
    if module not in allowed or not _PLACE.fullmatch(name):
        raise NotFoundError(
            f"workload must be module:object of a module that ADAM_STUDIES_WORKLOAD_MODULES names "
            f"({', '.join(allowed) or 'none'}), got {quoted(name)}"
        )
    return _load_allowed(module, attribute)


def names_in(module: str) -> list[str]:
    """Return the names `module:object` of the workloads of a module that the settings name.

    Raises:
        NotFoundError: the module cannot be imported.
    """
    found = vars(_imported(module, f"module {module}, which ADAM_STUDIES_WORKLOAD_MODULES names,"))
    return [f"{module}:{name}" for name, value in found.items() if isinstance(value, Workload) and value.implementation]


@cache
def _load_allowed(module: str, attribute: str) -> Workload:
    where = f"workload {module}:{attribute}"
    found = getattr(_imported(module, where), attribute, None)
    if found is None:
        raise NotFoundError(f"{where} does not exist: the module has no such object")
    return replace(_checked(where, found), name=f"{module}:{attribute}")


def _imported(module: str, where: str) -> ModuleType:
    try:
        return import_module(module)
    except (Exception, SystemExit) as error:
        raise NotFoundError(f"{where} cannot be loaded: {_in_words(error)}") from error


def _checked(where: str, found: object) -> Workload:
    """Return the workload with every field of its type.

    Raises:
        NotFoundError: it is none, or one of its fields is not what the worker can train by.
    """
    if not isinstance(found, Workload):
        raise NotFoundError(f"{where} must be a studies.workloads.Workload, got a {type(found).__name__}")
    try:
        workload = _TYPES.validate_python(vars(found))
    except ValidationError as error:
        raise NotFoundError(f"{where} is not valid: {one_line(error, ())}") from None
    for key, holds, allowed in (
        ("implementation", _PLACE.fullmatch(workload.implementation or ""), "package.module:object"),
        ("input_shape", all(size > 0 for size in workload.input_shape), "positive sizes"),
        ("n_train", workload.n_train > 0, "at least 1"),
        ("n_validation", 0 <= workload.n_validation < workload.n_train, "at least 0 and less than n_train"),
        ("n_test", workload.n_test >= 0, "at least 0"),
        ("batch_size", 0 < workload.batch_size <= workload.n_train, "at least 1 and at most n_train"),
        ("epochs", workload.epochs > 0, "at least 1"),
        ("l2", workload.l2 == 0, "0: studies add such a term by the optimizer's weight_decay"),
        ("online", not workload.online, "False"),
        ("n_coordinates", workload.n_coordinates == 0, "0"),
    ):
        if not holds:
            raise NotFoundError(f"{where} is not valid: {key} must be {allowed}, got {quoted(getattr(workload, key))}")
    return workload


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module


def _in_words(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
