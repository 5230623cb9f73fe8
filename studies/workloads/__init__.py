"""The catalogue of workloads: what can be trained, on which data, and what the paper leaves unstated. Torch-free."""

from studies.workloads.catalogue import WORKLOADS, Catalogue, all_workloads, find_workload
from studies.workloads.entry import Workload

__all__ = ["WORKLOADS", "Catalogue", "Workload", "all_workloads", "find_workload"]
