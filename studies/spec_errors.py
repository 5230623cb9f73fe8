"""Validation problems in one line each: the key, what is allowed, the value."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from studies.search_space import Range
from studies.words import quoted

_TAGS = ("range", "list", "number", "truth")  # of the kinds of dimension: no keys of the user's
_ALLOWED = {
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "string_pattern_mismatch": "must be one line of text that is not blank",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "too_short": "must hold at least one value",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of keys",
    "model_type": "must be a mapping of keys",
    "model_attributes_type": "must be a mapping of keys",
}


def one_line(error: ValidationError, models: Sequence[type[BaseModel]]) -> str:
    """Return all the problems of a validation in one line; of a key, only those inside it where there are some.

    Args:
        error: what pydantic raised.
        models: the models whose keys a user may have misspelt.
    """
    problems = error.errors()
    inner = {place[:length] for place in (problem["loc"] for problem in problems) for length in range(1, len(place))}
    outer = [problem for problem in problems if problem["loc"] not in inner]
    unknown: dict[str, list[str]] = {}  # the keys, by what is allowed in their place, which is said once
    for problem in outer:
        if problem["type"] == "extra_forbidden":
            unknown.setdefault(", ".join(_siblings(_path(problem), models)), []).append(_place(problem))
    return "; ".join(
        [
            *(_words(problem) for problem in outer if problem["type"] != "extra_forbidden"),
            *(f"{', '.join(places)}: no such key, allowed are {allowed}" for allowed, places in unknown.items()),
        ]
    )


def _path(problem: Any) -> list[str]:
    return [str(part) for part in problem["loc"] if part not in _TAGS]


def _place(problem: Any) -> str:
    return ".".join(part if part.isprintable() else repr(part) for part in _path(problem))


def _words(problem: Any) -> str:
    place, kind = _place(problem), problem["type"]
    if kind == "value_error":
        text = str(problem["ctx"]["error"])
        if place and ", got" not in text:
            text += f", got {quoted(problem['input'])}"
        return f"{place}: {text}" if place else text
    if kind == "missing":
        return f"{place}: must be given"
    allowed = _ALLOWED.get(kind, problem["msg"].replace("Input should", "must").replace("should", "must"))
    return f"{place}: {allowed}, got {quoted(problem['input'])}"


def _siblings(path: Sequence[str], models: Sequence[type[BaseModel]]) -> list[str]:
    """Return the keys that are allowed where the path's last one is not."""
    if "search_space" in path:
        return list(Range.model_fields)
    nested = {name: field.annotation for model in models for name, field in model.model_fields.items()}
    inner = nested.get(path[-2]) if len(path) > 1 else None
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return list(inner.model_fields)
    return list(models[0 if len(path) > 1 else -1].model_fields)
