"""Builders of the workloads' models, by the names that the catalogue gives the workloads."""
