"""The client of a command."""

import click

from studies.client import Client


def open_client() -> Client:
    """Return a client of the environment's settings, closed when the command ends."""
    opened = Client()
    click.get_current_context().call_on_close(opened.close)
    return opened
