"""The dashboard's entry point: `streamlit run dashboard/app.py`."""

import streamlit as st

from dashboard.components.links import COMPARE, HOME, NEW_STUDY, SQL, STUDY, SURFACES, WORKERS
from dashboard.components.messages import guard
from dashboard.components.sign_in import may_enter, sign_in, signed_in
from dashboard.components.style import use_style

#: A falling curve, drawn here: icons by name would be fetched from the Internet.
_ICON = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke-width="2.6" stroke-linecap="round">
<path d="M3 3v18h18" stroke="#808080"/><path d="M6 5c1 9 5 11.500 15 12" stroke="#0072b2"/></svg>
"""


def main() -> None:
    """Set up the frame of every page and draw the one that the URL names."""
    st.set_option("client.showErrorDetails", "none")  # a traceback belongs in the log
    st.set_option("client.toolbarMode", "minimal")
    st.set_page_config(page_title="adam-studies", page_icon=_ICON, layout="wide")
    allowed = may_enter()
    page = st.navigation(
        [
            st.Page(HOME, title="Studies", icon=":material/experiment:", default=True),
            st.Page(NEW_STUDY, title="New study", icon=":material/add:", url_path="new"),
            st.Page(COMPARE, title="Compare", icon=":material/compare_arrows:", url_path="compare"),
            st.Page(SURFACES, title="Surfaces", icon=":material/landscape:", url_path="surfaces"),
            st.Page(STUDY, title="Study", icon=":material/query_stats:", url_path="study", visibility="hidden"),
            st.Page(SQL, title="SQL", icon=":material/database:", url_path="sql"),
            st.Page(WORKERS, title="Workers", icon=":material/memory:", url_path="workers"),
        ],
        position="top" if allowed else "hidden",
    )
    use_style()
    with guard():
        if not allowed:
            sign_in()
            return
        signed_in()
        page.run()


if __name__ == "__main__":
    main()
