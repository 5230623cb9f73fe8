"""Everything that the torch-free catalogue offers can be built by the worker, and nothing else."""

from itertools import product

import pytest
import torch

from adam_core.rules import RULES, make_rule
from studies.data_files import DATA_FILES
from studies.optimizers import OPTIMIZERS
from studies.parameters import PARAMETERS
from studies.workloads import WORKLOADS
from worker.datasets.preparations import PREPARATIONS
from worker.datasets.registry import READERS
from worker.workloads.registry import BUILDERS


def test_one_builder_per_workload() -> None:
    assert set(BUILDERS) == set(WORKLOADS)


def test_one_reader_per_data_set() -> None:
    assert not set(READERS) & set(PREPARATIONS)
    assert {*READERS, *PREPARATIONS} == {workload.dataset for workload in WORKLOADS.values()}


def test_data_sets_that_lie_in_files_are_prepared() -> None:
    assert set(PREPARATIONS) == set(DATA_FILES)


def test_one_rule_per_optimizer() -> None:
    assert list(RULES) == list(OPTIMIZERS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_rule_and_catalogue_have_the_same_options(name: str) -> None:
    assert dict(RULES[name].options) == dict(OPTIMIZERS[name].options)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_has_a_rule_with_any_options(name: str) -> None:
    entry = OPTIMIZERS[name]
    assert set(RULES[name].parameters) <= set(entry.defaults)
    hyperparameters = {key: torch.tensor([value], dtype=torch.float64) for key, value in entry.defaults.items()}
    for values in product(*entry.options.values()):
        rule = make_rule(name, hyperparameters, **dict(zip(entry.options, values, strict=True)))
        assert rule.coefficients(1, torch.ones(2, 1, dtype=torch.float64)).shape[::2] == (2, 1)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_domains_are_those_of_the_rules(name: str) -> None:
    """What a spec allows, a rule takes."""
    entry = OPTIMIZERS[name]
    for parameter in (PARAMETERS[key] for key in entry.defaults):
        ends = [] if parameter.is_boolean else [parameter.low] * (not parameter.low_open)
        ends += [parameter.high] * (not parameter.high_open)
        for value in ends:
            assert parameter.check(value) is None
            given = {**entry.defaults, parameter.name: value}
            lanes = {key: torch.tensor([one], dtype=torch.float64) for key, one in given.items()}
            make_rule(name, lanes, **{option: values[-1] for option, values in entry.options.items()})
