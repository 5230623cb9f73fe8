"""Input fields that send every pause in typing to the server and keep what was typed when another page is seen."""

from collections.abc import Mapping
from typing import Any

import streamlit as st


def text_field(label: str, key: str, default: str = "", placeholder: str = "", **options: Any) -> str:
    """Return what stands in a text field, without the blanks around it."""
    st.session_state.setdefault(key, default)
    typed: str = st.text_input(label, key=key, placeholder=placeholder, live=True, persist_state="session", **options)
    return typed.strip()


def number_field(label: str, key: str, default: str = "", placeholder: str = "", **options: Any) -> object:
    """Return the number in a text field; what does not read as one is returned as typed, for the spec to refuse."""
    return read_number(text_field(label, key, default, placeholder, **options))


def choice_field(label: str, key: str, options: Mapping[str, str], **more: Any) -> str:
    """Return the option chosen from a drop-down list, the first at first; `options` says how each is written."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = next(iter(options))
    chosen: str = st.selectbox(
        label, list(options), key=key, format_func=options.__getitem__, persist_state="session", **more
    )
    return chosen


def read_number(text: str) -> object:
    """Return the integer or float that the text spells, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def read_numbers(text: str) -> list[object]:
    """Return what stands between the commas of a list, each as a number where it reads as one."""
    return [read_number(part.strip()) for part in text.rstrip(", ").split(",")]
