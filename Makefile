# `make repro` runs the pipeline, `make test` checks the code; both prepare everything they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro test lint bench digits clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

# Unpacking first and compiling on all cores after halves the time of an installation.
$(VENV)/installed: setup.cfg constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-compile -r constraints.txt
	$(BIN)/pip install --quiet --no-compile --no-deps -e .
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib > /dev/null || true
	touch $@

repro: $(VENV)/installed  ## run the pipeline and print the verdict
	raresight validate
	dvc repro
	raresight -q evaluate --show

test: $(VENV)/installed lint  ## linter and the whole test suite
	$(BIN)/python -m pytest

lint: $(VENV)/installed  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/installed  ## ratios beside what a user would pick instead
	$(BIN)/python -m benchmarks

digits: $(VENV)/installed  ## write scikit-learn's real digits as images below data/raw
	$(BIN)/python -m generators.digits data/raw/digits

clean:  ## remove the environment and everything the stages wrote
	rm -rf $(VENV) data/generated data/augmented data/splits data/model data/training data/evaluation
