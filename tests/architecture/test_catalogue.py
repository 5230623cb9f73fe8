"""Everything that the torch-free catalogue offers can be built by the worker, and nothing else."""

import pytest
import torch

from adam_core.rules import make_rule
from studies.optimizers import OPTIMIZERS
from studies.workloads import WORKLOADS
from worker.datasets.registry import READERS
from worker.workloads.registry import BUILDERS


def test_one_builder_per_workload() -> None:
    assert set(BUILDERS) == set(WORKLOADS)


def test_one_reader_per_data_set() -> None:
    assert set(READERS) == {workload.dataset for workload in WORKLOADS.values()}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_has_a_rule(name: str) -> None:
    entry = OPTIMIZERS[name]
    hyperparameters = {key: torch.tensor([value], dtype=torch.float64) for key, value in entry.defaults.items()}
    rule = make_rule(name, hyperparameters, **entry.options(entry.defaults))
    assert rule.init(torch.zeros(1, 3))
