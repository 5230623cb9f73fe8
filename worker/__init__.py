"""Celery workers: they claim trial arrays, train them, and record what came out."""
