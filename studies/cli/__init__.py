"""The command `adam-studies`."""
