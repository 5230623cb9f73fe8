"""What can be asked for: workloads, presets and optimizers."""

import click

from studies.cli.console import note, print_json, print_table, text
from studies.cli.options import json_option
from studies.optimizers import OPTIMIZERS, WRAPPER_OPTIONS, Optimizer
from studies.presets import PRESETS
from studies.workloads import all_workloads


@click.command()
@json_option
def workloads(as_json: bool) -> None:
    """What can be trained."""
    found = all_workloads()
    for problem in found.problems:
        note(f"warning: {problem}")
    if as_json:
        return print_json(list(found.workloads.values()))
    rows = [(w.name, w.title, w.dataset, w.n_train, w.batch_size, w.epochs) for w in found.workloads.values()]
    return print_table(("NAME", "TITLE", "DATA SET", "EXAMPLES ", "BATCH ", "EPOCHS "), rows, "")


@click.command()
@json_option
def presets(as_json: bool) -> None:
    """Studies and suites that can be submitted by name."""
    if as_json:
        return print_json(
            [{**vars(preset), "spec": preset.spec.model_dump(mode="json")} for preset in PRESETS.values()]
        )
    rows = [(preset.name, f"{preset.title}. {preset.description}") for preset in PRESETS.values()]
    return print_table(("NAME", "WHAT IT IS"), rows, "")


@click.command()
@json_option
def optimizers(as_json: bool) -> None:
    """Optimizers, their defaults and options."""
    if as_json:
        return print_json(list(OPTIMIZERS.values()))
    rows = [(entry.name, entry.citation, _defaults(entry), _own(entry), entry.note) for entry in OPTIMIZERS.values()]
    print_table(("NAME", "SOURCE", "DEFAULTS", "ALSO", "NOTE"), rows, "")
    click.echo("\n" + _FOR_ALL)


_FOR_ALL = """\
Every optimizer also takes weight_decay (weight_decay_mode l2, unless it is decoupled) and an average of the parameters
in place of the last ones (averaging polyak, or exponential with beta2)."""


def _defaults(entry: Optimizer) -> str:
    defaults = [f"{name} {value:g}" for name, value in entry.defaults.items() if name not in entry.optional]
    others = [words for name, words in entry.other_defaults.items() if name not in entry.optional]
    return f"{', '.join(defaults)} ({'; '.join([entry.defaults_from, *others])})"


def _own(entry: Optimizer) -> str | None:
    """Return the parameters that can be searched too, and the options, without what every optimizer has."""
    shared = [name for name, (option, _) in entry.switches.items() if option in WRAPPER_OPTIONS]
    own = ", ".join(name for name in entry.optional if name not in shared)
    modes = {name: values for name, values in entry.options.items() if name not in WRAPPER_OPTIONS}
    options = [f"{name} {', '.join(map(text, values))}" for name, values in modes.items()]
    return "; ".join([own, *options] if own else options) or None
