# Everything starts from a machine with make and Python 3.11 or newer. PYTHON=... names another interpreter.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	if $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; \
	then echo $$name; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests wait more than they compute: for processes, commits and screens. Six at a time keep two cores busy.
WORKERS ?= 6
SECONDS ?= 300
ARGS ?=

.PHONY: help
help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

.PHONY: venv
venv: $(STAMP)  ## make the environment in .venv

$(STAMP): requirements-dev.txt pyproject.toml
	@if [ -z "$(PYTHON)" ]; then
		echo "make: Python 3.11 to 3.13 is needed; name one with PYTHON=/path/to/python" >&2
		exit 1
	fi
	if [ ! -x $(BIN)/python ]; then $(PYTHON) -m venv $(VENV); fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $(STAMP)

.PHONY: test
test: $(STAMP)  ## make the environment if need be, and pass all tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

.PHONY: check
check: $(STAMP)  ## format, lint, strict types, import contracts, then all tests
	@$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(MAKE) test

.PHONY: bench
bench: $(STAMP)  ## measure the budgets, each beside its limit, as JSON
	@$(BIN)/python -m benchmarks.run $(ARGS)

.PHONY: soak
soak: $(STAMP)  ## schedules at all clock changes, many operators, attached consoles, killed engines and tasks, for long
	@$(BIN)/python -m benchmarks.timetables
	$(BIN)/python -m benchmarks.backfills
	@$(BIN)/python -m benchmarks.operators --seconds $(SECONDS)
	@$(BIN)/python -m benchmarks.attached --seconds $(SECONDS)
	$(BIN)/python -m benchmarks.soak --seconds $(SECONDS) $(ARGS)
	$(BIN)/python -m benchmarks.steady --seconds $(SECONDS)

.PHONY: demo
demo: $(STAMP)  ## open the console on a throw-away home with live runs
	@$(BIN)/dagdeck demo $(ARGS)

.PHONY: picture
picture: $(STAMP)  ## take the README's picture of the console, from the real program
	@$(BIN)/python -m docs.picture $(ARGS)

.PHONY: clean
clean:  ## remove the environment, caches and builds
	@rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
