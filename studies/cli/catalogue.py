"""What can be asked for: workloads, presets, optimizers, and the data sets on disk."""

import click

from studies.cli.console import print_json, print_table, text
from studies.cli.options import json_option
from studies.data_status import DatasetStatus, data_status
from studies.optimizers import OPTIMIZERS, WRAPPER_OPTIONS, Optimizer
from studies.presets import PRESETS
from studies.settings import Settings
from studies.workloads import WORKLOADS


@click.command()
@json_option
def workloads(as_json: bool) -> None:
    """What can be trained."""
    if as_json:
        return print_json(list(WORKLOADS.values()))
    rows = [(w.name, w.title, w.dataset, w.n_train, w.batch_size, w.epochs) for w in WORKLOADS.values()]
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


@click.group(no_args_is_help=False)
def data() -> None:
    """The data sets."""


@data.command()
@json_option
def status(as_json: bool) -> None:
    """What is on disk, checked by sha256, and what is expected where."""
    found = data_status(Settings.from_environ())
    if as_json:
        return print_json(found)
    rows = [(dataset.name, dataset.state, ", ".join(dataset.workloads), _where(dataset)) for dataset in found]
    return print_table(("DATA SET", "STATE", "WORKLOADS", "WHERE"), rows, "")


def _where(dataset: DatasetStatus) -> str:
    if dataset.folder is None:
        return "comes with the worker's packages"
    wrong = [f"{file.name} ({file.state})" for file in dataset.files if file.state != "present"]
    if not wrong:
        return str(dataset.files[0].path.parent)
    return f"{dataset.folder} should hold the original {', '.join(wrong)}; ADAM_STUDIES_DATA chooses the folder"
