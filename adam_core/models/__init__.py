"""The paper's models over stacked lanes, each with its backward pass written out."""
