"""The pages: Streamlit runs each file as a script of its own."""
