"""The data sets that workloads train on, by the names that the catalogue gives them."""
