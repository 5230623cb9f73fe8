"""The few lines of CSS that Streamlit has no words for."""

import streamlit as st

_CSS = """
<style>
/* links to studies look like links; the one back home begins where the text does */
[data-testid="stPageLink-NavLink"] p { text-decoration: underline; text-underline-offset: 0.2em;
  text-decoration-color: rgba(128, 128, 128, 0.6); }
.st-key-home_link [data-testid="stPageLink-NavLink"] { padding-left: 0; }
/* the list of studies: rows close together, the head's columns above those of the cards */
[class*="st-key-list_head"] { padding: 0 calc(1rem + 1px); margin-bottom: -0.75rem; }
[class*="st-key-group_"] [data-testid="stPageLink-NavLink"] { padding: 0; min-height: 0; }
[class*="st-key-group_"] [data-testid="stPageLink-NavLink"] p { font-weight: 600; }
[class*="st-key-group_"] [data-testid="stMarkdownContainer"] { margin-bottom: 0; }
[class*="st-key-group_"] [data-testid="stMarkdownContainer"] p { margin: 0; overflow: hidden; text-overflow: ellipsis; }
[class*="st-key-group_"] :is([data-testid="stButton"], [data-testid="stPopover"]) button p {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
[class*="st-key-group_"] :is([data-testid="stButton"], [data-testid="stPopover"]) button * { gap: 0; }
/* what a new study would do stays in sight beside its form; on a narrow page what lies beside comes below */
[data-testid="stColumn"]:has(.st-key-summary) { align-self: stretch; }
[data-testid="stColumn"]:has(.st-key-summary) > [data-testid="stVerticalBlock"] { height: 100%; }
[data-testid="stLayoutWrapper"]:has(> .st-key-summary) { position: sticky; top: 4rem; }
.st-key-sql_query textarea { font-family: monospace; }
@media (max-width: 1050px) {
  [class*="st-key-compare_row_"] [data-testid="stHorizontalBlock"] { flex-direction: column; }
  [class*="st-key-compare_row_"] [data-testid="stColumn"] { width: 100%; flex: none; }
  [data-testid="stHorizontalBlock"]:has(> * .st-key-summary, > * [class*="st-key-beside_"]) { flex-direction: column; }
  [data-testid="stHorizontalBlock"]:has(> * .st-key-summary, > * [class*="st-key-beside_"])
    > [data-testid="stColumn"] { width: 100%; flex: none; }
}
</style>
"""


def use_style() -> None:
    """Add the CSS to the page."""
    st.html(_CSS)
