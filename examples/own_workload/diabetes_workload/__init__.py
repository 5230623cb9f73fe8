"""A workload for adam-studies: a residual network on scikit-learn's diabetes data."""
