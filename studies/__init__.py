"""Hyperparameter studies of Adam and AdaMax: `from studies import Client, StudySpec`.

The three public names are imported when they are first asked for, so that a part that needs none of them starts fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studies.client import Client
    from studies.spec import StudySpec, SuiteSpec

__all__ = ["Client", "StudySpec", "SuiteSpec"]

_HOMES = {"Client": "studies.client", "StudySpec": "studies.spec", "SuiteSpec": "studies.spec"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
