"""Who may see the pages: who signed in, where Streamlit's secrets.toml has [auth]; else who is on this machine."""

import sys
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.components.text import escape
from studies.local.sign_in import WITHOUT_SIGN_IN, is_loopback


def may_enter() -> bool:
    """Whether the user may see the pages."""
    if _auth():
        return bool(st.user.get("is_logged_in"))
    address = st.get_option("server.address")  # None in a test, where nothing listens
    return address is None or is_loopback(address) or WITHOUT_SIGN_IN in sys.argv


def sign_in() -> None:
    """Draw the way in."""
    st.title("adam-studies", anchor=False)
    auth = _auth()
    if not auth:
        st.error(
            "This address can be reached by others, and nobody has to sign in, so nothing is shown. Serve 127.0.0.1, "
            f"set up sign-in under \\[auth\\] in .streamlit/secrets.toml, or start with `{WITHOUT_SIGN_IN}` where "
            "something else keeps strangers out.",
            icon=":material/lock:",
        )
        return
    st.markdown("Sign in to see the studies.")
    names = [name for name, value in auth.items() if isinstance(value, Mapping)]
    if "client_id" in auth or not names:
        _button("Sign in", None)
    for name in names:
        _button(f"Sign in with {name}", name)


def signed_in() -> None:
    """Say who is signed in, with a way out; nothing where nobody has to."""
    if not _auth():
        return
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", key="signed_in"):
        st.caption(escape(str(st.user.get("email") or st.user.get("name") or "Signed in")), width="content")
        if st.button("Sign out", key="sign_out", type="tertiary", icon=":material/logout:"):
            st.logout()


def _button(label: str, provider: str | None) -> None:
    if st.button(label, key=f"sign_in_{provider}", type="primary", icon=":material/login:"):
        st.login(provider)


def _auth() -> Mapping[str, Any]:
    """Return the section [auth] of Streamlit's secrets.toml; empty where there is none."""
    return st.secrets.get("auth", {}) if st.secrets.load_if_toml_exists() else {}
