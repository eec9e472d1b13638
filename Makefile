# `make repro` runs the pipeline and `make test` checks the code; both prepare what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro test lint bench million torture digits clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

# Unpacking first and compiling on all cores after takes two thirds of the time of a plain install.
# The packages' own tests are never imported; some are not even meant to compile.
$(VENV)/installed: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Raresight needs Python 3.11 or newer: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) -r constraints.txt
	$(PIP) --no-deps --editable .
	$(BIN)/python -m compileall -q -j 0 -x /tests/ $(VENV)/lib > /dev/null || true
	@touch $@

# Each stage says on stderr what it wrote; the verdict is printed once, at the end.
repro: $(VENV)/installed  ## run the pipeline and print the verdict
	dvc repro > /dev/null
	raresight --quiet verify
	raresight evaluate --show
	@echo 'Open data/report/index.html in a browser.'

# The optional engines of the 3-D generators, whose tests are skipped where there is no OpenGL, and
# what runs the example's notebook.
$(VENV)/extras: $(VENV)/installed constraints-extras.txt
	$(PIP) -r constraints-extras.txt
	@touch $@

# As many processes as cores, one thread each; a file's tests stay together and share what they set up.
test: lint $(VENV)/extras  ## linter, types and the whole test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

lint: $(VENV)/installed  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

million: $(VENV)/installed  ## the story at full size: a million images, a hundred of them positive
	$(BIN)/python -m benchmarks.million

bench: $(VENV)/installed  ## ratios beside what a user would pick instead
	$(BIN)/python -m benchmarks

torture: $(VENV)/installed  ## kill stages, fail their calls and damage their files, an hour at most
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.torture

digits: $(VENV)/installed  ## write scikit-learn's real digits as images below data/raw
	$(BIN)/raresight digits data/raw/digits

clean:  ## remove the environment and what the stages wrote (metrics stay: Git has them)
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
	find data -mindepth 1 -maxdepth 2 -type d ! -path 'data/raw*' ! -path data/training ! -path data/evaluation -prune -exec rm -rf {} +
