"""Specs in files, and changes to them from the command line."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from studies.errors import InputError


def load(path: Path) -> dict[str, Any]:
    """Return the mapping that a YAML or JSON file holds.

    Raises:
        InputError: the file cannot be read, is no YAML, or holds no mapping.
    """
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"cannot read {path}: {reason}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(given, dict):
        raise InputError(f"{path} must hold a mapping of keys, got {type(given).__name__}")
    return given


def override(given: Mapping[str, Any], assignments: tuple[str, ...]) -> dict[str, Any]:
    """Return the mapping with `key=value` assignments made; keys may be dotted, values are YAML.

    Of a suite they change every study.

    Raises:
        InputError: an assignment that has no = or no key.
    """
    changed = _spread(copy.deepcopy(dict(given)))
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set must be key=value, got {assignment!r}")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise InputError(f"--set {key}: the value must be YAML, got {text!r}") from None
        targets = [changed]
        if "suite" in changed and key != "suite":
            studies = changed.get("studies")
            targets = [study for study in studies if isinstance(study, dict)] if isinstance(studies, list) else []
        for target in targets:
            _assign(target, key.strip().split("."), value)
    return changed


def _spread(given: dict[str, Any]) -> dict[str, Any]:
    """Return a suite with its defaults in every study, so that a dotted key changes what a study would have had."""
    defaults, studies = given.get("defaults"), given.get("studies")
    if not isinstance(defaults, dict) or not isinstance(studies, list):
        return given
    spread = [{**copy.deepcopy(defaults), **study} if isinstance(study, dict) else study for study in studies]
    return {**{key: value for key, value in given.items() if key != "defaults"}, "studies": spread}


def _assign(target: dict[str, Any], keys: list[str], value: object) -> None:
    for key in keys[:-1]:
        inner = target.get(key)
        target[key] = dict(inner) if isinstance(inner, dict) else {}
        target = target[key]
    target[keys[-1]] = value
