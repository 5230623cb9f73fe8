"""Pieces of pages: each draws one thing, and asks the database nothing by itself."""
