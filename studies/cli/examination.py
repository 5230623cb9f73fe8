"""The command that examines an installation."""

from itertools import chain

import click

from studies.cli.console import print_json, print_table
from studies.cli.options import json_option
from studies.doctor.machine import examine_machine
from studies.doctor.service import examine_service
from studies.settings import Settings


@click.command()
@json_option
def doctor(as_json: bool) -> int:
    """Check versions, disk, data, database, broker and workers.

    Exit code 1 where something stands in the way of studies.
    """
    settings = Settings.from_environ()
    findings = list(chain(examine_machine(settings), examine_service(settings)))
    if as_json:
        print_json(findings)
    else:
        rows = [(found.state, found.about, found.told, found.mend) for found in findings]
        print_table(("STATE", "WHAT", "FOUND", "TO MEND IT"), rows, "")
    return int(any(found.state == "problem" for found in findings))
