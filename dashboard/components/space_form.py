"""The part of the form that asks for an optimizer's options and its search space: a row for each hyperparameter."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.components.fields import choice_field, number_field, read_numbers, text_field
from studies.optimizers import Optimizer
from studies.parameters import PARAMETERS, Parameter

_WIDTHS = (1.5, 1.2, 1.3, 1.3, 1.5)
_KINDS = {"range": "range", "list": "list", "constant": "constant"}
_TRUTHS: dict[str, Any] = {"true and false": [True, False], "true": True, "false": False}
_HIDDEN: dict[str, Any] = {"label_visibility": "collapsed"}


def space_form(optimizers: Sequence[Optimizer]) -> dict[str, dict[str, Any]]:
    """Return the options and the search space of every optimizer as keys of a spec, by the optimizers' names."""
    places: Sequence[Any] = [st.container()]
    if len(optimizers) > 1:
        places = st.tabs([optimizer.title for optimizer in optimizers])
    found = {}
    for place, optimizer in zip(places, optimizers, strict=False):  # no place is drawn on where none is chosen
        with place:
            options = _options(optimizer)
            found[optimizer.name] = {
                "options": options,
                "search_space": _space(optimizer, _searched(optimizer, options)),
            }
    return found


def _options(optimizer: Optimizer) -> dict[str, Any]:
    """Ask for the modes of the update rule."""
    chosen = {}
    for column, (name, values) in zip(st.columns(len(optimizer.options)), optimizer.options.items(), strict=True):
        words = {str(value).lower() if isinstance(value, bool) else value: value for value in values}
        with column:
            label = name.replace("_", " ").replace("epsilon", "ε")
            chosen[name] = words[choice_field(label, f"new_{optimizer.name}_{name}", {word: word for word in words})]
    return chosen


def _searched(optimizer: Optimizer, options: Mapping[str, Any]) -> list[str]:
    """Return the parameters that take part: those of the optimizer, of its options, and what else is asked for."""
    offered = [name for name in optimizer.optional if name not in optimizer.switches]
    wanted: list[str] = []
    if offered:
        wanted = st.pills(
            "Search too",
            offered,
            selection_mode="multi",
            key=f"new_{optimizer.name}_optional",
            format_func=lambda name: _label(PARAMETERS[name], "{} {}"),
            persist_state="session",
        )
    switched = [name for name, (option, values) in optimizer.switches.items() if options[option] in values]
    return [name for name in optimizer.defaults if name not in optimizer.optional or name in (*wanted, *switched)]


def _space(optimizer: Optimizer, names: Sequence[str]) -> dict[str, Any]:
    head = st.columns(_WIDTHS, vertical_alignment="bottom", wrap=False)
    for column, title in zip(head, ("parameter", "values", "low", "high", "scale"), strict=True):
        column.caption(title)
    return {name: _row(optimizer, PARAMETERS[name]) for name in names}


def _label(parameter: Parameter, form: str) -> str:
    """Return symbol and name in a form, or the word that stands for the symbol."""
    return parameter.symbol if " " in parameter.symbol else form.format(parameter.symbol, parameter.name)


def _row(optimizer: Optimizer, parameter: Parameter) -> object:
    """Draw one parameter's row and return its dimension as a spec writes it."""
    label, values, *rest = st.columns(_WIDTHS, vertical_alignment="center", wrap=False)
    label.markdown(_label(parameter, "**{}** &nbsp;{}"))
    key = f"new_{optimizer.name}_{parameter.name}"
    with values:
        kinds = {word: word for word in _TRUTHS} if parameter.is_boolean else _KINDS
        kind = choice_field(f"{parameter.name} values", f"{key}_kind", kinds, **_HIDDEN)
    if parameter.is_boolean:
        return _TRUTHS[kind]
    default = f"{optimizer.defaults[parameter.name]:.12g}"
    if kind == "constant":
        with rest[0]:
            return number_field(f"{parameter.name} value", f"{key}_value", default, **_HIDDEN)
    if kind == "list":
        with rest[0]:
            label_of_list = f"{parameter.name} values, with commas between"
            return read_numbers(text_field(label_of_list, f"{key}_list", default, **_HIDDEN))
    return _range(optimizer, parameter, key, rest)


def _range(optimizer: Optimizer, parameter: Parameter, key: str, columns: Sequence[Any]) -> dict[str, object]:
    offered: Any = {**optimizer.optional, **optimizer.default_space}[parameter.name]
    bounds: dict[str, object] = {}
    for column, end in zip(columns, ("low", "high"), strict=False):  # the third is the scale's
        with column:
            bounds[end] = number_field(f"{parameter.name} {end}", f"{key}_{end}", f"{offered[end]:.12g}", **_HIDDEN)
    scales = {name: f"log of 1−{parameter.symbol}" if name == "log1m" else name for name in parameter.scales}
    with columns[2]:
        return {**bounds, "scale": choice_field(f"{parameter.name} scale", f"{key}_scale", scales, **_HIDDEN)}
