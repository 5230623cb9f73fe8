"""The embedded stack: Redis, workers and dashboard as child processes of one command."""
