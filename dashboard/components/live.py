"""Parts of a page that draw themselves anew while there is something to see."""

from collections.abc import Callable

import streamlit as st

from dashboard.components.messages import guard, show_kept_errors


def live(
    key: str, draw: Callable[[], bool], seconds: float = 2.0, has_wishes: bool = True, starts_live: bool = True
) -> None:
    """Draw a part of a page, and again after so many seconds for as long as `draw` returns that more is to come.

    While it fails it is drawn again too, so that the page recovers with the database. A part with buttons for wishes
    shows those that failed. `starts_live` is what the first `draw` will return, as far as the page knows: a wrong guess
    costs a second run of the whole page.
    """
    refreshing = st.session_state.get(key, starts_live)

    def run() -> None:
        more, place = True, st.container()
        with guard():
            more = draw()
        st.session_state[key] = more
        if more != refreshing:  # how often a fragment runs is settled by the run of the whole page
            st.rerun()
        if has_wishes:
            with place:
                show_kept_errors()

    st.fragment(run, run_every=seconds if refreshing else None)()
