"""The entry point: the names of all commands, and where each lies."""

import click

from studies.cli.program import Program

_COMMANDS = {
    "demo": "running.demo",
    "up": "serving.up",
    "submit": "running.submit",
    "list": "results.list_",
    "show": "results.show",
    "watch": "running.watch",
    "cancel": "wishes.cancel",
    "pause": "wishes.pause",
    "resume": "wishes.resume",
    "retry": "wishes.retry",
    "extend": "wishes.extend",
    "delete": "wishes.delete",
    "export": "results.export",
    "sql": "results.sql",
    "report": "reporting.report",
    "workloads": "catalogue.workloads",
    "presets": "catalogue.presets",
    "optimizers": "catalogue.optimizers",
    "data": "data.data",
    "worker": "serving.worker",
    "dashboard": "serving.dashboard",
    "db": "serving.db",
    "doctor": "examination.doctor",
}


@click.group(
    cls=Program,
    commands_at=_COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="adam-studies")
@click.pass_context
def main(context: click.Context) -> None:
    """Studies of the hyperparameters of Adam, AdaMax and their rivals: submit, train, see what matters.

    Exit code 0: done; 1: the study or the service failed; 2: the input is wrong.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
