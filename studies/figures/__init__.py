"""The figures, each split in data (frozen, what is shown) and drawing (Plotly, how)."""
