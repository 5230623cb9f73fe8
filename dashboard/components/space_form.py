"""The part of the form that asks for the search space: a row for each hyperparameter."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.components.fields import choice_field, number_field, read_numbers, text_field
from studies.optimizers import OPTIMIZERS, PARAMETERS, Optimizer, Parameter

_WIDTHS = (1.3, 1.2, 1.4, 1.4, 1.5)
_SCALES = {"log": "log", "linear": "linear", "log1m": "log of 1−β"}
_KINDS = {"range": "range", "list": "list", "constant": "constant"}
_HIDDEN: dict[str, Any] = {"label_visibility": "collapsed"}


def space_form(optimizers: Sequence[Optimizer]) -> dict[str, dict[str, Any]]:
    """Return the search space of every optimizer, by the optimizers' names.

    Optimizers share a row, so that they are compared over the same values.
    """
    left_out = _parameters_left_out(optimizers)
    names = [name for name in PARAMETERS if any(_takes(optimizer, name, left_out) for optimizer in optimizers)]
    head = st.columns(_WIDTHS, vertical_alignment="bottom", wrap=False)
    for column, title in zip(head, ("parameter", "values", "low", "high", "scale"), strict=True):
        column.caption(title)
    dimensions = {name: _row(PARAMETERS[name], _default_range(name)) for name in names}
    return {
        optimizer.name: {name: dimensions[name] for name in names if _takes(optimizer, name, left_out)}
        for optimizer in optimizers
    }


def _parameters_left_out(optimizers: Sequence[Optimizer]) -> dict[str, set[str]]:
    """Ask for each optimizer's optional parameters, and return those not wanted."""
    left_out: dict[str, set[str]] = {}
    for optimizer in optimizers:
        for name in optimizer.optional:
            label = f"Search {PARAMETERS[name].symbol} of {optimizer.title} too"
            key = f"new_{optimizer.name}_{name}"
            wanted = st.toggle(label, key=key, help=optimizer.note, persist_state="session")
            if not wanted:
                left_out.setdefault(optimizer.name, set()).add(name)
    return left_out


def _takes(optimizer: Optimizer, name: str, left_out: Mapping[str, set[str]]) -> bool:
    return name in optimizer.defaults and name not in left_out.get(optimizer.name, ())


def _default_range(name: str) -> Mapping[str, Any]:
    """Return the default range of the first optimizer in the catalogue that searches the parameter."""
    spaces = (optimizer.default_space.get(name) for optimizer in OPTIMIZERS.values())
    return next(space for space in spaces if isinstance(space, Mapping))


def _row(parameter: Parameter, default: Mapping[str, Any]) -> object:
    """Draw one parameter's row and return its dimension as a spec writes it."""
    key, paper = f"new_{parameter.name}", f"{OPTIMIZERS['adam'].defaults[parameter.name]:g}"
    name, kind_column, low_column, high_column, scale_column = st.columns(
        _WIDTHS, vertical_alignment="center", wrap=False
    )
    name.markdown(f"**{parameter.symbol}** &nbsp;{parameter.name}")
    with kind_column:
        kind = choice_field(f"{parameter.name} values", f"{key}_kind", _KINDS, **_HIDDEN)
    if kind == "constant":
        with low_column:
            return number_field(f"{parameter.name} value", f"{key}_value", paper, **_HIDDEN)
    if kind == "list":
        with st.container(), low_column:
            return read_numbers(
                text_field(f"{parameter.name} values, with commas between", f"{key}_list", paper, **_HIDDEN)
            )
    with low_column:
        low = number_field(f"{parameter.name} low", f"{key}_low", f"{default['low']:g}", **_HIDDEN)
    with high_column:
        high = number_field(f"{parameter.name} high", f"{key}_high", f"{default['high']:g}", **_HIDDEN)
    with scale_column:
        scales = {name: _SCALES[name] for name in parameter.scales}
        scale = choice_field(f"{parameter.name} scale", f"{key}_scale", scales, **_HIDDEN)
    return {"low": low, "high": high, "scale": scale}
