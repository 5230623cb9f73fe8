"""The pages people look at: Streamlit over `studies`. Its process never imports torch."""
