"""What the results mean: NumPy in, frozen dataclasses out; the command, the report and the dashboard share it."""
