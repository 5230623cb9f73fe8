"""Measurements of speed against rivals; no part of the installed packages."""
