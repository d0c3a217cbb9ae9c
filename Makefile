# The commands people use. Each sees to its own set-up: .venv is made once and renewed when requirements change.

PYTHON_BIN := .venv/bin
PHOTOS ?=
TESTS ?= tests

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench portrait clean

help:  ## list these commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## make .venv with the pinned packages
	@scripts/setup.sh

run: setup  ## start the studio: engine (if no WebUI is set), worker, API and pages
	@exec $(PYTHON_BIN)/sajin up

test:  ## run every test (TESTS=path for some)
	@scripts/setup.sh --browser
	$(PYTHON_BIN)/python -m pytest -n 2 --dist loadgroup $(TESTS)

check: setup  ## style, strict types, import directions
	$(PYTHON_BIN)/ruff format --check .
	$(PYTHON_BIN)/ruff check .
	$(PYTHON_BIN)/mypy
	$(PYTHON_BIN)/python -m pytest -q tests/unit/test_architecture.py

bench: setup  ## measure side by side, renew docs/benchmarks.md
	PYTHONPATH=scripts:. $(PYTHON_BIN)/python -m bench

portrait: setup  ## the whole job in the terminal: make portrait PHOTOS=folder
	@test -n "$(PHOTOS)" || { echo 'say which photos: make portrait PHOTOS=folder' >&2; exit 2; }
	@exec $(PYTHON_BIN)/sajin portrait --photos "$(PHOTOS)"

clean:  ## remove .venv and caches; data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
	find . -name __pycache__ -not -path './data/*' -prune -exec rm -rf {} +
