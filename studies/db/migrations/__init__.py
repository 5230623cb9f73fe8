"""Alembic's scripts; `studies.db.migrate` runs them."""
