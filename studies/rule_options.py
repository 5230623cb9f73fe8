"""The options of an update rule: what a spec says of them, what its search space implies, and where the two differ."""

from collections.abc import Collection, Mapping, Sequence

from studies.optimizers import Optimizer, OptionValue


def complete_options(
    optimizer: Optimizer, named: Collection[str], given: Mapping[str, object]
) -> dict[str, OptionValue]:
    """Return a value for every option: the given one, else what the search space implies, else the default.

    Args:
        optimizer: whose options they are.
        named: the parameters of the search space; one that takes part by an option implies the option's first such
            value.
        given: what the spec says.

    Raises:
        ValueError: an unknown option or value, or an option that contradicts the search space.
    """
    chosen = {name: _checked(optimizer, name, value) for name, value in given.items()}
    implied = {option: values[0] for name, (option, values) in optimizer.switches.items() if name in named}
    completed = {**{name: values[0] for name, values in optimizer.options.items()}, **implied, **chosen}
    for name, (option, values) in optimizer.switches.items():
        value = completed[option]
        if name in named and value not in values:
            allowed = " or ".join(map(str, values))
            raise ValueError(f"options.{option}: must be {allowed} where the search space names {name}, got {value!r}")
        if name not in named and value in values:
            raise ValueError(f"options.{option}: must be left out where the search space lacks {name}, got {value!r}")
    return completed


def _checked(optimizer: Optimizer, name: str, value: object) -> OptionValue:
    if name not in optimizer.options:
        raise ValueError(f"options: must name only {', '.join(optimizer.options)}, got {name!r}")
    values: Sequence[OptionValue] = optimizer.options[name]
    for allowed in values:
        if type(value) is type(allowed) and value == allowed:
            return allowed
    raise ValueError(f"options.{name}: must be one of {', '.join(map(str, values))}, got {str(value)[:80]!r}")
